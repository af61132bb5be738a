import { z } from "zod";
import type { ExitCodes } from "../../core/repair-action.ts";
import type { Launch } from "../../reconcile/ports/executor.ts";
import { judgeExitCode } from "./exit-code.ts";
import type { RemoteRun, RemoteState } from "./remote-run.ts";
import { retryable } from "./run-result.ts";
import { childVariables } from "./variables.ts";

/** What is read of an execution as Cloud Run Admin API v2 tells it. */
export const execution = z.object({
  /** `projects/P/locations/L/jobs/J/executions/E`. */
  name: z.string(),
  completionTime: z.string().optional(),
  runningCount: z.number().optional(),
  succeededCount: z.number().optional(),
  failedCount: z.number().optional(),
  cancelledCount: z.number().optional(),
  retriedCount: z.number().optional(),
  logUri: z.string().optional(),
  conditions: z
    .array(
      z.object({
        type: z.string(),
        state: z.string().optional(),
        message: z.string().optional(),
      }),
    )
    .optional(),
  template: z
    .object({
      containers: z
        .array(
          z.object({
            env: z.array(z.object({ name: z.string(), value: z.string().optional() })).optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});
export type Execution = z.infer<typeof execution>;

export const executionList = z.object({
  executions: z.array(execution).optional(),
  nextPageToken: z.string().optional(),
});

export const taskList = z.object({
  tasks: z
    .array(
      z.object({
        lastAttemptResult: z
          .object({
            exitCode: z.number().optional(),
            status: z.object({ message: z.string().optional() }).optional(),
          })
          .optional(),
      }),
    )
    .optional(),
});
type Tasks = NonNullable<z.infer<typeof taskList>["tasks"]>;

/** The answer to `run`: an operation that names the execution which it made. */
export const runOperation = z.object({ metadata: z.object({ name: z.string() }) });

/**
 * The run that an execution is, by the environment that it was given: an execution's name is Google's to choose, and the
 * environment is the only thing of ours that it keeps. Null where it is none of this repair's.
 */
export function runOf({ name, template }: Execution, launch: Launch): RemoteRun | null {
  const own = childVariables(launch);
  for (const { env = [] } of template?.containers ?? []) {
    const told = new Map(env.map((entry) => [entry.name, entry.value ?? ""]));
    const isSame = (variable: string): boolean => told.get(variable) === own[variable];
    if (!isSame("GAP_RECONCILER_PIPELINE") || !isSame("GAP_RECONCILER_PROCESSOR")) continue;
    return {
      id: name,
      repairId: told.get("GAP_RECONCILER_REPAIR_ID") ?? "",
      token: Number(told.get("GAP_RECONCILER_FENCING_TOKEN")),
      dates: (told.get("GAP_RECONCILER_DATES") ?? "").split(","),
    };
  }
  return null;
}

export function isOver({ completionTime }: Execution): boolean {
  return completionTime !== undefined;
}

/** How far an execution is; `tasks` are needed of a failed one alone, and may be empty where they cannot be had. */
export function stateOf(
  found: Execution,
  exitCodes: ExitCodes,
  tasks: Tasks,
): Exclude<RemoteState, { kind: "gone" }> {
  if (!isOver(found)) {
    const { runningCount = 0, retriedCount = 0 } = found;
    return { kind: "running", detail: `${runningCount} tasks at work, ${retriedCount} tried again` };
  }
  const completed = found.conditions?.find(({ type }) => type === "Completed");
  if (completed?.state === "CONDITION_SUCCEEDED") return { kind: "succeeded" };
  const who = `Cloud Run execution ${shortName(found.name)}`;
  if ((found.cancelledCount ?? 0) > 0) {
    const message = `${who} was cancelled by somebody`;
    return { kind: "failed", failure: retryable("run_cancelled", message, null) };
  }
  const results = tasks.flatMap(({ lastAttemptResult }) => lastAttemptResult ?? []);
  const code = results.find(({ exitCode = 0 }) => exitCode !== 0)?.exitCode;
  if (code !== undefined) return { kind: "failed", failure: judgeExitCode(code, exitCodes, who, null) };
  const why = results.find(({ status }) => status?.message !== undefined)?.status?.message;
  const message = `${who} failed: ${why ?? completed?.message ?? "Cloud Run does not say why"}`;
  return { kind: "failed", failure: retryable("job_failed", message, null) };
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
