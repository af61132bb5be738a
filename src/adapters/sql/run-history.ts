import type { HistoryRun } from "../../core/observation.ts";
import type { RunHistorySpec } from "../../core/pipeline.ts";
import { ReconcilerError } from "../../errors.ts";
import type { RunHistoryReading, RunHistoryRequest } from "../../reconcile/ports.ts";
import type { ResultColumns } from "./columns.ts";
import { failureCodeOf, QueryError } from "./query-error.ts";
import { type Column, columnOf, type DatedSource, Unobservable } from "./source.ts";

/** What dialects write differently. */
export interface RunHistoryDialect {
  /** A column of any type as text. */
  readonly toText: (column: Column) => string;
  /** Epoch milliseconds of a time column. @throws Unobservable where it is none */
  readonly instantMs: (column: Column) => string;
  /** NULL as text, and as a whole number. */
  readonly noText: string;
  readonly noNumber: string;
}

/** What stands in the placeholders of read-run-history.sql. @throws Unobservable where a column is missing or of a wrong type */
export function runHistoryTexts(
  { spec, withErrors }: Pick<RunHistoryRequest, "spec" | "withErrors">,
  { source, day, condition }: DatedSource,
  { toText, instantMs, noText, noNumber }: RunHistoryDialect,
): Readonly<Record<string, string>> {
  const { endedAtColumn, errorColumn, runIdColumn } = spec;
  const column = (name: string) => columnOf(source, name);
  return {
    source: source.sql,
    condition,
    day,
    processor: toText(column(spec.processorColumn)),
    status: toText(column(spec.statusColumn)),
    started: instantMs(column(spec.startedAtColumn)),
    ended: endedAtColumn === null ? noNumber : instantMs(column(endedAtColumn)),
    run: runIdColumn === null ? noText : toText(column(runIdColumn)),
    error: errorColumn === null || !withErrors ? noText : toText(column(errorColumn)),
  };
}

/** The runs of a result of read-run-history.sql. */
export function runsOf(rows: ResultColumns, spec: RunHistorySpec): readonly HistoryRun[] {
  const [names, statuses, ids, errors] = [0, 2, 5, 6].map((column) => rows.strings(column));
  const [days, started, ended] = [rows.integers(1), rows.numbers(3), rows.numbers(4)];
  return Array.from(days, (day, row) => {
    const status = statuses?.[row] ?? "";
    const kind = kindOf(status, spec);
    const endedAt = ended[row] ?? Number.NaN;
    return {
      name: names?.[row] ?? "",
      day,
      kind,
      status,
      startedAt: started[row] ?? Number.NaN,
      // Some write a time there when the run begins.
      endedAt: kind === "running" || Number.isNaN(endedAt) ? null : endedAt,
      runId: ids?.[row] ?? null,
      error: errors?.[row] ?? null,
    };
  });
}

function kindOf(status: string, { statuses }: RunHistorySpec): HistoryRun["kind"] {
  const word = status.trim().toLowerCase();
  if (statuses.running.includes(word)) return "running";
  if (statuses.failed.includes(word)) return "failed";
  return statuses.skipped.includes(word) ? "skipped" : "ended";
}

/** A table that is missing, a statement that fails: that alone cannot be read. @throws whatever else `read` does */
export async function readOrFail(read: () => Promise<readonly HistoryRun[]>): Promise<RunHistoryReading> {
  try {
    return { kind: "read", runs: await read() };
  } catch (error) {
    if (error instanceof Unobservable) return failed(error.code, error.message);
    const isOfStatement =
      error instanceof QueryError ||
      (error instanceof ReconcilerError &&
        (error.code === "warehouse_query_failed" || error.code === "warehouse_timeout"));
    if (!isOfStatement) throw error;
    return failed(failureCodeOf(error), error.message);
  }
}

function failed(code: Unobservable["code"], message: string): RunHistoryReading {
  return { kind: "failed", failure: { code, message } };
}
