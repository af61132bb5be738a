import { assess } from "../../src/core/assess.ts";
import {
  alignSight,
  type Assessment,
  type AssessInput,
  compilePipeline,
  positionsOf,
} from "../../src/core/assessment.ts";
import {
  type DispositionName,
  dispositionName,
  type Grid,
  type ReasonName,
  reasonName,
  type StateName,
  stateName,
} from "../../src/core/grid.ts";
import { addDays, type Day, type IsoDate, parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import { foldLedger, type InFlight } from "../../src/core/ledger-facts.ts";
import { emptyLedgerRecords, type LedgerRecords } from "../../src/core/ledger-records.ts";
import { firstKnownDay } from "../../src/core/off-schedule.ts";
import type {
  HistoryRun,
  Observations,
  OutsideRows,
  ProcessorObservation,
  Profile,
  RunHistoryObservation,
  ScheduleObservation,
  Unseen,
} from "../../src/core/observation.ts";
import type { RunPolicy } from "../../src/core/policy.ts";
import { instant } from "./ledger.ts";
import { type PipelineSketch, pipelineOf } from "./pipeline.ts";

/** What was seen of one date, where a count of rows does not say enough. Times are texts such as `2024-01-05T06:00Z`. */
export interface SeenDate {
  readonly date: string;
  readonly rows?: number;
  readonly entities?: number;
  readonly firstWrite?: string;
  readonly lastWrite?: string;
  readonly metrics?: readonly number[];
}

/**
 * A pipeline, what was seen and what is on record, in a few lines. A pattern has a character per date from `start` on.
 */
export interface Scene extends PipelineSketch {
  readonly start?: string;
  /**
   * By processor: a pattern in which `#` is 10 rows, a digit so many, `.` none and `?` unseen; or dates one by one. What is not named
   * has no rows; null could not be observed.
   */
  readonly seen?: Readonly<Record<string, string | readonly SeenDate[] | null>>;
  /** By schedule: a pattern in which `-` is not scheduled and a letter names the season. */
  readonly dates?: Readonly<Record<string, string>>;
  readonly units?: number;
  /** Noon of the day after the last date of the patterns, unless it is said. */
  readonly now?: string;
  readonly last?: string;
  readonly ledger?: Partial<LedgerRecords>;
  readonly inFlight?: readonly FlightSketch[];
  readonly policy?: Partial<RunPolicy>;
  readonly selection?: {
    readonly processors?: readonly string[];
    readonly start?: string;
    readonly end?: string;
  };
  readonly unmet?: Readonly<Record<string, string>>;
  /** By processor: rows outside of the dates of the scan. */
  readonly outside?: Readonly<Record<string, OutsideRows>>;
  /** What others ran, newest start first; a text says why that could not be read. */
  readonly history?: readonly RunSketch[] | string;
}

/** A run of others; it is running unless said otherwise. Times are texts such as `2024-01-05T06:00Z`. */
export interface RunSketch {
  readonly name: string;
  readonly date: string;
  readonly kind?: HistoryRun["kind"];
  readonly started: string;
  readonly id?: string;
}

export interface FlightSketch {
  readonly repair: string;
  readonly dates: readonly string[];
  readonly state?: InFlight["state"];
}

export function inputOf(scene: Scene): AssessInput {
  const start = parseIsoDate(scene.start ?? "2024-01-01");
  const pipeline = pipelineOf(sketchOf(scene));
  const compiled = compilePipeline(pipeline);
  const now = scene.now === undefined ? noonAfter(scene, start) : instant(scene.now);
  const last = scene.last === undefined ? undefined : toDay(parseIsoDate(scene.last));
  const facts = foldLedger(pipeline, { ...emptyLedgerRecords, ...scene.ledger }, now);
  const seen = observationsOf(scene, start, now);
  const sight = alignSight(compiled, seen, now, last, firstKnownDay(compiled, facts));
  const named = scene.selection?.processors;
  const limits = scene.selection;
  return {
    compiled,
    sight,
    facts,
    inFlight: (scene.inFlight ?? []).map((flight) => flightOf(flight, pipeline)),
    now,
    policy: { maxAgeMs: null, wanted: [], horizon: now, ignoreBackoff: false, ...scene.policy },
    selection: {
      processors: new Set(
        pipeline.processors
          .filter(({ name }) => named === undefined || named.includes(name))
          .map(({ index }) => index),
      ),
      ...positionsOf(
        sight.axis,
        limits?.start === undefined ? null : parseIsoDate(limits.start),
        limits?.end === undefined ? null : parseIsoDate(limits.end),
      ),
    },
    assumed: null,
  };
}

export function assessed(scene: Scene): Assessment {
  return assess(inputOf(scene));
}

export interface CellView {
  readonly state: StateName;
  readonly disposition: DispositionName;
  readonly reason: ReasonName;
  readonly degraded: boolean;
}

export function cellAt({ grid }: Assessment, processor: string, date: string): CellView {
  const index = grid.pipeline.processors.findIndex(({ name }) => name === processor);
  const position = toDay(parseIsoDate(date)) - grid.axis.first;
  if (index < 0 || position < 0 || position >= grid.axis.length) {
    throw new RangeError(`there is no cell ${processor}/${date}`);
  }
  const cell = index * grid.axis.length + position;
  return {
    state: stateName(grid.states[cell] ?? 0),
    disposition: dispositionName(grid.dispositions[cell] ?? 0),
    reason: reasonName(grid.reasons[cell] ?? 0),
    degraded: grid.degraded[cell] === 1,
  };
}

const stateLetters: Readonly<Record<StateName, string>> = {
  unscheduled: "-",
  unknown: "?",
  complete: "C",
  stale: "S",
  exempt: "E",
  pending: "p",
  missing: "M",
  partial: "P",
  invalid: "I",
  unexpected: "U",
};

/** A letter per date of the axis: `-?CSEpMPIU` for the states in the order of their codes. */
export function statesOf({ grid }: Assessment, processor: string): string {
  return letters(grid, processor, (cell) => stateLetters[stateName(grid.states[cell] ?? 0)]);
}

const dispositionLetters: Readonly<Record<DispositionName, string>> = {
  none: ".",
  running: "r",
  queued: "q",
  unrepairable: "u",
  quarantined: "x",
  blocked: "b",
  held: "h",
  backing_off: "o",
  ready: "R",
};

/** A letter per date of the axis: `.rquxbhoR` for the dispositions in the order of their codes. */
export function dispositionsOf({ grid }: Assessment, processor: string): string {
  return letters(
    grid,
    processor,
    (cell) => dispositionLetters[dispositionName(grid.dispositions[cell] ?? 0)],
  );
}

function letters(grid: Grid, processor: string, letterOf: (cell: number) => string): string {
  const index = grid.pipeline.processors.findIndex(({ name }) => name === processor);
  if (index < 0) throw new RangeError(`there is no processor ${processor}`);
  const base = index * grid.axis.length;
  return Array.from({ length: grid.axis.length }, (_, position) => letterOf(base + position)).join("");
}

function sketchOf(scene: Scene): PipelineSketch {
  const {
    start,
    seen,
    dates,
    units,
    now,
    last,
    ledger,
    inFlight,
    policy,
    selection,
    unmet,
    outside,
    history,
    ...sketch
  } = scene;
  return sketch;
}

function noonAfter(scene: Scene, start: IsoDate): number {
  const patterns = [...Object.values(scene.seen ?? {}), ...Object.values(scene.dates ?? {})];
  const length = Math.max(1, ...patterns.map((value) => (typeof value === "string" ? value.length : 0)));
  return instant(`${addDays(start, length)}T12:00Z`);
}

/** The dates that a pattern has a `?` for. */
function unseenIn(pattern: string, start: IsoDate): Unseen | null {
  const days = Array.from(pattern).flatMap((letter, offset) =>
    letter === "?" ? [toDay(start) + offset] : [],
  );
  if (days.length === 0) return null;
  return { days: new Set(days), failure: { code: "budget", message: "no bytes left" } };
}

function observationsOf(scene: Scene, start: IsoDate, now: number): Observations {
  const processors = new Map<string, ProcessorObservation>();
  for (const name of Object.keys(scene.processors)) {
    const seen = scene.seen?.[name];
    processors.set(
      name,
      seen === null
        ? { kind: "failed", failure: { code: "permission", message: "denied" } }
        : {
            kind: "observed",
            profile: profileOf(typeof seen === "string" ? byPattern(seen, start) : (seen ?? [])),
            unseen: typeof seen === "string" ? unseenIn(seen, start) : null,
          },
    );
  }
  return {
    now,
    schedules: new Map(
      Object.entries(scene.dates ?? {}).map(([name, pattern]) => [
        name,
        scheduleOf(pattern, toDay(start), scene.units ?? 1),
      ]),
    ),
    processors,
    outside: new Map(Object.entries(scene.outside ?? {})),
    unmetPreconditions: new Map(Object.entries(scene.unmet ?? {})),
    runHistory: historyOf(scene.history),
    scanBytes: 0,
  };
}

function historyOf(history: Scene["history"]): RunHistoryObservation | null {
  if (history === undefined) return null;
  if (typeof history === "string") return { runs: [], failure: { code: "not_found", message: history } };
  const runs = history.map(
    ({ name, date, kind = "running", started, id }): HistoryRun => ({
      name,
      day: toDay(parseIsoDate(date)),
      kind,
      status: kind,
      startedAt: instant(started),
      endedAt: null,
      runId: id ?? null,
      error: null,
    }),
  );
  return { runs, failure: null };
}

function byPattern(pattern: string, start: IsoDate): SeenDate[] {
  return Array.from(pattern).flatMap((letter, offset) => {
    if (letter === "." || letter === "?") return [];
    if (!/[#0-9]/.test(letter)) throw new RangeError(`expected #, a digit, a dot or ?, found "${letter}"`);
    return [{ date: addDays(start, offset), rows: letter === "#" ? 10 : Number(letter) }];
  });
}

/** Dates must ascend. */
export function profileOf(seen: readonly SeenDate[]): Profile {
  const time = (text: string | undefined) => (text === undefined ? Number.NaN : instant(text));
  const width = Math.max(0, ...seen.map(({ metrics }) => metrics?.length ?? 0));
  return {
    days: Int32Array.from(seen, ({ date }) => toDay(parseIsoDate(date))),
    rows: Float64Array.from(seen, ({ rows }) => rows ?? 10),
    entities: Float64Array.from(seen, ({ entities }) => entities ?? Number.NaN),
    firstWriteMs: Float64Array.from(seen, ({ firstWrite }) => time(firstWrite)),
    lastWriteMs: Float64Array.from(seen, ({ lastWrite }) => time(lastWrite)),
    metrics: Array.from({ length: width }, (_, column) =>
      Float64Array.from(seen, ({ metrics }) => metrics?.[column] ?? Number.NaN),
    ),
  };
}

/** A season per letter, which starts on the first date that has it. */
export function scheduleOf(pattern: string, first: Day, units: number): ScheduleObservation {
  const entries = Array.from(pattern).flatMap((letter, offset) =>
    letter === "-" ? [] : [{ letter, day: first + offset }],
  );
  const names = [...new Set(entries.map(({ letter }) => letter))];
  return {
    days: Int32Array.from(entries, ({ day }) => day),
    units: Float64Array.from(entries, () => units),
    season: Int32Array.from(entries, ({ letter }) => names.indexOf(letter)),
    seasons: names.map((name) => ({
      name,
      startDay: entries.find(({ letter }) => letter === name)?.day ?? first,
    })),
  };
}

function flightOf(flight: FlightSketch, pipeline: ReturnType<typeof pipelineOf>): InFlight {
  const repairUnit = pipeline.repairUnits.findIndex(({ name }) => name === flight.repair);
  return {
    repairUnit,
    state: flight.state ?? "running",
    processors: pipeline.repairUnits[repairUnit]?.processors ?? [],
    days: flight.dates.map((date) => toDay(parseIsoDate(date))),
  };
}
