import { assertNever, messageOf, ReconcilerError } from "../../errors.ts";
import { redact } from "../../core/redact.ts";
import type { Clock, Executor, RunRequest, RunResult, Warehouse } from "../../reconcile/ports.ts";
import { runCommand } from "./command.ts";
import { runHttp } from "./http.ts";
import { permanent, retryable } from "./run-result.ts";
import { runSql } from "./sql.ts";

export interface ExecutorsOptions {
  readonly warehouse: Pick<Warehouse, "released" | "replaceDates">;
  /** Every secret value of the config; none of them appears in a result. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
  /** How long a command has between SIGTERM and SIGKILL. */
  readonly graceMs?: number;
}

const defaultGraceMs = 5_000;

/** The executor of every kind of repair. */
export function createExecutors(options: ExecutorsOptions): Executor {
  const complete = { graceMs: defaultGraceMs, ...options };
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
    default:
      return assertNever(action, "kind of repair");
  }
}
