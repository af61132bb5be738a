import type { DateColumn } from "../../src/core/date-column.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type {
  Edge,
  Expectation,
  Pipeline,
  Processor,
  RepairUnit,
  RowsExpectation,
  RunHistorySpec,
  ScheduleSpec,
} from "../../src/core/pipeline.ts";

/** What a test says of a processor; the rest is as plain as can be: every day, one row is enough, repaired at once. */
export interface ProcessorSketch
  extends Partial<Omit<Processor, "name" | "index" | "edges" | "expect" | "repairUnit" | "available">> {
  readonly needs?: readonly (string | EdgeSketch)[];
  readonly expect?: ExpectationSketch;
  readonly available?: { readonly from?: string; readonly to?: string };
  /** Null has none; a name is a repair shared by all that name it, described by the first. */
  readonly repair?: RepairSketch | null;
}

export interface EdgeSketch extends Partial<Omit<Edge, "anyOf">> {
  readonly on: string | readonly string[];
}

export interface ExpectationSketch extends Partial<Omit<Expectation, "rows">> {
  readonly rows?: Partial<RowsExpectation>;
}

export interface RepairSketch extends Partial<Omit<RepairUnit, "processors">> {}

export interface PipelineSketch extends Partial<Omit<Pipeline, "processors" | "repairUnits">> {
  readonly processors: Readonly<Record<string, ProcessorSketch>>;
}

/** A column that is a date or a time by its type. */
export function datedBy(dateColumn: string, rest: Partial<DateColumn> = {}): DateColumn {
  return { dateColumn, dateFormat: null, columnTimezone: null, ...rest };
}

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

const plainRows: RowsExpectation = {
  min: 1,
  max: null,
  perUnit: null,
  maxPerUnit: null,
  perEntity: null,
  when: null,
  completionLog: null,
};

export function expectationOf(sketch: ExpectationSketch = {}): Expectation {
  return {
    coverage: null,
    uniqueKeys: [],
    notNull: [],
    checks: [],
    measures: [],
    quality: null,
    hash: "e1",
    ...sketch,
    rows: { ...plainRows, ...sketch.rows },
  };
}

function edgeOf(sketch: string | EdgeSketch): Edge {
  const { on, ...rest } = typeof sketch === "string" ? { on: sketch } : sketch;
  const window = ("window" in rest ? rest.window : undefined) ?? { kind: "same_date" };
  return {
    anyOf: typeof on === "string" ? [on] : on,
    mode: "hard",
    waitMs: null,
    minCompleteness: null,
    minShare: 1,
    stale: !/^da(ys|tes)/.test(window.kind),
    ...rest,
    window,
  };
}

function repairOf(name: string, sketch: RepairSketch, processors: readonly number[]): RepairUnit {
  return {
    name,
    action: { kind: "sql", file: `${name}.sql`, sql: "select 1", publish: "if_better", leaveNull: [] },
    replaces: true,
    saysReplaces: true,
    batch: "range",
    maxAttempts: 3,
    backoffMs: [30_000, 60_000, 120_000],
    probe: null,
    timeoutMs: 600_000,
    timeoutPerDateMs: 300_000,
    maxDatesPerJob: 31,
    concurrency: 2,
    pool: null,
    windows: [],
    preconditions: [],
    hash: "r1",
    ...sketch,
    processors,
  };
}

/** Every day from 2024-01-01. */
export const everyDay: ScheduleSpec = {
  name: "default",
  source: { kind: "calendar", every: "day", weekday: 1, day: "first" },
  startDate: parseIsoDate("2024-01-01"),
  endDate: null,
  except: null,
  maxGapDays: null,
};

/** A schedule whose dates a test observes. */
export function tableSchedule(name = "default", maxGapDays: number | null = null): ScheduleSpec {
  return {
    name,
    source: {
      kind: "table",
      table: { parts: ["raw", name] },
      ...datedBy("game_date"),
      unitColumn: null,
      seasonColumn: "season",
      where: null,
    },
    startDate: null,
    endDate: null,
    except: null,
    maxGapDays,
  };
}

/** A run history with the columns that many have; what is not named is not there. */
export function runHistoryOf(sketch: Partial<RunHistorySpec> = {}): RunHistorySpec {
  return {
    table: { parts: ["ops", "runs"] },
    ...datedBy("data_date"),
    processorColumn: "processor_name",
    statusColumn: "status",
    startedAtColumn: "started_at",
    endedAtColumn: null,
    errorColumn: null,
    runIdColumn: null,
    where: null,
    statuses: { running: ["running"], failed: ["failed"], skipped: ["skipped"] },
    runningMaxMs: 4 * hourMs,
    names: {},
    ...sketch,
  };
}

/** In the order in which the sketch names the processors. */
export function pipelineOf(sketch: PipelineSketch): Pipeline {
  const { processors, ...rest } = sketch;
  const units: { name: string; sketch: RepairSketch; processors: number[] }[] = [];
  const unitOf = (name: string, repair: RepairSketch | null | undefined, index: number): number | null => {
    if (repair === null) return null;
    const unitName = repair?.name ?? name;
    const found = units.findIndex((unit) => unit.name === unitName);
    if (found < 0) return units.push({ name: unitName, sketch: repair ?? {}, processors: [index] }) - 1;
    units[found]?.processors.push(index);
    return found;
  };
  const made = Object.entries(processors).map(
    ([name, { needs, expect, repair, available, ...own }], index) => ({
      name,
      index,
      phase: null,
      table: { parts: ["warehouse", name] },
      ...datedBy("game_date"),
      where: null,
      writtenAtColumn: null,
      severity: "warning" as const,
      owner: null,
      tags: [],
      schedule: "default",
      due: { daysAfter: 1, minuteOfDay: 360 },
      bootstrapDays: 0,
      available: {
        from: available?.from === undefined ? null : parseIsoDate(available.from),
        to: available?.to === undefined ? null : parseIsoDate(available.to),
      },
      sourceRetentionMs: null,
      chronological: own.dependsOnPast === true,
      dependsOnPast: false,
      onPoison: "stop" as const,
      priority: 0,
      stale: "report" as const,
      offSchedule: "report" as const,
      ...own,
      edges: (needs ?? []).map(edgeOf),
      expect: expectationOf(expect),
      repairUnit: unitOf(name, repair, index),
    }),
  );
  return {
    name: "test",
    timezone: "UTC",
    schedules: [everyDay],
    pools: [],
    limits: { jobsMax: 8, cellsPerCycleMax: 2000, commandsMax: 1 },
    budgets: { scanBytesPerCycle: null, scanBytesPerDay: null, repairsPerDay: null },
    safety: {
      autoRepairMaxAgeMs: null,
      massGap: { maxShare: 0.2, cellsMin: 50 },
      scheduleChange: { maxShare: 0.01, datesMin: 3 },
      circuitBreaker: { failures: 5, coolOffMs: 30 * 60_000 },
    },
    waivers: [],
    runHistory: null,
    ...rest,
    processors: made,
    repairUnits: units.map((unit) => repairOf(unit.name, unit.sketch, unit.processors)),
  };
}
