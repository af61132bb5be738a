import type { Command } from "commander";
import type { App } from "../compose.ts";
import { explainCell, type ExplainedRunHistory, explainRun } from "../core/explain.ts";
import { dateAt } from "../core/grid.ts";
import { type IsoDate, toDay } from "../core/iso-date.ts";
import type { Processor } from "../core/pipeline.ts";
import { redact } from "../core/redact.ts";
import { nameInHistory } from "../core/run-history.ts";
import { formatInstant } from "../core/wall-clock.ts";
import { ReconcilerError } from "../errors.ts";
import type { AttemptRecord } from "../reconcile/ports.ts";
import { renderExplanation } from "../terminal/explain.ts";
import { terminalOf } from "../terminal/terminal.ts";
import {
  addAsOfFlag,
  type AsOfFlag,
  checkKnown,
  flagsOf,
  type GlobalFlags,
  parseDate,
  printJson,
  type Surroundings,
  withApp,
} from "./shared.ts";

const errorBytesMax = 4096;

export function addExplainCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("explain")
    .description("why one cell is what it is, and what happens next to it")
    .argument("<processor>", "its name")
    .argument("<date>", "such as 2024-01-31", parseDate);
  addAsOfFlag(command).action((processor: string, date: IsoDate) =>
    explain(processor, date, flagsOf<AsOfFlag>(command), surroundings),
  );
}

async function explain(
  name: string,
  date: IsoDate,
  flags: AsOfFlag & GlobalFlags,
  surroundings: Surroundings,
): Promise<void> {
  await withApp(flags, surroundings, async (app) => {
    const names = app.config.pipeline.processors.map((known) => known.name);
    checkKnown(name, names, "PROCESSOR", "processor");
    const { assessment } = await app.look({
      selection: { processors: null, startDate: null, endDate: date },
      asOf: flags.asOf ?? null,
      signal: surroundings.signal,
    });
    const processor = app.context.compiled.byName.get(name);
    const { axis } = assessment.grid;
    const position = toDay(date) - axis.first;
    if (processor === undefined || position < 0) {
      throw new ReconcilerError("usage", `${date} is before the first scheduled date, ${dateAt(axis, 0)}`, {
        hint: "give a later date, or let the schedule begin earlier (its start_date)",
      });
    }
    const explanation = {
      ...explainCell(assessment, processor, position),
      run_history: await runHistoryOf(app, processor, date),
    };
    const attempts = await app.context.ledger.history({ processor: name, date });
    const sql = await app.context.warehouse.describeProfile(processor, date);
    if (flags.format === "json") {
      printJson(surroundings, {
        schema_version: 1,
        pipeline: app.config.pipeline.name,
        target: app.config.target,
        as_of: formatInstant(assessment.now),
        ...explanation,
        sql,
        attempts: attempts.map(attemptDocument),
      });
      return;
    }
    const terminal = terminalOf(surroundings.stdout, flags, surroundings.env);
    surroundings.stdout.write(renderExplanation(explanation, attempts, sql, terminal));
  });
}

/** Asked once more, for this cell alone: of its runs all that is kept, and the texts of their errors. */
async function runHistoryOf(
  { config, context }: App,
  processor: Processor,
  date: IsoDate,
): Promise<ExplainedRunHistory | null> {
  const { runHistory: spec } = config.pipeline;
  if (spec === null) return null;
  const reading = await context.warehouse.readRunHistory({
    spec,
    names: [nameInHistory(spec, processor.name)],
    range: { start: date, end: date },
    since: 0,
    withErrors: true,
  });
  if (reading.kind === "failed") return { runs: [], failure: reading.failure };
  const runs = reading.runs.map((run) =>
    explainRun({ ...run, error: run.error === null ? null : shortened(redact(run.error, config.secrets)) }),
  );
  return { runs, failure: null };
}

/** At most 4 KiB of UTF-8; a letter that is cut in two is left out. */
function shortened(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, errorBytesMax), {
    stream: true,
  });
}

function attemptDocument(attempt: AttemptRecord) {
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
