import { loadSql } from "./sql-files.ts";

/** The form of the tables that this version writes and reads. */
export const schemaVersion = 1;
/** The label of a table of a ledger; its value is the version of its form. */
export const schemaLabel = "gap_reconciler_schema";
/** Which pipeline's ledger a table is part of: two in one dataset would take each other's records for their own. */
export const pipelineLabel = "gap_reconciler_pipeline";

/** How long notes of surveys are kept; whoever finds none asks the tables again. */
const notesKeptDays = 90;
const dayMs = 86_400_000;

type Field = readonly [name: string, type: "TIMESTAMP" | "STRING" | "INTEGER", description: string];

const recordedAt: Field = [
  "recorded_at",
  "TIMESTAMP",
  "When it was written, by the clock of BigQuery; rows of one statement are a microsecond apart.",
];

const records = tableBody({
  name: "records",
  description:
    "The ledger of gap-reconciler: every record as it was written, only ever added to. People read it in the views beside it.",
  fields: [
    recordedAt,
    ["kind", "STRING", "start or end (of a run of a repair), cycle or decision."],
    [
      "id",
      "STRING",
      "Of the repair, the cycle or the decision. Of two rows with one kind, id and part the first counts.",
    ],
    ["part", "INTEGER", "From 1 to parts."],
    [
      "parts",
      "INTEGER",
      "How many rows the record has: a large one is cut. Without all of them it is not there.",
    ],
    ["body", "STRING", "The record as JSON. Lists go on from part to part, everything else is in the first."],
  ],
});

/** Made last: where it is, all the others are. */
const surveyNotes = tableBody({
  name: "survey_notes",
  description: `What gap-reconciler learnt of tables, so that it need not ask again. Kept for ${notesKeptDays} days; losing it costs bytes, never a verdict.`,
  fields: [
    recordedAt,
    ["subject", "STRING", "What it is about, such as processor/scores."],
    [
      "part",
      "STRING",
      "Which part of it. Of two rows with one subject and part the one that was noted last counts.",
    ],
    ["noted_at", "TIMESTAMP", "When it was learnt."],
    ["body", "STRING", "What was learnt, for gap-reconciler alone."],
  ],
  expirationMs: notesKeptDays * dayMs,
});

/** The views in which people read the log; each after those that it reads itself. */
const views: readonly (readonly [name: string, description: string])[] = [
  [
    "distinct_records",
    "The log without what was written twice, and without records of which a part is missing.",
  ],
  [
    "repair_starts",
    "Every run of a repair, written before it was launched. A start without a row in repair_ends still runs, or was lost. repair: the name of its processor, or of a repair that several share. dates: ascending. attempt: of the cell that has most, this one included. token: the fencing token. deadline_at: a run without an end by then is lost. worker: host/pid/start time. external_handle: what finds the run outside.",
  ],
  [
    "repair_ends",
    "How every run of a repair ended. outcome: repaired, ineffective (it succeeded, the gap is still there), failed, failed_permanently, timed_out, lost_lock, inputs_moved, lost or skipped. systemic: where the fault says nothing about the dates. error_code: a word for programs, null on success. log_tail: the end of what it printed, secrets masked.",
  ],
  [
    "cell_outcomes",
    "What every run did to each of its cells: a cell is one processor on one date. charged: whether it counts as one of the attempts of the cell. worse: fewer rows or more violations than before. batch_dates: dates of the run. inputs: the versions of the inputs at the check before the run, by upstream. outdates: cells downstream that were computed from what the run replaced, by processor. not_before: the other side asked not to be tried before.",
  ],
  [
    "gap_events",
    "Every opening and closing of a gap, as a query saw it. event: opened or closed. state: with which it opened, or to which it closed. was_complete: on opened, whether the cell was ever seen complete before. recorded_at and place: the order of what happened at once.",
  ],
  [
    "cycles",
    "Every pass over the warehouse: observe, assess, plan, enqueue. converged: no gap and no unknown cell, processors of severity info aside. accepted: false where a breaker spoke against what it saw. unknown_cells: could not be observed. enqueued: repairs handed to the queue. scan_bytes: billed to it.",
  ],
  [
    "baselines",
    "What was complete (of a schedule: scheduled) in an accepted pass, written when it changed. subject: processor or schedule. hash: of the expectation that was met. dates: runs of consecutive dates, both ends included.",
  ],
  [
    "decisions",
    "What people decided. A later one of the same kind, or its opposite, overrides for the cells that both name. kind: waive, unwaive, retry, release, accept, pause, resume or cancel. processors: null means every one. start_date, end_date: null means from the first, up to the last. waiver_expires: the last date on which it holds.",
  ],
  ["open_gaps", "The cells that were gaps when they were last seen, and since when."],
  ["attempts_per_processor", "How the repairs of each processor went, counted in cells."],
  ["time_to_repair", "Every gap that was closed, with how long it was open."],
];

/** What `tables.insert` takes for every table and view of a ledger, each after those that it reads. @param dataset quoted */
export function ledgerTables(
  dataset: string,
  pipeline: string,
): readonly (readonly [name: string, body: object])[] {
  const labels = { [schemaLabel]: String(schemaVersion), [pipelineLabel]: pipeline };
  const made = views.map(([name, description]): readonly [string, object] => {
    const query = loadSql(`ledger-view-${name.replaceAll("_", "-")}`, { dataset });
    return [name, { description, view: { query, useLegacySql: false } }];
  });
  return [labelled(records, labels), ...made, labelled(surveyNotes, labels)];
}

function labelled(
  [name, body]: readonly [name: string, body: object],
  labels: Readonly<Record<string, string>>,
): readonly [name: string, body: object] {
  return [name, { ...body, labels }];
}

function tableBody({
  name,
  description,
  fields,
  expirationMs,
}: {
  readonly name: string;
  readonly description: string;
  readonly fields: readonly Field[];
  readonly expirationMs?: number;
}): readonly [name: string, body: object] {
  const expiration = expirationMs === undefined ? {} : { expirationMs: String(expirationMs) };
  return [
    name,
    {
      description,
      schema: {
        fields: fields.map(([field, type, text]) => ({
          name: field,
          type,
          mode: "REQUIRED",
          description: text,
        })),
      },
      timePartitioning: { type: "DAY", field: "recorded_at", ...expiration },
    },
  ];
}
