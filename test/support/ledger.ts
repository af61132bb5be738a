import { parseIsoDate } from "../../src/core/iso-date.ts";
import type {
  Baseline,
  CellAttempt,
  Decision,
  DecisionKind,
  GapEvent,
  LedgerRecords,
  RepairStart,
} from "../../src/core/ledger-records.ts";

/** The instant of a text such as `2024-01-05T06:00Z`. */
export function instant(text: string): number {
  const value = Date.parse(text);
  if (Number.isNaN(value)) throw new RangeError(`expected an instant, found "${text}"`);
  return value;
}

/** A failed attempt that was charged, at `at`, unless the test says otherwise. */
export function attempt(
  processor: string,
  date: string,
  at: string | number,
  more: Partial<Omit<CellAttempt, "processor" | "date">> = {},
): CellAttempt {
  const endedAt = typeof at === "number" ? at : instant(at);
  return {
    processor,
    date: parseIsoDate(date),
    repairId: `${processor}-${endedAt}`,
    startedAt: endedAt - 1000,
    endedAt,
    outcome: "failed",
    charged: more.outcome !== "repaired",
    worse: false,
    stateBefore: "missing",
    stateAfter: more.outcome === "repaired" ? "complete" : "missing",
    rowsBefore: 0,
    rowsAfter: 0,
    batchDates: 1,
    repairHash: "r1",
    expectationHash: "e1",
    inputs: {},
    outdates: {},
    notBefore: null,
    ...more,
  };
}

export function opened(
  processor: string,
  date: string,
  at: string | number,
  more: Partial<GapEvent> = {},
): GapEvent {
  return {
    at: typeof at === "number" ? at : instant(at),
    cycleId: "c",
    processor,
    date: parseIsoDate(date),
    event: "opened",
    state: "missing",
    wasComplete: false,
    ...more,
  };
}

export function closed(
  processor: string,
  date: string,
  at: string | number,
  more: Partial<GapEvent> = {},
): GapEvent {
  return opened(processor, date, at, { event: "closed", state: "complete", ...more });
}

type RunEnd = LedgerRecords["recentEnds"][number];

/** The end of a first attempt that failed, ten seconds after its start. */
export function runEnd(repair: string, at: string | number, more: Partial<RunEnd> = {}): RunEnd {
  const endedAt = typeof at === "number" ? at : instant(at);
  return {
    repairId: `${repair}-${endedAt}`,
    repair,
    processors: [repair],
    dates: [parseIsoDate("2024-01-03")],
    attempt: 1,
    startedAt: endedAt - 10_000,
    endedAt,
    outcome: "failed",
    systemic: null,
    errorCode: "exit_1",
    message: "it broke",
    ...more,
  };
}

export function repairStart(
  repair: string,
  dates: readonly string[],
  more: Partial<Omit<RepairStart, "repair" | "dates">> = {},
): RepairStart {
  return {
    repairId: `${repair}-start`,
    repair,
    processors: [repair],
    dates: dates.map(parseIsoDate),
    attempt: 1,
    token: 1,
    startedAt: instant("2024-01-01T00:00Z"),
    deadlineAt: instant("2024-01-01T01:00Z"),
    worker: "host/1/0",
    externalHandle: null,
    repairHash: "r1",
    cycleId: "c",
    ...more,
  };
}

export interface DecisionSketch {
  readonly at?: string;
  readonly processors?: readonly string[] | null;
  readonly start?: string;
  readonly end?: string;
  readonly expires?: string;
  readonly downstream?: "exempt" | "proceed";
  readonly id?: string;
}

/** Of a person; without dates it names all dates. */
export function decision(kind: DecisionKind, sketch: DecisionSketch = {}): Decision {
  return {
    id: sketch.id ?? `${kind}-1`,
    at: instant(sketch.at ?? "2024-01-01T00:00Z"),
    actor: "ann",
    reason: "because",
    kind,
    processors: sketch.processors ?? null,
    startDate: sketch.start === undefined ? null : parseIsoDate(sketch.start),
    endDate: sketch.end === undefined ? null : parseIsoDate(sketch.end),
    waiver:
      kind === "waive"
        ? {
            owner: "ann",
            expires: sketch.expires === undefined ? null : parseIsoDate(sketch.expires),
            downstream: sketch.downstream ?? "exempt",
          }
        : null,
  };
}

export function baseline(
  subject: Baseline["subject"],
  name: string,
  dates: string,
  more: Partial<Baseline> = {},
): Baseline {
  return {
    subject,
    name,
    hash: subject === "schedule" ? "" : "e1",
    at: instant("2024-01-01T00:00Z"),
    dates,
    ...more,
  };
}
