/**
 * A local Kubernetes API server for tests, over TLS and with a token: Jobs, their pods and their logs, access reviews. A Job does
 * what the plan for its namespace says.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ApiReply, type ApiRequest, type ApiServer, type Route, startApiServer } from "../api-server.ts";
import { certificatePem } from "../redis-tls.ts";

export type JobPlan =
  | { readonly kind: "succeeds"; readonly log: string }
  | { readonly kind: "fails"; readonly exitCode: number; readonly log: string; readonly reason?: string }
  | { readonly kind: "deadline" }
  | { readonly kind: "endless"; readonly log?: string }
  /** Its image cannot be pulled. */
  | { readonly kind: "stuck" };

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly backoffLimit: number;
    readonly activeDeadlineSeconds: number;
    readonly ttlSecondsAfterFinished: number;
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly restartPolicy: string;
        readonly containers: readonly Container[];
        readonly initContainers?: readonly Container[];
      };
    };
  };
}

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

export interface KubernetesServer extends ApiServer {
  readonly token: string;
  readonly ca: string;
  /** What Jobs of a namespace do; they succeed unless told. */
  plan(namespace: string, plan: JobPlan): void;
  /** Makes a Job without a call, as another process did. */
  put(namespace: string, manifest: Manifest): void;
  /** The Jobs that there are. */
  jobs(): readonly Manifest[];
  /** Told of each Job that a call makes, so that a test can do its work. */
  onMade(listener: (job: Manifest) => void): void;
  /** Every Job that was ever made by a call. */
  readonly made: readonly Manifest[];
  /** How the Jobs were removed: their propagation policies. */
  readonly removed: readonly string[];
  /** How many Jobs did what they are for. */
  effects(): number;
  /** Takes away a right, such as `delete jobs`. */
  deny(right: string): void;
  /** From now on this token is the valid one. */
  renewToken(token: string): void;
}

interface Stored {
  readonly namespace: string;
  readonly manifest: Manifest;
}

const key = readFileSync(fileURLToPath(new URL("../redis-tls/key.pem", import.meta.url)), "utf8");

export async function startKubernetes(secret: string): Promise<KubernetesServer> {
  const state: State = {
    token: "token-1",
    plans: new Map(),
    stored: new Map(),
    made: [],
    listeners: [],
    removed: [],
    denied: new Set(),
  };
  const server = await startApiServer({
    routes: routesOf(state),
    errorBody: statusBody,
    secret,
    tls: { cert: certificatePem, key },
  });
  return {
    ...server,
    token: state.token,
    ca: certificatePem,
    plan: (namespace, plan) => void state.plans.set(namespace, plan),
    put: (namespace, manifest) => store(state, namespace, manifest),
    jobs: () => [...state.stored.values()].map(({ manifest }) => manifest),
    onMade: (listener) => void state.listeners.push(listener),
    made: state.made,
    removed: state.removed,
    effects: () =>
      [...state.stored.values()].filter(({ namespace }) => planOf(state, namespace).kind === "succeeds")
        .length,
    deny: (right) => void state.denied.add(right),
    renewToken(token) {
      state.token = token;
    },
  };
}

interface State {
  token: string;
  readonly plans: Map<string, JobPlan>;
  readonly stored: Map<string, Stored>;
  readonly made: Manifest[];
  readonly listeners: ((job: Manifest) => void)[];
  readonly removed: string[];
  readonly denied: Set<string>;
}

const jobsPath = /^\/apis\/batch\/v1\/namespaces\/([^/]+)\/jobs$/;
const jobPath = /^\/apis\/batch\/v1\/namespaces\/([^/]+)\/jobs\/([^/]+)$/;
const podsPath = /^\/api\/v1\/namespaces\/([^/]+)\/pods$/;
const logPath = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/log$/;
const reviewsPath = /^\/apis\/authorization\.k8s\.io\/v1\/selfsubjectaccessreviews$/;

function routesOf(state: State): readonly Route[] {
  const guarded = (handle: Route["handle"]): Route["handle"] => {
    return (request) =>
      request.headers.authorization === `Bearer ${state.token}`
        ? handle(request)
        : { status: 401, body: statusBody(401, "Unauthorized") };
  };
  return [
    {
      name: "jobs.create",
      method: "POST",
      pattern: jobsPath,
      handle: guarded((call) => createJob(state, call)),
    },
    { name: "jobs.list", method: "GET", pattern: jobsPath, handle: guarded((call) => listJobs(state, call)) },
    { name: "jobs.get", method: "GET", pattern: jobPath, handle: guarded((call) => getJob(state, call)) },
    {
      name: "jobs.delete",
      method: "DELETE",
      pattern: jobPath,
      handle: guarded((call) => deleteJob(state, call)),
    },
    { name: "pods.list", method: "GET", pattern: podsPath, handle: guarded((call) => listPods(state, call)) },
    { name: "pods.log", method: "GET", pattern: logPath, handle: guarded((call) => podLog(state, call)) },
    { name: "review", method: "POST", pattern: reviewsPath, handle: guarded((call) => review(state, call)) },
  ];
}

function statusBody(code: number, message: string): object {
  return { kind: "Status", apiVersion: "v1", status: "Failure", message, code };
}

function store(state: State, namespace: string, manifest: Manifest): void {
  state.stored.set(`${namespace}/${manifest.metadata.name}`, { namespace, manifest });
}

