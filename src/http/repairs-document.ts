import type { IsoDate } from "../core/iso-date.ts";
import type { RepairStart } from "../core/ledger-records.ts";
import { type EndDocument, endDocument } from "../core/repair-documents.ts";
import { formatInstant } from "../core/wall-clock.ts";
import type { EndedRepair, LiveSight, LiveView } from "../reconcile/ports/live-view.ts";
import type { OutstandingRepair } from "../reconcile/ports/repair-queue.ts";

/** Repairs that run, wait and ended. */
export interface RepairsDocument {
  readonly schema_version: 1;
  readonly pipeline: string;
  readonly target: string | null;
  readonly revision: number;
  readonly as_of: string;
  /** A look failed, or one that is due did not end: this must not pass for the present. */
  readonly stale: boolean;
  /** On record, in any process, oldest first. */
  readonly running: readonly RunningDocument[];
  /** In the queue, oldest first, at most 1,000. */
  readonly queued: readonly QueuedDocument[];
  /** Newest first, at most 100. */
  readonly ended: readonly EndedDocument[];
}

export interface RunningDocument {
  readonly id: string;
  readonly repair: string;
  readonly processors: readonly string[];
  readonly dates: readonly IsoDate[];
  readonly attempt: number;
  readonly started_at: string;
  /** Without an end by then it counts as lost. */
  readonly deadline_at: string;
  readonly worker: string;
}

export interface QueuedDocument {
  readonly id: string;
  readonly repair: string;
  readonly dates: readonly IsoDate[];
  readonly attempt: number;
  readonly reason: string;
  readonly state: "queued" | "running";
  /** Null for one that runs. */
  readonly queued_at: string | null;
}

export interface EndedDocument extends EndDocument {
  /** Those that are still on record. */
  readonly cells: readonly {
    readonly processor: string;
    readonly date: IsoDate;
    readonly outcome: string;
    readonly rows_before: number;
    readonly rows_after: number;
  }[];
}

export function repairsDocument(view: LiveView, { assessment, isStale }: LiveSight): RepairsDocument {
  return {
    schema_version: 1,
    pipeline: view.pipeline,
    target: view.target,
    revision: view.revision,
    as_of: formatInstant(assessment.now),
    stale: isStale,
    running: view.running.map(runningDocument),
    queued: view.queued.map(queuedDocument),
    ended: view.ended.map(endedDocument),
  };
}

export function runningDocument(start: RepairStart): RunningDocument {
  return {
    id: start.repairId,
    repair: start.repair,
    processors: start.processors,
    dates: start.dates,
    attempt: start.attempt,
    started_at: formatInstant(start.startedAt),
    deadline_at: formatInstant(start.deadlineAt),
    worker: start.worker,
  };
}

function queuedDocument(job: OutstandingRepair): QueuedDocument {
  const { id, repair, dates, attempt, reason, state } = job;
  const queuedAt = job.state === "queued" ? formatInstant(job.queuedAt) : null;
  return { id, repair, dates, attempt, reason, state, queued_at: queuedAt };
}

export function endedDocument(end: EndedRepair): EndedDocument {
  return {
    ...endDocument(end),
    cells: end.cells.map(({ processor, date, outcome, rowsBefore, rowsAfter }) => ({
      processor,
      date,
      outcome,
      rows_before: rowsBefore,
      rows_after: rowsAfter,
    })),
  };
}
