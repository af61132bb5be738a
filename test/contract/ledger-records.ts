import { parseIsoDate } from "../../src/core/iso-date.ts";
import type {
  Baseline,
  CellOutcome,
  CycleRecord,
  Decision,
  GapEvent,
  RepairEnd,
  RepairStart,
} from "../../src/core/ledger-records.ts";

export const noon = Date.parse("2024-03-01T12:00:00.123Z");
export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;
export const firstDate = parseIsoDate("2024-01-31");

export function startOf(repairId: string, overrides: Partial<RepairStart> = {}): RepairStart {
  return {
    repairId,
    repair: "scores",
    processors: ["scores", "ranks"],
    dates: [firstDate, parseIsoDate("2024-02-29")],
    attempt: 1,
    token: 1_709_294_400_123_456,
    startedAt: noon - hourMs,
    deadlineAt: noon,
    worker: "host/12/34",
    externalHandle: null,
    repairHash: "r1",
    cycleId: "c1",
    ...overrides,
  };
}

export function cellOf(overrides: Partial<CellOutcome> = {}): CellOutcome {
  return {
    processor: "scores",
    date: firstDate,
    outcome: "repaired",
    charged: true,
    worse: false,
    stateBefore: "missing",
    stateAfter: "complete",
    rowsBefore: 0,
    rowsAfter: 450,
    batchDates: 2,
    repairHash: "r1",
    expectationHash: "e1",
    outdates: { revenue: "2024-01-05..2024-01-06" },
    inputs: { games: '450/30/"x"', odds: "" },
    notBefore: null,
    ...overrides,
  };
}

/** Of a run whose start is not on record, which alone says what it was to fill. */
export function endOf(repairId: string, overrides: Partial<RepairEnd> = {}): RepairEnd {
  return {
    repairId,
    repair: "scores",
    processors: [],
    dates: [],
    attempt: 1,
    startedAt: noon - hourMs,
    endedAt: noon - hourMs + 90_000,
    outcome: "repaired",
    systemic: null,
    errorCode: null,
    message: null,
    logTail: "done",
    cells: [cellOf()],
    ...overrides,
  };
}

export function cycleOf(cycleId: string, overrides: Partial<CycleRecord> = {}): CycleRecord {
  return {
    cycleId,
    startedAt: noon,
    finishedAt: noon + 5_001,
    converged: false,
    accepted: true,
    gaps: 3,
    unknown: 1,
    enqueued: 2,
    scanBytes: 12_345_678_901,
    ...overrides,
  };
}

export function eventOf(overrides: Partial<GapEvent> = {}): GapEvent {
  return {
    at: noon,
    cycleId: "c1",
    processor: "scores",
    date: firstDate,
    event: "opened",
    state: "missing",
    wasComplete: false,
    ...overrides,
  };
}

export function baselineOf(overrides: Partial<Baseline> = {}): Baseline {
  return {
    subject: "processor",
    name: "scores",
    hash: "e1",
    at: noon,
    dates: "2024-01-01..2024-01-03,2024-01-05",
    ...overrides,
  };
}

export function decisionOf(id: string, overrides: Partial<Decision> = {}): Decision {
  return {
    id,
    at: noon,
    actor: "ana",
    reason: "prop lines were never scraped",
    kind: "waive",
    processors: ["scores"],
    startDate: firstDate,
    endDate: null,
    waiver: { owner: "data-team", expires: parseIsoDate("2027-07-01"), downstream: "proceed" },
    ...overrides,
  };
}
