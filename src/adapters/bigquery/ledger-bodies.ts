import { z } from "zod";
import { type IsoDate, tryParseIsoDate } from "../../core/iso-date.ts";
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
  systemicCauses,
} from "../../core/ledger-records.ts";

/** What one entry of the log says. */
export type LedgerEntry =
  | { readonly kind: "start"; readonly start: RepairStart }
  | { readonly kind: "end"; readonly recorded: RecordedEnd }
  | { readonly kind: "cycle"; readonly recorded: RecordedCycle }
  | { readonly kind: "decision"; readonly decision: Decision };

/** What a run was to fill is on record with its start. */
export type EndBody = Omit<RepairEnd, "processors" | "dates">;

/** An end with what it says of each cell, which is asked for in every cycle. */
export interface RecordedEnd {
  readonly end: EndBody;
  readonly attempts: readonly CellAttempt[];
}

/** A cycle with all that was recorded with it. */
export interface RecordedCycle {
  readonly cycle: CycleRecord;
  readonly events: readonly GapEvent[];
  readonly baselines: readonly Baseline[];
}

const instant = z.int();
const optionalText = z.string().nullable();
const date = z.string().transform((text, context): IsoDate => {
  const parsed = tryParseIsoDate(text);
  if (parsed !== null) return parsed;
  context.addIssue({ code: "custom", message: `expected a date, found ${text}` });
  return z.NEVER;
});
/** JSON has no NaN, which is what a count is that nobody could take. */
const count = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

const start = z
  .object({
    repair_id: z.string(),
    repair: z.string(),
    processors: z.array(z.string()),
    dates: z.array(date),
    attempt: z.int(),
    token: z.int(),
    started_at: instant,
    deadline_at: instant,
    worker: z.string(),
    external_handle: optionalText,
    repair_hash: z.string(),
    cycle_id: z.string(),
  })
  .transform(
    (body): RepairStart => ({
      repairId: body.repair_id,
      repair: body.repair,
      processors: body.processors,
      dates: body.dates,
      attempt: body.attempt,
      token: body.token,
      startedAt: body.started_at,
      deadlineAt: body.deadline_at,
      worker: body.worker,
      externalHandle: body.external_handle,
      repairHash: body.repair_hash,
      cycleId: body.cycle_id,
    }),
  );

const cell = z
  .object({
    processor: z.string(),
    date,
    outcome: z.enum(outcomes),
    charged: z.boolean(),
    worse: z.boolean(),
    state_before: z.string(),
    state_after: z.string(),
    rows_before: count,
    rows_after: count,
    batch_dates: z.int(),
    repair_hash: z.string(),
    expectation_hash: z.string(),
    inputs: z.record(z.string(), z.string()),
    // Earlier releases did not record it.
    outdates: z.record(z.string(), z.string()).default({}),
    not_before: instant.nullable(),
  })
  .transform(
    (body): CellOutcome => ({
      processor: body.processor,
      date: body.date,
      outcome: body.outcome,
      charged: body.charged,
      worse: body.worse,
      stateBefore: body.state_before,
      stateAfter: body.state_after,
      rowsBefore: body.rows_before,
      rowsAfter: body.rows_after,
      batchDates: body.batch_dates,
      repairHash: body.repair_hash,
      expectationHash: body.expectation_hash,
      inputs: body.inputs,
      outdates: body.outdates,
      notBefore: body.not_before,
    }),
  );

const end = z
  .object({
    repair_id: z.string(),
    repair: z.string(),
    attempt: z.int(),
    started_at: instant,
    ended_at: instant,
    outcome: z.enum(outcomes),
    systemic: z.enum(systemicCauses).nullable(),
    error_code: optionalText,
    message: optionalText,
    log_tail: optionalText,
    cells: z.array(cell),
  })
  .transform(
    (body): EndBody => ({
      repairId: body.repair_id,
      repair: body.repair,
      attempt: body.attempt,
      startedAt: body.started_at,
      endedAt: body.ended_at,
      outcome: body.outcome,
      systemic: body.systemic,
      errorCode: body.error_code,
      message: body.message,
      logTail: body.log_tail,
      cells: body.cells,
    }),
  );

const gapEvent = z
  .object({
    happened_at: instant,
    cycle_id: z.string(),
    processor: z.string(),
    date,
    event: z.enum(["opened", "closed"]),
    state: z.string(),
    was_complete: z.boolean(),
  })
  .transform(
    (body): GapEvent => ({
      at: body.happened_at,
      cycleId: body.cycle_id,
      processor: body.processor,
      date: body.date,
      event: body.event,
      state: body.state,
      wasComplete: body.was_complete,
    }),
  );

const baseline = z
  .object({
    subject: z.enum(["processor", "schedule"]),
    name: z.string(),
    hash: z.string(),
    accepted_at: instant,
    dates: z.string(),
  })
  .transform(
    (body): Baseline => ({
      subject: body.subject,
      name: body.name,
      hash: body.hash,
      at: body.accepted_at,
      dates: body.dates,
    }),
  );

const cycle = z
  .object({
    cycle_id: z.string(),
    started_at: instant,
    finished_at: instant,
    converged: z.boolean(),
    accepted: z.boolean(),
    gaps: z.int(),
    unknown_cells: z.int(),
    enqueued: z.int(),
    scan_bytes: z.int(),
    gap_events: z.array(gapEvent),
    baselines: z.array(baseline),
  })
  .transform(
    (body): RecordedCycle => ({
      cycle: {
        cycleId: body.cycle_id,
        startedAt: body.started_at,
        finishedAt: body.finished_at,
        converged: body.converged,
        accepted: body.accepted,
        gaps: body.gaps,
        unknown: body.unknown_cells,
        enqueued: body.enqueued,
        scanBytes: body.scan_bytes,
      },
      events: body.gap_events,
      baselines: body.baselines,
    }),
  );

const decision = z
  .object({
    decision_id: z.string(),
    decided_at: instant,
    actor: z.string(),
    reason: z.string(),
    kind: z.enum(decisionKinds),
    processors: z.array(z.string()).nullable(),
    start_date: date.nullable(),
    end_date: date.nullable(),
    waiver_owner: z.string().optional(),
    waiver_expires: date.nullish(),
    waiver_downstream: z.enum(["exempt", "proceed"]).optional(),
  })
  .transform((body): Decision => {
    const { waiver_owner: owner, waiver_downstream: downstream, waiver_expires: expires = null } = body;
    return {
      id: body.decision_id,
      at: body.decided_at,
      actor: body.actor,
      reason: body.reason,
      kind: body.kind,
      processors: body.processors,
      startDate: body.start_date,
      endDate: body.end_date,
      waiver: owner === undefined || downstream === undefined ? null : { owner, expires, downstream },
    };
  });

/**
 * The record that a body of the log says; null for a kind that this version does not know.
 * @throws z.ZodError where it says none
 */
export function entryOf(kind: string, body: unknown): LedgerEntry | null {
  switch (kind) {
    case "start":
      return { kind, start: start.parse(body) };
    case "end":
      return { kind, recorded: withAttempts(end.parse(body)) };
    case "cycle":
      return { kind, recorded: cycle.parse(body) };
    case "decision":
      return { kind, decision: decision.parse(body) };
    default:
      return null;
  }
}

function withAttempts(ended: EndBody): RecordedEnd {
  const { repairId, startedAt, endedAt, cells } = ended;
  return { end: ended, attempts: cells.map((each) => ({ ...each, repairId, startedAt, endedAt })) };
}
