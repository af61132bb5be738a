import type { RefusedDate } from "../../core/audit.ts";
import type { SystemicCause } from "../../core/ledger-records.ts";
import type { SqlAction } from "../../core/repair-action.ts";
import { messageOf, ReconcilerError } from "../../errors.ts";
import { redact } from "../../core/redact.ts";
import type { Warehouse } from "../../reconcile/ports.ts";
import type { RunRequest, RunResult } from "../../reconcile/ports/executor.ts";
import { QueryError } from "../sql/query-error.ts";
import { deadlineOf } from "./deadline.ts";
import { createLogTail } from "./log-tail.ts";
import { permanent, retryable, systemic } from "./run-result.ts";

export interface SqlOptions {
  readonly warehouse: Pick<Warehouse, "replaceDates">;
  readonly secrets: readonly string[];
}

/** What would meet the repair of any date. */
const systemicCauses: ReadonlyMap<string, SystemicCause> = new Map([
  ["warehouse_credentials", "authentication"],
  ["warehouse_permission", "authentication"],
  ["warehouse_quota", "quota"],
  ["warehouse_unavailable", "connection_refused"],
]);

/** How long the warehouse may take to stop a statement before the run is reported without it. */
const stopSlackMs = 3_000;

/** Replaces the dates by what the SELECT returns for them, in one transaction of the warehouse. */
export async function runSql(
  options: SqlOptions,
  action: SqlAction,
  request: RunRequest,
): Promise<RunResult> {
  const processor = request.processors[0];
  if (processor === undefined) {
    throw new ReconcilerError("internal", `expected a processor to repair with ${action.file}, found none`);
  }
  const deadline = deadlineOf(request);
  const { repairId, dates, token, timeoutMs, audit } = request;
  try {
    const replaced = options.warehouse.replaceDates({
      processor,
      sql: action.sql,
      leaveNull: action.leaveNull,
      audit,
      dates,
      token,
      repairId,
      timeoutMs,
      signal: deadline.signal,
    });
    const result = await Promise.race([replaced, unstoppable(deadline.signal)]);
    const { rowsDeleted, rowsInserted } = result;
    const refused = result.refused.map((entry) => ({
      ...entry,
      reason: redact(entry.reason, options.secrets),
    }));
    return { kind: "succeeded", logTail: logOf(rowsDeleted, rowsInserted, refused), refused };
  } catch (error) {
    const message = redact(`${action.file}: ${messageOf(error)}`, options.secrets);
    if (deadline.ended() === "aborted") return { kind: "cancelled", logTail: null };
    if (deadline.ended() === "timeout") return timedOut(action, request);
    return judge(error, message, action, request);
  } finally {
    deadline.dispose();
  }
}

/** Why dates were not written, and how many rows were. */
function logOf(rowsDeleted: number, rowsInserted: number, refused: readonly RefusedDate[]): string | null {
  const log = createLogTail([]);
  const lines = [
    ...refused.map(({ date, reason }) => `${date} not published: ${reason}`),
    `${rowsDeleted} rows deleted, ${rowsInserted} rows inserted`,
  ];
  log.append(Buffer.from(lines.join("\n")));
  return log.text();
}

/** Rejects where a statement does not stop though it was told to. */
function unstoppable(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener(
      "abort",
      () => {
        const error = new ReconcilerError("interrupted", "the statement did not stop in time");
        setTimeout(() => reject(error), stopSlackMs).unref();
      },
      { once: true },
    );
  });
}

function judge(error: unknown, message: string, action: SqlAction, request: RunRequest): RunResult {
  const code = error instanceof ReconcilerError ? error.code : "internal";
  if (code === "warehouse_timeout") return timedOut(action, request);
  const cause = systemicCauses.get(code);
  if (cause !== undefined) return systemic(cause, code, message, null);
  if (code === "fence_refused" || code === "write_conflict")
    return { ...retryable(code, message, null), classification: "fenced" };
  const neverRight =
    error instanceof QueryError && (error.fault === "invalid" || error.fault === "not_found");
  return neverRight || code === "repair_contract"
    ? permanent(code, message, null)
    : retryable(code, message, null);
}

function timedOut(action: SqlAction, request: RunRequest): RunResult {
  const message = `${action.file} did not end within ${request.timeoutMs / 1000} s; nothing was written`;
  return { kind: "timed_out", message, logTail: null };
}
