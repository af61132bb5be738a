import { z } from "zod";
import type { KubernetesJobAction } from "../../core/repair-action.ts";
import type { Launch, LaunchProblem } from "../../reconcile/ports/executor.ts";
import { ApiCallError, callApi } from "./api-call.ts";
import { type KubernetesAccess, kubernetesAccess } from "./kubernetes-access.ts";
import { manifestOf } from "./kubernetes-manifest.ts";
import type { RemoteOptions } from "./remote-run.ts";

interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
}

/** What a run takes beside making its Job, which is tried. */
const rights: readonly Right[] = [
  { verb: "get", group: "batch", resource: "jobs" },
  { verb: "list", group: "batch", resource: "jobs" },
  { verb: "delete", group: "batch", resource: "jobs" },
  { verb: "list", group: "", resource: "pods" },
  { verb: "get", group: "", resource: "pods", subresource: "log" },
];

const review = z.object({ status: z.object({ allowed: z.boolean() }) });
const anyAnswer = z.looseObject({});
const sampleTimeoutMs = 60_000;

/** Whether the cluster would take the Job, and lets this process follow and end it. @throws ApiCallError */
export async function checkKubernetesJob(
  options: RemoteOptions,
  action: KubernetesJobAction,
  launch: Launch,
  signal: AbortSignal,
): Promise<readonly LaunchProblem[]> {
  const access = await accessOrNull(action, options);
  if (access === null) return [outside];
  const refused = await tryJob(access, action, launch, signal);
  const missing: LaunchProblem[] = [];
  for (const right of rights) {
    if (await isAllowed(access, right, signal)) continue;
    const { verb, resource, subresource } = right;
    const name = subresource === undefined ? resource : `${resource}/${subresource}`;
    missing.push({
      level: "error",
      message: `no right to ${verb} ${name} in namespace ${access.namespace}`,
      hint: "add it to the Role of this process's service account; docs/executors.md has the whole Role",
    });
  }
  return [...(refused === null ? [] : [refused]), ...missing];
}

const outside: LaunchProblem = {
  level: "warning",
  message: "it was not checked, as this process runs outside of the cluster whose Jobs they are",
  hint: "check it from a pod of the cluster, or name the cluster with api_server",
};

/** Null where only a pod of the cluster could ask. */
async function accessOrNull(
  action: KubernetesJobAction,
  options: RemoteOptions,
): Promise<KubernetesAccess | null> {
  try {
    return await kubernetesAccess(action, options);
  } catch (error) {
    if (error instanceof ApiCallError && error.failure.errorCode === "not_in_cluster") return null;
    throw error;
  }
}

/** The API server checks a Job with everything that it has, quotas and admission included, and makes none. */
async function tryJob(
  { api, namespace }: KubernetesAccess,
  action: KubernetesJobAction,
  launch: Launch,
  signal: AbortSignal,
): Promise<LaunchProblem | null> {
  const call = {
    method: "POST",
    path: `/apis/batch/v1/namespaces/${namespace}/jobs`,
    query: { dryRun: "All", fieldValidation: "Strict" },
    body: manifestOf(action, launch, sampleTimeoutMs),
  } as const;
  try {
    await callApi(api, call, anyAnswer, signal);
    return null;
  } catch (error) {
    if (!(error instanceof ApiCallError) || error.status === null || error.status >= 500) throw error;
    return { level: "error", message: error.message, hint: null };
  }
}

async function isAllowed(
  { api, namespace }: KubernetesAccess,
  right: Right,
  signal: AbortSignal,
): Promise<boolean> {
  const call = {
    method: "POST",
    path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    body: {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { namespace, ...right } },
    },
  } as const;
  return (await callApi(api, call, review, signal)).status.allowed;
}
