import { z } from "zod";
import type { CloudRunJobAction } from "../../core/repair-action.ts";
import type { Launch, LaunchProblem } from "../../reconcile/ports/executor.ts";
import { callApi } from "./api-call.ts";
import { jobPathOf } from "./cloud-run-job.ts";
import { googleApi } from "./google-api.ts";
import type { RemoteOptions } from "./remote-run.ts";

const permissionsToRun = ["run.jobs.run", "run.jobs.runWithOverrides"] as const;

const job = z.object({
  template: z
    .object({
      template: z
        .object({
          maxRetries: z.number().optional(),
          containers: z.array(z.object({ name: z.string().optional() })).optional(),
        })
        .optional(),
    })
    .optional(),
});
const granted = z.object({ permissions: z.array(z.string()).optional() });
const anyAnswer = z.looseObject({});

/** Whether the job is there, and may be run and followed by this process. @throws ApiCallError */
export async function checkCloudRunJob(
  options: RemoteOptions,
  action: CloudRunJobAction,
  launch: Launch,
  signal: AbortSignal,
): Promise<readonly LaunchProblem[]> {
  const api = googleApi(`${action.apiEndpoint}/v2`, options);
  const path = jobPathOf(action, launch);
  const { template } = await callApi(api, { method: "GET", path: `/${path}` }, job, signal);
  // What a run needs beside its start: to find its executions, and to see how they end.
  const executions = { method: "GET", path: `/${path}/executions`, query: { pageSize: "1" } } as const;
  await callApi(api, executions, anyAnswer, signal);
  const body = { permissions: permissionsToRun };
  const asked = { method: "POST", path: `/${path}:testIamPermissions`, body } as const;
  const { permissions = [] } = await callApi(api, asked, granted, signal);
  const missing = permissionsToRun.filter((permission) => !permissions.includes(permission));
  const { containers = [], maxRetries } = template?.template ?? {};
  return [
    ...missing.map((permission) => missingPermission(permission, path)),
    ...containerProblems(action, containers, path),
    ...(maxRetries === 0 ? [] : [retriesOf(maxRetries, path)]),
  ];
}

function missingPermission(permission: string, path: string): LaunchProblem {
  const message = `no permission ${permission} on ${path}`;
  const hint = "grant roles/run.jobsExecutorWithOverrides on the job to the account of this process";
  return { level: "error", message, hint };
}

function containerProblems(
  { container }: CloudRunJobAction,
  containers: readonly { readonly name?: string | undefined }[],
  path: string,
): readonly LaunchProblem[] {
  const names = containers.flatMap(({ name }) => name ?? []);
  if (container === null && containers.length > 1) {
    const message = `${path} has several containers: ${names.join(", ")}`;
    return [{ level: "error", message, hint: "say with `container` which one is given the dates" }];
  }
  if (container === null || names.includes(container)) return [];
  const message = `${path} has no container ${container}`;
  const hint =
    names.length === 0 ? "remove `container`: its only one has no name" : `it has ${names.join(", ")}`;
  return [{ level: "error", message, hint }];
}

/** A missing number is the default of Cloud Run, 3. */
function retriesOf(maxRetries: number | undefined, path: string): LaunchProblem {
  const message = `${path} tries a failed task ${maxRetries ?? 3} more times by itself`;
  const hint = "attempts are counted here, with backoff: set --max-retries 0 on the job";
  return { level: "warning", message, hint };
}
