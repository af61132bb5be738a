/** A local Cloud Run Admin API v2 for tests: jobs that exist are run, and their executions do what the plan for their job says. */
import { type ApiReply, type ApiRequest, type ApiServer, type Route, startApiServer } from "../api-server.ts";
import { googleErrorBody } from "../google-errors.ts";

export type ExecutionPlan =
  | { readonly kind: "succeeds" }
  | { readonly kind: "fails"; readonly exitCode: number }
  | { readonly kind: "endless" };

export interface Overrides {
  readonly containerOverrides: readonly [
    {
      readonly name?: string;
      readonly args?: readonly string[];
      readonly env: readonly { readonly name: string; readonly value: string }[];
    },
  ];
  readonly timeout: string;
}

export interface CloudRunServer extends ApiServer {
  /** What executions of a job do; they succeed unless told. */
  plan(job: string, plan: ExecutionPlan): void;
  /** Runs a job without a call, as another process did. */
  put(job: string, overrides: Overrides): string;
  /** What the jobs were run with by calls. */
  readonly ran: readonly Overrides[];
  /** How many executions did what they are for. */
  effects(): number;
  /** How many executions are under way. */
  underWay(): number;
  /** How many were cancelled. */
  cancelled(): number;
  /** Cancels what is under way, as a person does. */
  cancelAll(): void;
  /** Another shape of every job, for checks. */
  shape(template: object): void;
  /** Takes away a permission, such as `run.jobs.run`. */
  deny(permission: string): void;
}

interface Execution {
  readonly name: string;
  readonly job: string;
  readonly overrides: Overrides;
  isCancelled: boolean;
}

interface State {
  readonly plans: Map<string, ExecutionPlan>;
  readonly executions: Execution[];
  readonly ran: Overrides[];
  readonly denied: Set<string>;
  template: object;
}

const parent = "^/v2/(projects/[^/]+/locations/[^/]+/jobs/[^/:]+)";

export async function startCloudRun(secret: string): Promise<CloudRunServer> {
  const state: State = {
    plans: new Map(),
    executions: [],
    ran: [],
    denied: new Set(),
    template: { maxRetries: 0, containers: [{ image: "fill" }] },
  };
  const server = await startApiServer({ routes: routesOf(state), errorBody: googleErrorBody, secret });
  const count = (kind: string): number =>
    state.executions.filter((one) => kindOf(state, one) === kind).length;
  return {
    ...server,
    plan: (job, plan) => void state.plans.set(job, plan),
    put: (job, overrides) => start(state, `projects/p/locations/us-west2/jobs/${job}`, overrides).name,
    ran: state.ran,
    effects: () => count("succeeds"),
    underWay: () => count("endless"),
    cancelled: () => count("cancelled"),
    cancelAll() {
      for (const one of state.executions) one.isCancelled ||= kindOf(state, one) === "endless";
    },
    shape(template) {
      state.template = template;
    },
    deny: (permission) => void state.denied.add(permission),
  };
}

function routesOf(state: State): readonly Route[] {
  const route = (
    name: string,
    method: string,
    rest: string,
    handle: (request: ApiRequest, path: readonly string[]) => ApiReply,
  ): Route => ({
    name,
    method,
    pattern: new RegExp(`${parent}${rest}$`),
    handle: (request) => handle(request, request.path),
  });
  return [
    route("jobs.get", "GET", "", () => ok({ template: { template: state.template } })),
    route("jobs.run", "POST", ":run", ({ body }, [job = ""]) => {
      const { overrides } = body as { readonly overrides: Overrides };
      state.ran.push(overrides);
      const { name } = start(state, job, overrides);
      const operation = `${name.replace(/jobs\/.*/, "")}operations/op-${state.executions.length}`;
      return ok({ name: operation, metadata: { name }, done: false });
    }),
    route("jobs.testIamPermissions", "POST", ":testIamPermissions", ({ body }) => {
      const { permissions } = body as { readonly permissions: readonly string[] };
      return ok({ permissions: permissions.filter((one) => !state.denied.has(one)) });
    }),
    route("executions.list", "GET", "/executions", ({ search }, [job = ""]) => listed(state, job, search)),
    route("executions.get", "GET", "/executions/([^/:]+)", (_request, path) => {
      const found = executionAt(state, path);
      return found === undefined
        ? { status: 404, body: googleErrorBody(404, "no such execution") }
        : ok(resourceOf(state, found));
    }),
    route("executions.cancel", "POST", "/executions/([^/:]+):cancel", (_request, path) => {
      const found = executionAt(state, path);
      if (found === undefined) return { status: 404, body: googleErrorBody(404, "no such execution") };
      if (kindOf(state, found) !== "endless")
        return { status: 400, body: googleErrorBody(400, "it is over") };
      found.isCancelled = true;
      return ok({});
    }),
    route("tasks.list", "GET", "/executions/([^/:]+)/tasks", (_request, [job = ""]) => {
      const plan = state.plans.get(shortName(job));
      const exitCode = plan?.kind === "fails" ? plan.exitCode : 0;
      return ok({ tasks: [{ lastAttemptResult: { exitCode } }] });
    }),
  ];
}

function ok(body: object): ApiReply {
  return { status: 200, body };
}

function start(state: State, job: string, overrides: Overrides): Execution {
  const name = `${job}/executions/${shortName(job)}-${state.executions.length + 1}`;
  const execution = { name, job, overrides, isCancelled: false };
  state.executions.push(execution);
  return execution;
}

/** In pages of two, newest first, so that whoever lists has to turn them. */
function listed(state: State, job: string, search: URLSearchParams): ApiReply {
  const found = state.executions.filter((one) => one.job === job).toReversed();
  const from = Number(search.get("pageToken") ?? 0);
  const next = from + 2 < found.length ? { nextPageToken: String(from + 2) } : {};
  const executions = found.slice(from, from + 2).map((one) => resourceOf(state, one));
  return ok({ ...(executions.length === 0 ? {} : { executions }), ...next });
}

function executionAt({ executions }: State, [job, name]: readonly string[]): Execution | undefined {
  return executions.find((one) => one.name === `${job}/executions/${name}`);
}

function kindOf({ plans }: State, { job, isCancelled }: Execution): ExecutionPlan["kind"] | "cancelled" {
  return isCancelled ? "cancelled" : (plans.get(shortName(job))?.kind ?? "succeeds");
}

/** Zero counts are left out, as Google's JSON does. */
function resourceOf(state: State, execution: Execution): object {
  const kind = kindOf(state, execution);
  const { name, overrides } = execution;
  const over = { completionTime: "2024-01-01T00:01:00Z" };
  const counts = {
    succeeds: { ...over, succeededCount: 1, conditions: [condition("CONDITION_SUCCEEDED")] },
    fails: { ...over, failedCount: 1, conditions: [condition("CONDITION_FAILED")] },
    cancelled: { ...over, cancelledCount: 1, conditions: [condition("CONDITION_FAILED")] },
    endless: { runningCount: 1, conditions: [condition("CONDITION_RECONCILING")] },
  };
  return {
    name,
    createTime: "2024-01-01T00:00:00Z",
    template: { containers: overrides.containerOverrides.map(({ env }) => ({ image: "fill", env })) },
    logUri: `https://console.cloud.google.com/logs/${shortName(name)}`,
    ...counts[kind],
  };
}

function condition(state: string): object {
  return { type: "Completed", state };
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