function planOf(state: State, namespace: string): JobPlan {
  return state.plans.get(namespace) ?? { kind: "succeeds", log: "done" };
}

function createJob(state: State, { path, search, body }: ApiRequest): ApiReply {
  const [namespace = ""] = path;
  const manifest = body as Manifest;
  const { name } = manifest.metadata;
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) {
    return { status: 422, body: statusBody(422, `Job.batch "${name}" is invalid: metadata.name`) };
  }
  if (search.get("fieldValidation") === "Strict" && Object.hasOwn(manifest.spec.template, "sepc")) {
    const message = 'strict decoding error: unknown field "spec.template.sepc"';
    return { status: 400, body: statusBody(400, message) };
  }
  if (state.stored.has(`${namespace}/${name}`)) {
    const message = `jobs.batch "${name}" already exists`;
    return { status: 409, body: { ...statusBody(409, message), reason: "AlreadyExists" } };
  }
  if (search.get("dryRun") !== "All") {
    state.made.push(manifest);
    store(state, namespace, manifest);
    for (const listener of state.listeners) listener(manifest);
  }
  return { status: 201, body: manifest };
}

/** In pages of two, so that whoever lists has to turn them. */
function listJobs(state: State, { path, search }: ApiRequest): ApiReply {
  const [namespace = ""] = path;
  const wanted = (search.get("labelSelector") ?? "").split(",").map((term) => term.split("="));
  const found = [...state.stored.values()].filter(
    (job) =>
      job.namespace === namespace &&
      wanted.every(([label = "", value]) => job.manifest.metadata.labels[label] === value),
  );
  const from = Number(search.get("continue") ?? 0);
  const next = from + 2 < found.length ? { continue: String(from + 2) } : {};
  const items = found.slice(from, from + 2).map((job) => resourceOf(state, job));
  return { status: 200, body: { kind: "JobList", metadata: next, items } };
}

function getJob(state: State, { path }: ApiRequest): ApiReply {
  const found = state.stored.get(path.join("/"));
  if (found === undefined) return { status: 404, body: statusBody(404, `jobs.batch "${path[1]}" not found`) };
  return { status: 200, body: resourceOf(state, found) };
}

function resourceOf(state: State, { namespace, manifest }: Stored): object {
  return { ...manifest, status: statusOf(planOf(state, namespace)) };
}

function statusOf(plan: JobPlan): object {
  switch (plan.kind) {
    case "succeeds":
      return { succeeded: 1, conditions: [{ type: "Complete", status: "True" }] };
    case "fails":
      return { failed: 1, conditions: [{ type: "Failed", status: "True", reason: "BackoffLimitExceeded" }] };
    case "deadline":
      return { failed: 1, conditions: [{ type: "Failed", status: "True", reason: "DeadlineExceeded" }] };
    case "endless":
    case "stuck":
      return { active: 1, conditions: [{ type: "Suspended", status: "False" }] };
  }
}

function deleteJob(state: State, { path, body }: ApiRequest): ApiReply {
  if (!state.stored.delete(path.join("/"))) return { status: 404, body: statusBody(404, "not found") };
  state.removed.push(String((body as { readonly propagationPolicy?: string }).propagationPolicy));
  return { status: 200, body: { kind: "Status", status: "Success" } };
}

function listPods(state: State, { path, search }: ApiRequest): ApiReply {
  const [namespace = ""] = path;
  const job = state.stored.get(`${namespace}/${search.get("labelSelector")?.replace("job-name=", "")}`);
  return { status: 200, body: { kind: "PodList", items: job === undefined ? [] : podsOf(state, job) } };
}

function podsOf(state: State, { namespace, manifest }: Stored): readonly object[] {
  const plan = planOf(state, namespace);
  const { containers } = manifest.spec.template.spec;
  const name = containers[0]?.name ?? "";
  const statusOfPlan = (): object => {
    if (plan.kind === "fails")
      return { terminated: { exitCode: plan.exitCode, reason: plan.reason ?? "Error" } };
    if (plan.kind === "stuck")
      return { waiting: { reason: "ImagePullBackOff", message: 'Back-off pulling image "fill:1"' } };
    return plan.kind === "succeeds" ? { terminated: { exitCode: 0 } } : { running: {} };
  };
  const pod = (suffix: string, creationTimestamp: string, state: object) => ({
    metadata: { name: `${manifest.metadata.name}-${suffix}`, creationTimestamp },
    spec: { containers },
    status: { containerStatuses: [{ name, state }] },
  });
  return [pod("new", "2024-01-02T00:00:00Z", statusOfPlan()), pod("old", "2024-01-01T00:00:00Z", {})];
}

function podLog(state: State, { path, search }: ApiRequest): ApiReply {
  const [namespace = "", pod = ""] = path;
  const plan = planOf(state, namespace);
  const log = "log" in plan ? (plan.log ?? "") : "";
  const text = `${pod.replace(/.*-/, "")}/${search.get("container")}: ${log}\n`;
  return text.slice(0, Number(search.get("limitBytes")));
}

function review(state: State, { body }: ApiRequest): ApiReply {
  const { resourceAttributes } = (
    body as { readonly spec: { readonly resourceAttributes: Readonly<Record<string, string>> } }
  ).spec;
  const { verb, resource, subresource } = resourceAttributes;
  const right = `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}`;
  return { status: 201, body: { status: { allowed: !state.denied.has(right) } } };
}
