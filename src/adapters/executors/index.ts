import { assertNever, messageOf, ReconcilerError } from "../../errors.ts";
import { redact } from "../../core/redact.ts";
import type { Clock, Warehouse } from "../../reconcile/ports.ts";
import type {
  Executor,
  Launch,
  LaunchProblem,
  RunRequest,
  RunResult,
} from "../../reconcile/ports/executor.ts";
import { checkCloudRunJob } from "./cloud-run-check.ts";
import { jobPathOf, runCloudRunJob } from "./cloud-run-job.ts";
import { runCommand } from "./command.ts";
import { runHttp } from "./http.ts";
import { checkKubernetesJob } from "./kubernetes-check.ts";
import { kubernetesHandle, runKubernetesJob } from "./kubernetes-job.ts";
import { checkTopic, publishMessage, topicPathOf } from "./pubsub.ts";
import { permanent, retryable } from "./run-result.ts";
import { runSql } from "./sql.ts";

export interface ExecutorsOptions {
  readonly warehouse: Pick<Warehouse, "released" | "replaceDates">;
  /** Every secret value of the config; none of them appears in a result. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
  /** How long a command has between SIGTERM and SIGKILL; `commandGraceMs` unless given. */
  readonly graceMs?: number;
}

/** A lock that is lost may be another's 5 s after its holder was told: by then the command has to be gone, whatever it ignores. */
export const commandGraceMs = 4_000;
const checkLimitMs = 30_000;

/** The executor of every kind of repair. */
export function createExecutors(options: ExecutorsOptions): Executor {
  const complete = { graceMs: commandGraceMs, ...options };
  return {
    async run(request) {
      if (request.signal.aborted) return { kind: "cancelled", logTail: null };
      try {
        return await dispatch(complete, request);
      } catch (error) {
        const message = redact(messageOf(error), options.secrets);
        if (error instanceof ReconcilerError && error.code === "repair_contract") {
          return permanent(error.code, message, null);
        }
        return retryable("internal", message, null);
      }
    },
    handleOf,
    async check(launch) {
      try {
        return await checkLaunch(complete, launch);
      } catch (error) {
        const message = redact(messageOf(error), options.secrets);
        return [{ level: "error", message, hint: null }];
      }
    },
  };
}

function dispatch(options: Required<ExecutorsOptions>, request: RunRequest): Promise<RunResult> {
  const { action } = request;
  switch (action.kind) {
    case "command":
      return runCommand(options, action, request);
    case "http":
      return runHttp(options, action, request);
    case "sql":
      return runSql(options, action, request);
    case "kubernetes_job":
      return runKubernetesJob(options, action, request);
    case "cloud_run_job":
      return runCloudRunJob(options, action, request);
    case "pubsub":
      return publishMessage(options, action, request);
    default:
      return assertNever(action, "kind of repair");
  }
}

function handleOf(launch: Launch): string | null {
  const { action } = launch;
  switch (action.kind) {
    // They end with this process.
    case "command":
    case "sql":
      return null;
    // Only the answer says what it is called there.
    case "http":
      return null;
    case "kubernetes_job":
      return kubernetesHandle(action, launch);
    case "cloud_run_job":
      return jobPathOf(action, launch);
    case "pubsub":
      return topicPathOf(action, launch);
    default:
      return assertNever(action, "kind of repair");
  }
}

/** What needs the warehouse or this machine to be checked is checked by who has them. */
async function checkLaunch(
  options: Required<ExecutorsOptions>,
  launch: Launch,
): Promise<readonly LaunchProblem[]> {
  const { action } = launch;
  const signal = AbortSignal.timeout(checkLimitMs);
  switch (action.kind) {
    case "command":
    case "sql":
    case "http":
      return [];
    case "kubernetes_job":
      return checkKubernetesJob(options, action, launch, signal);
    case "cloud_run_job":
      return checkCloudRunJob(options, action, launch, signal);
    case "pubsub":
      return checkTopic(options, action, launch, signal);
    default:
      return assertNever(action, "kind of repair");
  }
}
