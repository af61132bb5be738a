import { z } from "zod";
import type { KubernetesJobAction } from "../../core/repair-action.ts";
import type { Launch, RunRequest, RunResult } from "../../reconcile/ports/executor.ts";
import { ApiCallError, callApi } from "./api-call.ts";
import { type KubernetesAccess, kubernetesAccess } from "./kubernetes-access.ts";
import { jobMetadata, jobNameOf, manifestOf, runOf, selectorOf } from "./kubernetes-manifest.ts";
import { failureOf, lastPodOf, readPodLog, stuckOf } from "./kubernetes-pods.ts";
import {
  followRemoteRun,
  type RemoteOptions,
  type RemoteRun,
  type RemoteRuns,
  type RemoteState,
} from "./remote-run.ts";
import { readRunPages } from "./run-pages.ts";

const listPageSize = "100";

const job = z.object({
  metadata: jobMetadata,
  status: z
    .object({
      active: z.number().optional(),
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().optional(),
            message: z.string().optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});
type Job = z.infer<typeof job>;

const jobList = z.object({
  metadata: z.object({ continue: z.string().optional() }).optional(),
  items: z.array(job),
});

const anyAnswer = z.looseObject({});

/** Runs a repair as a Kubernetes Job and waits for its end. */
export async function runKubernetesJob(
  options: RemoteOptions,
  action: KubernetesJobAction,
  request: RunRequest,
): Promise<RunResult> {
  try {
    const access = await kubernetesAccess(action, options);
    return await followRemoteRun(jobsOf(access, action, request), request, options);
  } catch (error) {
    if (error instanceof ApiCallError) return error.failure;
    throw error;
  }
}

/** Where a person finds the Job of a run. */
export function kubernetesHandle({ namespace }: KubernetesJobAction, launch: Launch): string {
  const place = namespace === null ? "" : `namespaces/${namespace}/`;
  return `${place}jobs/${jobNameOf(launch)}`;
}

function jobsOf(access: KubernetesAccess, action: KubernetesJobAction, request: RunRequest): RemoteRuns {
  const { api, namespace } = access;
  const name = jobNameOf(request);
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  const get = (id: string, signal: AbortSignal): Promise<Job | null> =>
    unlessGone(callApi(api, { method: "GET", path: `${path}/${id}` }, job, signal));
  return {
    what: `Job ${namespace}/${name}`,
    intervalMs: action.intervalMs,
    unfinished: (signal) => unfinishedJobs(access, path, request, signal),
    async start(signal) {
      const body = manifestOf(action, request, request.timeoutMs);
      // Strict: a misspelt field of the pod template is an error now and not a surprise later.
      const call = { method: "POST", path, query: { fieldValidation: "Strict" }, body } as const;
      return (await callApi(api, call, job, signal)).metadata.name;
    },
    async find(signal) {
      const found = await get(name, signal);
      const isOurs = found !== null && runOf(found.metadata, request)?.repairId === request.repairId;
      return isOurs ? name : null;
    },
    async look(id, signal) {
      const found = await get(id, signal);
      return found === null ? { kind: "gone" } : stateOf(access, action, found, signal);
    },
    async stop(id, signal) {
      const body = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Foreground" };
      await unlessGone(callApi(api, { method: "DELETE", path: `${path}/${id}`, body }, anyAnswer, signal));
    },
    async readLog(id, log, signal) {
      try {
        const pod = await lastPodOf(access, id, signal);
        if (pod !== null) await readPodLog(access, pod, log, signal);
        return stuckOf(pod);
      } catch (error) {
        if (!(error instanceof ApiCallError)) throw error;
        log.append(Buffer.from(`gap-reconciler: the pods could not be listed: ${error.message}\n`));
        return null;
      }
    },
  };
}

/** Null for 404. */
async function unlessGone<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ApiCallError && error.status === 404) return null;
    throw error;
  }
}

async function unfinishedJobs(
  { api }: KubernetesAccess,
  path: string,
  request: RunRequest,
  signal: AbortSignal,
): Promise<readonly RemoteRun[]> {
  const query = { labelSelector: selectorOf(request), limit: listPageSize };
  return readRunPages(path, async (next) => {
    const parameters = next === undefined ? query : { ...query, continue: next };
    const list = await callApi(api, { method: "GET", path, query: parameters }, jobList, signal);
    const unfinished = list.items.filter((item) => endOf(item) === null);
    const items = unfinished.flatMap(({ metadata }) => runOf(metadata, request) ?? []);
    return { items, next: list.metadata?.continue };
  });
}

type Condition = NonNullable<NonNullable<Job["status"]>["conditions"]>[number];

/** How a Job ended; null while it goes on. */
function endOf({ status }: Job): Condition | null {
  const isEnd = ({ type, status: holds }: Condition): boolean =>
    (type === "Complete" || type === "Failed") && holds === "True";
  return status?.conditions?.find(isEnd) ?? null;
}

async function stateOf(
  access: KubernetesAccess,
  { exitCodes }: KubernetesJobAction,
  found: Job,
  signal: AbortSignal,
): Promise<RemoteState> {
  const end = endOf(found);
  const who = `Job ${access.namespace}/${found.metadata.name}`;
  if (end === null) return { kind: "running", detail: `${found.status?.active ?? 0} pods at work` };
  if (end.type === "Complete") return { kind: "succeeded" };
  if (end.reason === "DeadlineExceeded") {
    return { kind: "timed_out", message: `${who} reached its time limit and was ended by Kubernetes` };
  }
  // Without its pods, what the Job says is all that can be told.
  const pod = await lastPodOf(access, found.metadata.name, signal).catch(() => null);
  const reason = [end.reason, end.message].filter((part) => part !== undefined).join(": ");
  return { kind: "failed", failure: failureOf(pod, exitCodes, who, reason) };
}
