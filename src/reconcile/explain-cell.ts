import type { Assessment } from "../core/assessment.ts";
import { hasKeys } from "../core/coverage-keys.ts";
import {
  explainCell,
  type ExplainedRunHistory,
  explainRun,
  type Explanation,
  withKeys,
} from "../core/explain.ts";
import { dateAt } from "../core/grid.ts";
import { type IsoDate, toDay } from "../core/iso-date.ts";
import type { Processor } from "../core/pipeline.ts";
import { redact } from "../core/redact.ts";
import { nameInHistory } from "../core/run-history.ts";
import { formatInstant } from "../core/wall-clock.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import { keysOfCell } from "./name-keys.ts";
import type { AttemptRecord } from "./ports.ts";
import type { CellDocument } from "./ports/cell-document.ts";

const errorBytesMax = 4096;

export interface ExplainOptions {
  readonly target: string | null;
  /** Texts that must not appear. */
  readonly secrets: readonly string[];
}

/** All that can be told of one cell: what is known of it, its attempts, and the SQL that looks at it. */
export interface ExplainedCellFully {
  readonly explanation: Explanation;
  /** Oldest first. */
  readonly attempts: readonly AttemptRecord[];
  /** Null where it cannot be told, as the table cannot be seen. */
  readonly sql: string | null;
  readonly document: CellDocument;
}

/**
 * Explains a cell of an assessment, which is asked for its attempts and for what others recorded of it.
 * @throws ReconcilerError `usage` where the date is not one that is looked at; `ledger_*`
 */
export async function explainFully(
  context: ReconcileContext,
  assessment: Assessment,
  processor: Processor,
  date: IsoDate,
  { target, secrets }: ExplainOptions,
): Promise<ExplainedCellFully> {
  const position = positionOf(assessment, date);
  const seen = explainCell(assessment, processor, position);
  const keys = hasKeys(seen.coverage) ? await keysOfCell(context, processor, date) : null;
  const explanation: Explanation = {
    ...(keys === null ? seen : withKeys(seen, keys)),
    run_history: await runHistoryOf(context, processor, date, secrets),
  };
  const attempts = await context.ledger.history({ processor: processor.name, date });
  const sql = await profileSqlOf(context, processor, date);
  const document: CellDocument = {
    schema_version: 1,
    pipeline: context.compiled.pipeline.name,
    target,
    as_of: formatInstant(assessment.now),
    ...explanation,
    sql,
    attempts: attempts.map(attemptDocument),
  };
  return { explanation, attempts, sql, document };
}

/** The SQL depends on the table's columns, and a table that is gone, or out of reach, must not leave its cell unexplained. */
async function profileSqlOf(
  { warehouse }: ReconcileContext,
  processor: Processor,
  date: IsoDate,
): Promise<string | null> {
  try {
    return await warehouse.describeProfile(processor, date);
  } catch (error) {
    if (error instanceof ReconcilerError) return null;
    throw error;
  }
}

function positionOf({ grid: { axis } }: Assessment, date: IsoDate): number {
  const position = toDay(date) - axis.first;
  if (position < 0) {
    throw new ReconcilerError("usage", `${date} is before the first scheduled date, ${dateAt(axis, 0)}`, {
      hint: "give a later date, or let the schedule begin earlier (its start_date)",
    });
  }
  if (position >= axis.length) {
    const last = dateAt(axis, axis.length - 1);
    throw new ReconcilerError("usage", `${date} is after ${last}, the last date that is looked at`, {
      hint: "reconcile explain looks ahead; what runs always looks at dates up to today",
    });
  }
  return position;
}

/** Asked once more, for this cell alone: of its runs all that is kept, and the texts of their errors. */
async function runHistoryOf(
  { compiled, warehouse }: ReconcileContext,
  processor: Processor,
  date: IsoDate,
  secrets: readonly string[],
): Promise<ExplainedRunHistory | null> {
  const { runHistory: spec } = compiled.pipeline;
  if (spec === null) return null;
  const reading = await warehouse.readRunHistory({
    spec,
    names: [nameInHistory(spec, processor.name)],
    range: { start: date, end: date },
    since: 0,
    withErrors: true,
  });
  if (reading.kind === "failed") return { runs: [], failure: reading.failure };
  const runs = reading.runs.map((run) =>
    explainRun({ ...run, error: run.error === null ? null : shortened(redact(run.error, secrets)) }),
  );
  return { runs, failure: null };
}

/** At most 4 KiB of UTF-8; a letter that is cut in two is left out. */
function shortened(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, errorBytesMax), {
    stream: true,
  });
}

function attemptDocument(attempt: AttemptRecord): CellDocument["attempts"][number] {
  return {
    repair_id: attempt.repairId,
    attempt: attempt.attempt,
    started_at: formatInstant(attempt.startedAt),
    ended_at: formatInstant(attempt.endedAt),
    outcome: attempt.outcome,
    charged: attempt.charged,
    error_code: attempt.errorCode,
    message: attempt.message,
    log_tail: attempt.logTail,
    dates: attempt.dates,
    fencing_token: attempt.token,
    worker: attempt.worker,
  };
}
