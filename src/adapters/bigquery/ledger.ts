import { emptyLedgerRecords } from "../../core/ledger-records.ts";
import type { Ledger, LedgerActivity } from "../../reconcile/ports.ts";
import { Api, type ApiOptions } from "./api.ts";
import type { NewRow } from "./inserts.ts";
import { labelOf, type Statement } from "./job-configuration.ts";
import { Jobs } from "./jobs.ts";
import { datasetSql, makeLedger } from "./ledger-dataset.ts";
import { ledgerError, placeText } from "./ledger-failures.ts";
import { activitySince, decisionsOf, foldRecords, historyOf, type LedgerContents } from "./ledger-fold.ts";
import { LedgerLog, logColumns } from "./ledger-log.ts";
import { cycleParts, decisionParts, endParts, type LogPart, startParts } from "./ledger-parts.ts";
import { type LedgerAccess, LedgerTable } from "./ledger-table.ts";
import { limitsOf } from "./limits.ts";
import { listParameter } from "./parameters.ts";
import { loadSql } from "./sql-files.ts";
import type { SurveyMemory } from "./survey-memory.ts";
import { notesTable, surveyMemory, SurveyNotes } from "./survey-notes.ts";

export interface BigQueryLedgerOptions extends ApiOptions {
  /** In the project; this ledger's alone. */
  readonly dataset: string;
  /** Where the dataset is made, and where jobs run; null leaves it to BigQuery. */
  readonly location: string | null;
  /** The pipeline's name and the target's, for labels and the ids of jobs. */
  readonly pipeline: string;
  readonly target: string | null;
  /** More labels on every job. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Of one page of a reading, or of one INSERT with its tries; default 2 min. */
  readonly timeoutMs?: number;
  /** How long a record waits for others to be written with it; default 500 ms. */
  readonly gatherMs?: number;
}

const noActivity: LedgerActivity = { gapEvents: [], ends: [], decisions: [], cycles: [] };

/**
 * A ledger in a BigQuery dataset, and the memory of surveys beside it. The ledger is a log that is only added to, by INSERT jobs,
 * and read by listing it, which costs nothing: whole at first, after that only what is new. All of it throws
 * ReconcilerError: `ledger_missing` where there is none to write to, `ledger_unavailable` where it cannot be reached
 * or is none that this version knows, `write_failed` where a record was not taken.
 */
export function createBigQueryLedger(
  options: BigQueryLedgerOptions,
): Ledger & { readonly memory: SurveyMemory } {
  const access = accessOf(options);
  const { api, place, timeoutMs } = access;
  const dataset = datasetSql(place);
  const log = new LedgerLog(placeText(place));
  const records = recordsTable(access, dataset, log);
  const noteKeeper = new SurveyNotes();
  const notes = notesTable(access, dataset, noteKeeper);

  const read = async <T>(absent: T, fold: (contents: LedgerContents) => T): Promise<T> =>
    (await records.refresh()) ? fold(log.contents) : absent;
  const record = (parts: readonly LogPart[]) => records.add(parts.map(rowOf));
  return {
    async create() {
      // The notes are made last: where they are, all the others are.
      if (await notes.exists()) return;
      try {
        await makeLedger(api, place, options.location, limitsOf(timeoutMs));
      } catch (error) {
        throw ledgerError(error, place, "made");
      }
      // What was there before may be none of a ledger.
      await records.exists();
    },
    read: (now) => read(emptyLedgerRecords, (contents) => foldRecords(contents, now)),
    recordStart: (start) => record(startParts(start)),
    recordEnd: (end) => record(endParts(end)),
    recordCycle: (cycle, events, baselines) => record(cycleParts(cycle, events, baselines)),
    recordDecision: (decision) => record(decisionParts(decision)),
    decisions: () => read([], decisionsOf),
    history: (cell) => read([], (contents) => historyOf(contents, cell)),
    since: (instant) => read(noActivity, (contents) => activitySince(contents, instant)),
    // Every call is a connection of its own.
    close: () => Promise.resolve(),
    memory: surveyMemory(notes, noteKeeper),
  };
}

function accessOf(options: BigQueryLedgerOptions): LedgerAccess {
  const { pipeline, target, location, labels = {}, timeoutMs = 120_000, gatherMs = 500 } = options;
  const api = new Api(options);
  const jobs = new Jobs(api, {
    location,
    // It reads nothing that is billed.
    maximumBytesBilled: null,
    pipeline,
    cycle: () => null,
    labels: {
      ...labels,
      pipeline: labelOf(pipeline),
      ...(target === null ? {} : { target: labelOf(target) }),
    },
  });
  const place = { project: options.project, dataset: options.dataset, pipeline };
  return { api, jobs, place, timeoutMs, gatherMs, writer: JSON.stringify([pipeline, target]) };
}

function recordsTable(access: LedgerAccess, dataset: string, keeper: LedgerLog): LedgerTable {
  const statementOf = (rows: readonly NewRow[]): Statement => {
    const column = (index: number) => rows.map(({ values }) => values[index] ?? "");
    return {
      sql: loadSql("ledger-insert-records", { dataset }),
      parameters: [
        listParameter("kinds", "STRING", column(0)),
        listParameter("ids", "STRING", column(1)),
        listParameter("part_numbers", "INT64", column(2)),
        listParameter("parts_of", "INT64", column(3)),
        listParameter("bodies", "STRING", column(4)),
      ],
      purpose: "ledger",
    };
  };
  return new LedgerTable(access, { name: "records", columns: logColumns, keeper, statementOf });
}

function rowOf({ kind, id, part, parts, body }: LogPart): NewRow {
  return {
    key: JSON.stringify([kind, id, part, parts]),
    values: [kind, id, String(part), String(parts), body],
  };
}
