import { z } from "zod";
import type { ExitCodes } from "../../core/repair-action.ts";
import { ApiCallError, callApi, callApiForText } from "./api-call.ts";
import { judgeExitCode } from "./exit-code.ts";
import type { KubernetesAccess } from "./kubernetes-access.ts";
import type { LogTail } from "./log-tail.ts";
import { type Failure, retryable } from "./run-result.ts";

/** More than the ledger keeps; the log of a pod may be gigabytes. */
const logLines = 200;
const logBytesMax = 256 * 1024;

const containerStatus = z.object({
  name: z.string(),
  state: z
    .object({
      waiting: z.object({ reason: z.string().optional(), message: z.string().optional() }).optional(),
      terminated: z
        .object({
          exitCode: z.number(),
          reason: z.string().optional(),
          message: z.string().optional(),
        })
        .optional(),
    })
    .optional(),
});

const podList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), creationTimestamp: z.string().optional() }),
      spec: z.object({ containers: z.array(z.object({ name: z.string() })) }),
      status: z
        .object({
          phase: z.string().optional(),
          reason: z.string().optional(),
          message: z.string().optional(),
          conditions: z
            .array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() }))
            .optional(),
          initContainerStatuses: z.array(containerStatus).optional(),
          containerStatuses: z.array(containerStatus).optional(),
        })
        .optional(),
    }),
  ),
});

type Pod = z.infer<typeof podList>["items"][number];
type ContainerStatus = z.infer<typeof containerStatus>;

/** The last pod of a Job; null where it has none. @throws ApiCallError */
export async function lastPodOf(
  { api, namespace }: KubernetesAccess,
  job: string,
  signal: AbortSignal,
): Promise<Pod | null> {
  const call = {
    method: "GET",
    path: `/api/v1/namespaces/${namespace}/pods`,
    query: { labelSelector: `job-name=${job}`, limit: "20" },
  } as const;
  const { items } = await callApi(api, call, podList, signal);
  const createdAt = ({ metadata }: Pod): string => metadata.creationTimestamp ?? "";
  return items.toSorted((a, b) => (createdAt(a) < createdAt(b) ? -1 : 1)).at(-1) ?? null;
}

/** Why a Job failed, by what its pod says; `who` names the Job, and `reason` is what the Job itself says. */
export function failureOf(pod: Pod | null, exitCodes: ExitCodes, who: string, reason: string): Failure {
  const culprit = pod === null ? undefined : statusesOf(pod).find(hasFailed);
  const ended = culprit?.state?.terminated;
  if (culprit === undefined || ended === undefined) {
    const why = [reason, pod?.status?.reason, pod?.status?.message].filter((part) => part !== undefined);
    return retryable("job_failed", `${who} failed: ${why.join(", ")}`, null);
  }
  const failure = judgeExitCode(ended.exitCode, exitCodes, `${who}, container ${culprit.name},`, null);
  const why = ended.reason === undefined || ended.reason === "Error" ? "" : ` (${ended.reason})`;
  return { ...failure, message: `${failure.message}${why}` };
}

/** Why a pod does not get on, such as an image that cannot be pulled; null where it is at work. */
export function stuckOf(pod: Pod | null): string | null {
  if (pod === null) return "no pod was made for it";
  const waiting = statusesOf(pod).find(({ state }) => state?.waiting !== undefined);
  const { reason, message } = waiting?.state?.waiting ?? {};
  if (waiting !== undefined && reason !== "PodInitializing") {
    return `container ${waiting.name} waits: ${[reason, message].filter(Boolean).join(", ")}`;
  }
  const unscheduled = pod.status?.conditions?.find(
    ({ type, status }) => type === "PodScheduled" && status === "False",
  );
  return unscheduled === undefined
    ? null
    : `its pod finds no node: ${unscheduled.message ?? "no reason told"}`;
}

/** Puts the end of the log of the container that failed, or of the first one, into `log`. */
export async function readPodLog(
  { api, namespace }: KubernetesAccess,
  pod: Pod,
  log: LogTail,
  signal: AbortSignal,
): Promise<void> {
  const container = statusesOf(pod).find(hasFailed)?.name ?? pod.spec.containers[0]?.name ?? "";
  const call = {
    method: "GET",
    path: `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}/log`,
    query: { container, tailLines: String(logLines), limitBytes: String(logBytesMax) },
  } as const;
  try {
    log.append(Buffer.from(await callApiForText(api, call, signal)));
  } catch (error) {
    if (!(error instanceof ApiCallError)) throw error;
    log.append(Buffer.from(`gap-reconciler: the log of the pod could not be read: ${error.message}\n`));
  }
}

/** Those that run first stand first, as they end a pod first. */
function statusesOf({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

function hasFailed({ state }: ContainerStatus): boolean {
  return (state?.terminated?.exitCode ?? 0) !== 0;
}
