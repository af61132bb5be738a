// Records under the names that the columns of every ledger have, as JSON carries them.
import type {
  Baseline,
  CellOutcome,
  CycleRecord,
  Decision,
  GapEvent,
  RepairEnd,
  RepairStart,
} from "../../core/ledger-records.ts";
import type { EpochMs } from "../../core/wall-clock.ts";

export function startRow(start: RepairStart): object {
  return {
    repair_id: start.repairId,
    repair: start.repair,
    processors: start.processors,
    dates: start.dates,
    attempt: start.attempt,
    token: start.token,
    started_at: whole(start.startedAt),
    deadline_at: whole(start.deadlineAt),
    worker: start.worker,
    external_handle: start.externalHandle,
    repair_hash: start.repairHash,
    cycle_id: start.cycleId,
  };
}

export function endRow(end: RepairEnd): object {
  return {
    repair_id: end.repairId,
    repair: end.repair,
    attempt: end.attempt,
    started_at: whole(end.startedAt),
    ended_at: whole(end.endedAt),
    outcome: end.outcome,
    systemic: end.systemic,
    error_code: end.errorCode,
    message: end.message,
    log_tail: end.logTail,
  };
}

export function cellRows(cells: readonly CellOutcome[]): readonly object[] {
  return cells.map((cell) => ({
    processor: cell.processor,
    date: cell.date,
    outcome: cell.outcome,
    charged: cell.charged,
    worse: cell.worse,
    state_before: cell.stateBefore,
    state_after: cell.stateAfter,
    rows_before: cell.rowsBefore,
    rows_after: cell.rowsAfter,
    batch_dates: cell.batchDates,
    repair_hash: cell.repairHash,
    expectation_hash: cell.expectationHash,
    inputs: cell.inputs,
    outdates: cell.outdates,
    not_before: cell.notBefore === null ? null : whole(cell.notBefore),
  }));
}

export function cycleRow(cycle: CycleRecord): object {
  return {
    cycle_id: cycle.cycleId,
    started_at: whole(cycle.startedAt),
    finished_at: whole(cycle.finishedAt),
    converged: cycle.converged,
    accepted: cycle.accepted,
    gaps: cycle.gaps,
    unknown_cells: cycle.unknown,
    enqueued: cycle.enqueued,
    scan_bytes: cycle.scanBytes,
  };
}

export function eventRows(events: readonly GapEvent[]): readonly object[] {
  return events.map((event) => ({
    happened_at: whole(event.at),
    cycle_id: event.cycleId,
    processor: event.processor,
    date: event.date,
    event: event.event,
    state: event.state,
    was_complete: event.wasComplete,
  }));
}

export function baselineRows(baselines: readonly Baseline[]): readonly object[] {
  return baselines.map((baseline) => ({
    subject: baseline.subject,
    name: baseline.name,
    hash: baseline.hash,
    accepted_at: whole(baseline.at),
    dates: baseline.dates,
  }));
}

export function decisionRow(decision: Decision): object {
  return {
    decision_id: decision.id,
    decided_at: whole(decision.at),
    actor: decision.actor,
    reason: decision.reason,
    kind: decision.kind,
    processors: decision.processors,
    start_date: decision.startDate,
    end_date: decision.endDate,
    waiver_owner: decision.waiver?.owner,
    waiver_expires: decision.waiver?.expires,
    waiver_downstream: decision.waiver?.downstream,
  };
}

/** Half a surrogate pair is refused as malformed by warehouses, and a cut message must not cost the record. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "string" ? part.replaceAll(/\p{Surrogate}/gu, "\ufffd") : part,
  );
}

/** The ledger is exact to the millisecond, not finer. */
function whole(instant: EpochMs): number {
  return Math.round(instant);
}
