import {
  type Baseline,
  type CellAttempt,
  type CellOutcome,
  type CycleRecord,
  type Decision,
  decisionKinds,
  type GapEvent,
  outcomes,
  type RepairEnd,
  type RepairStart,
  type RunTimes,
  systemicCauses,
} from "../../core/ledger-records.ts";
import { type IsoDate, parseIsoDate } from "../../core/iso-date.ts";
import type { AttemptRecord } from "../../reconcile/ports.ts";
import { namedColumns, type NamedColumns } from "./ledger-columns.ts";
import type { Columns } from "./session.ts";

export function starts(result: Columns): readonly RepairStart[] {
  const at = namedColumns(result);
  const [repairIds, repairs, workers] = [at.text("repair_id"), at.text("repair"), at.text("worker")];
  const [processors, dates] = [at.lists("processors"), at.lists("dates")];
  const [attempts, tokens] = [at.numbers("attempt"), at.numbers("token")];
  const [startedAts, deadlineAts] = [at.numbers("started_at"), at.numbers("deadline_at")];
  const [handles, hashes, cycleIds] = [
    at.optionalText("external_handle"),
    at.text("repair_hash"),
    at.text("cycle_id"),
  ];
  return at.map((row) => ({
    repairId: repairIds(row),
    repair: repairs(row),
    processors: processors(row),
    dates: dates(row).map(parseIsoDate),
    attempt: attempts(row),
    token: tokens(row),
    startedAt: startedAts(row),
    deadlineAt: deadlineAts(row),
    worker: workers(row),
    externalHandle: handles(row),
    repairHash: hashes(row),
    cycleId: cycleIds(row),
  }));
}

export function attempts(result: Columns): readonly CellAttempt[] {
  const at = namedColumns(result);
  return at.map(cellAttempt(at));
}

function cellAttempt(at: NamedColumns): (row: number) => CellAttempt {
  const repairIds = at.text("repair_id");
  const [processors, days, outcomeOf] = [at.text("processor"), at.days("day"), at.oneOf("outcome", outcomes)];
  const [startedAts, endedAts] = [at.numbers("started_at"), at.numbers("ended_at")];
  const [charged, worse] = [at.flags("charged"), at.flags("worse")];
  const [statesBefore, statesAfter] = [at.text("state_before"), at.text("state_after")];
  const [rowsBefore, rowsAfter] = [at.numbers("rows_before"), at.numbers("rows_after")];
  const batchDates = at.numbers("batch_dates");
  const [repairHashes, expectationHashes] = [at.text("repair_hash"), at.text("expectation_hash")];
  const [inputs, outdates] = [at.maps("inputs"), at.maps("outdates")];
  const notBefores = at.optionalNumbers("not_before");
  return (row) => ({
    repairId: repairIds(row),
    processor: processors(row),
    date: days(row),
    startedAt: startedAts(row),
    endedAt: endedAts(row),
    outcome: outcomeOf(row),
    charged: charged(row),
    worse: worse(row),
    stateBefore: statesBefore(row),
    stateAfter: statesAfter(row),
    rowsBefore: rowsBefore(row),
    rowsAfter: rowsAfter(row),
    batchDates: batchDates(row),
    repairHash: repairHashes(row),
    expectationHash: expectationHashes(row),
    inputs: inputs(row),
    outdates: outdates(row),
    notBefore: notBefores(row),
  });
}

export function history(result: Columns): readonly AttemptRecord[] {
  const at = namedColumns(result);
  const cell = cellAttempt(at);
  const [attemptNumbers, tokens, workers] = [at.numbers("attempt"), at.numbers("token"), at.text("worker")];
  const dates = at.lists("dates");
  const [errorCodes, messages, logTails] = [
    at.optionalText("error_code"),
    at.optionalText("message"),
    at.optionalText("log_tail"),
  ];
  return at.map((row) => ({
    ...cell(row),
    attempt: attemptNumbers(row),
    token: tokens(row),
    worker: workers(row),
    dates: dates(row).map(parseIsoDate),
    errorCode: errorCodes(row),
    message: messages(row),
    logTail: logTails(row),
  }));
}

export function recentEnds(result: Columns): readonly Omit<RepairEnd, "cells" | "logTail">[] {
  const at = namedColumns(result);
  return at.map(endOf(at));
}

function endOf(at: NamedColumns): (row: number) => Omit<RepairEnd, "cells" | "logTail"> {
  const [repairIds, repairs, attemptNumbers] = [
    at.text("repair_id"),
    at.text("repair"),
    at.numbers("attempt"),
  ];
  const [processors, dates] = [at.optionalLists("processors"), at.optionalLists("dates")];
  const [startedAts, endedAts] = [at.numbers("started_at"), at.numbers("ended_at")];
  const [outcomeOf, systemic] = [at.oneOf("outcome", outcomes), at.optionalOneOf("systemic", systemicCauses)];
  const [errorCodes, messages] = [at.optionalText("error_code"), at.optionalText("message")];
  return (row) => ({
    repairId: repairIds(row),
    repair: repairs(row),
    processors: processors(row) ?? [],
    dates: (dates(row) ?? []).map(parseIsoDate),
    attempt: attemptNumbers(row),
    startedAt: startedAts(row),
    endedAt: endedAts(row),
    outcome: outcomeOf(row),
    systemic: systemic(row),
    errorCode: errorCodes(row),
    message: messages(row),
  });
}

/** The ends with their cells, which come in a result of their own. */
export function ends(endRows: Columns, cellRows: Columns): readonly RepairEnd[] {
  const cells = new Map<string, CellOutcome[]>();
  for (const { repairId, startedAt: _start, endedAt: _end, ...outcome } of attempts(cellRows)) {
    const known = cells.get(repairId);
    if (known === undefined) cells.set(repairId, [outcome]);
    else known.push(outcome);
  }
  const at = namedColumns(endRows);
  const [end, logTails] = [endOf(at), at.optionalText("log_tail")];
  return at.map((row) => {
    const fields = end(row);
    return { ...fields, logTail: logTails(row), cells: cells.get(fields.repairId) ?? [] };
  });
}

export function gapEvents(result: Columns): readonly GapEvent[] {
  const at = namedColumns(result);
  const [instants, cycleIds, processors] = [
    at.numbers("happened_at"),
    at.text("cycle_id"),
    at.text("processor"),
  ];
  const [days, events] = [at.days("day"), at.oneOf("event", ["opened", "closed"] as const)];
  const [states, wasComplete] = [at.text("state"), at.flags("was_complete")];
  return at.map((row) => ({
    at: instants(row),
    cycleId: cycleIds(row),
    processor: processors(row),
    date: days(row),
    event: events(row),
    state: states(row),
    wasComplete: wasComplete(row),
  }));
}

export function baselines(result: Columns): readonly Baseline[] {
  const at = namedColumns(result);
  const subjects = at.oneOf("subject", ["processor", "schedule"] as const);
  const [names, hashes, instants, dates] = [
    at.text("name"),
    at.text("hash"),
    at.numbers("accepted_at"),
    at.text("dates"),
  ];
  return at.map((row) => ({
    subject: subjects(row),
    name: names(row),
    hash: hashes(row),
    at: instants(row),
    dates: dates(row),
  }));
}

export function decisions(result: Columns): readonly Decision[] {
  const at = namedColumns(result);
  const [ids, instants, actors] = [at.text("decision_id"), at.numbers("decided_at"), at.text("actor")];
  const [reasons, kinds] = [at.text("reason"), at.oneOf("kind", decisionKinds)];
  const processors = at.optionalLists("processors");
  const [startDates, endDates] = [at.optionalText("start_date"), at.optionalText("end_date")];
  const [owners, expires] = [at.optionalText("waiver_owner"), at.optionalText("waiver_expires")];
  const downstream = at.optionalOneOf("waiver_downstream", ["exempt", "proceed"] as const);
  return at.map((row) => {
    const [owner, flow] = [owners(row), downstream(row)];
    return {
      id: ids(row),
      at: instants(row),
      actor: actors(row),
      reason: reasons(row),
      kind: kinds(row),
      processors: processors(row),
      startDate: optionalDate(startDates(row)),
      endDate: optionalDate(endDates(row)),
      waiver:
        owner === null || flow === null
          ? null
          : { owner, expires: optionalDate(expires(row)), downstream: flow },
    };
  });
}

export function cycles(result: Columns): readonly CycleRecord[] {
  const at = namedColumns(result);
  const [cycleIds, startedAts, finishedAts] = [
    at.text("cycle_id"),
    at.numbers("started_at"),
    at.numbers("finished_at"),
  ];
  const [converged, accepted] = [at.flags("converged"), at.flags("accepted")];
  const [gaps, unknown, enqueued] = [at.numbers("gaps"), at.numbers("unknown_cells"), at.numbers("enqueued")];
  const scanBytes = at.numbers("scan_bytes");
  return at.map((row) => ({
    cycleId: cycleIds(row),
    startedAt: startedAts(row),
    finishedAt: finishedAts(row),
    converged: converged(row),
    accepted: accepted(row),
    gaps: gaps(row),
    unknown: unknown(row),
    enqueued: enqueued(row),
    scanBytes: scanBytes(row),
  }));
}

export function runTimes(result: Columns): readonly RunTimes[] {
  const at = namedColumns(result);
  const [repairs, runs] = [at.text("repair"), at.numbers("runs")];
  const [means, meansPerDate] = [at.numbers("mean_seconds"), at.numbers("mean_seconds_per_date")];
  return at.map((row) => ({
    repair: repairs(row),
    runs: runs(row),
    meanSeconds: means(row),
    meanSecondsPerDate: meansPerDate(row),
  }));
}

function optionalDate(text: string | null): IsoDate | null {
  return text === null ? null : parseIsoDate(text);
}
