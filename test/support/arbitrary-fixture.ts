import fc from "fast-check";
import { type IsoDate, parseIsoDate } from "../../src/core/iso-date.ts";
import type { CoverageExpectation, ScheduleSpec, TableName } from "../../src/core/pipeline.ts";
import { arbitraryCalendar, arbitraryExceptions, arbitraryWindow } from "./arbitrary-time.ts";
import type { ExpectationSketch, PipelineSketch, ProcessorSketch } from "./pipeline.ts";

/** The columns that every table of a fixture has, with their types in each warehouse. */
export const fixtureColumns = {
  game_date: { bigquery: "DATE", duckdb: "date" },
  local_time: { bigquery: "DATETIME", duckdb: "timestamp" },
  instant: { bigquery: "TIMESTAMP", duckdb: "timestamptz" },
  text_date: { bigquery: "STRING", duckdb: "varchar" },
  number_date: { bigquery: "INT64", duckdb: "integer" },
  key: { bigquery: "STRING", duckdb: "varchar" },
  score: { bigquery: "INT64", duckdb: "bigint" },
  share: { bigquery: "FLOAT64", duckdb: "double" },
  done: { bigquery: "BOOL", duckdb: "boolean" },
} as const;

/** Rows as the columns are; every value is text, which both warehouses read alike. */
type Rows = readonly (readonly (string | null)[])[];

/** Tables with processors that look at them, in no dialect. */
interface Fixture {
  readonly tables: readonly Rows[];
  /** Which of the schedules beside it, counted round. */
  readonly schedule: number;
  readonly processors: readonly ProcessorDraw[];
}

const tableCount = 2;
const tableIndex = fc.nat(tableCount - 1);

/** Ends of months and years, a leap day, the days on which clocks are set, and days that no question is about. */
const day = oneOf(`
  2023-12-31 2024-01-01 2024-01-02 2024-01-31 2024-02-01 2024-02-28 2024-02-29 2024-03-01 2024-03-09 2024-03-10
  2024-03-11 2024-03-30 2024-03-31 2024-04-01 1899-12-31 2024-12-31 0001-01-02 9999-12-30`);
/** Both sides of midnight in UTC, New York, Beirut and Kathmandu, where clocks are set, and times that there are not. */
const time = oneOf(`
  2024-01-01T04:59:59 2024-01-01T05:00:00 2024-01-01T18:14:59.999999 2024-01-01T18:15:00 2024-01-02T00:00:00
  2024-01-31T23:59:59 2024-02-01T04:59:59.123456 2024-02-29T05:00:00 2024-03-10T02:30:00 2024-03-10T04:59:59
  2024-03-10T05:00:00 2024-03-10T07:00:00 2024-03-11T03:59:59 2024-03-11T04:00:00 2024-03-30T21:59:59
  2024-03-30T22:00:00 2024-03-31T00:30:00 2024-03-31T20:59:59 2024-03-31T21:00:00 1970-01-01T00:00:00
  0001-01-02T12:00:00 9999-12-30T12:00:00`);
/** Dates in several forms, times among them, and what is a date in none, or nearly. */
const textDate = oneOf(`
  20240101 20240131 20240229 20240230 20231231 2024-01-01 2024-01-02 2024-02-29 2024-1-2 2024-01 2023-12 01.02.2024
  31.01.2024 5.1.2024 2024-01-02T03:30:00 2024-01-31T23:59:59 2024-02-01T04:59:59 2024-01-02T3:30:00 2024 0024-01-01
  n/a 2024-01-01x 24-01-01 infinity epoch`);
const numberDate = oneOf(
  "20240101 20240131 20240229 20240230 20231231 202401 202312 1022024 31012024 2024 0 -20240101",
);
/** Few values each, so that they collide, and NULL often. */
const row = fc.tuple(
  fc.option(day),
  fc.option(time),
  fc.option(time.map((text) => `${text}+00`)),
  fc.option(textDate),
  fc.option(numberDate),
  fc.option(fc.constantFrom("a", "b", "A", "é", "e\u0301", "日", "")),
  fc.option(fc.constantFrom("-2", "-1", "0", "1", "2", "9007199254740993")),
  fc.option(fc.constantFrom("0.5", "1", "90", "NaN", "-0.0", "0.0", "1e300", "inf", "-inf")),
  fc.option(fc.constantFrom("true", "false")),
);

const timeColumn = fc.constantFrom("game_date", "local_time", "instant");
/** Zones in which no time of the fixtures is shown twice: which of them is meant, no warehouse says. */
const columnTimezone = fc.constantFrom(null, "UTC", "Asia/Tokyo", "America/New_York");
const textFormat = oneOf(
  "%Y%m%d %Y-%m-%d %Y%m%d %Y-%m-%d %Y-%m %Y %d.%m.%Y %-d.%-m.%Y %Y-%m-%dT%H:%M:%S %F %y-%m-%d",
);
const numberFormat = oneOf("%Y%m%d %Y%m%d %Y%m %d%m%Y %Y");
/** A date by its type, or in a form that says how to read it, which few of the values have. */
const dateColumnWith = (timesWeight: number) =>
  fc.oneof(
    {
      weight: timesWeight,
      arbitrary: fc.record({ dateColumn: timeColumn, dateFormat: fc.constant(null), columnTimezone }),
    },
    fc.record({ dateColumn: fc.constant("text_date"), dateFormat: textFormat, columnTimezone }),
    fc.record({ dateColumn: fc.constant("number_date"), dateFormat: numberFormat, columnTimezone }),
  );
const dateColumn = dateColumnWith(3);
const keyColumn = fc.constantFrom("key", "score");
const anyColumn = fc.constantFrom(...Object.keys(fixtureColumns));
/** Conditions that read alike in both dialects. */
const condition = fc.constantFrom(
  "score is null or score > -2",
  "key <> ''",
  "done",
  "not done or score = 1",
);
const where = fc.option(condition, { freq: 2 });

/** A schedule with a table of its own. */
const schedule = fc.record({
  kind: fc.constantFrom("table" as const, "table" as const, "query" as const, "calendar" as const),
  rows: fc.array(row, { minLength: 1, maxLength: 20, size: "max" }),
  date: dateColumnWith(24),
  unitColumn: fc.option(fc.constantFrom("key", "score", "instant")),
  seasonColumn: fc.option(fc.constantFrom("key", "score", "done")),
  where,
  startDate: fc.option(fc.constantFrom("2024-01-01", "2024-01-31"), { freq: 2 }),
  endDate: fc.option(fc.constantFrom("2024-02-29", "2024-03-30"), { freq: 1 }),
  calendar: arbitraryCalendar,
  except: arbitraryExceptions(day.map(parseIsoDate)),
});
type ScheduleDraw = Drawn<typeof schedule>;
type Drawn<A> = A extends fc.Arbitrary<infer T> ? T : never;

const logged = fc.record({ table: tableIndex, date: dateColumn, where });
type LogDraw = Drawn<typeof logged>;
const coverage = fc.record({
  ofSchedule: fc.boolean(),
  key: keyColumn,
  min: fc.constantFrom(0.5, 1),
  extra: fc.constantFrom(null, "gap", "ignore"),
  excusedBy: fc.option(logged),
});
type CoverageDraw = Drawn<typeof coverage>;
const measure = fc.record({
  sql: fc.constantFrom(
    "avg(length(key))",
    "sum(score)",
    "count(distinct key)",
    "max(score) - min(score)",
    "sum(case when done then 1 else 0 end)",
    "count(share)",
  ),
  min: fc.constantFrom(null, 0),
  max: fc.constantFrom(null, 1),
});
const quality = fc.record({
  column: fc.constantFrom("share", "score"),
  minGoodShare: fc.constantFrom(0.5, 1),
  afterDays: fc.constantFrom(0, 2),
});
const window = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ kind: "same_date" } as const) },
  { weight: 4, arbitrary: arbitraryWindow },
);
const processor = fc.record({
  table: tableIndex,
  date: dateColumn,
  where,
  writtenAtColumn: fc.option(timeColumn, { freq: 1 }),
  bootstrapDays: fc.constantFrom(0, 2),
  /** Whether it has the schedule after its fixture's, so that an edge leads from one schedule to another. */
  otherSchedule: fc.boolean(),
  offSchedule: fc.constantFrom("report", "allow", "gap"),
  dependsOnPast: fc.constantFrom(false, false, true),
  due: fc.constantFrom({ daysAfter: 1, minuteOfDay: 360 }, { datesAfter: 1, minuteOfDay: 360 }),
  stale: fc.constantFrom("ignore", "report", "follow", "repair"),
  edge: fc.option(fc.record({ window, minCompleteness: fc.constantFrom(null, 0.5) }), { freq: 2 }),
  rows: fc.record({
    min: fc.integer({ min: 0, max: 3 }),
    max: fc.option(fc.constant(3)),
    perUnit: fc.option(fc.constantFrom(0.5, 1)),
    maxPerUnit: fc.option(fc.constant(2)),
  }),
  perEntity: fc.option(fc.record({ key: fc.option(keyColumn), min: fc.constantFrom(0.5, 1) })),
  when: fc.option(fc.record({ min: fc.constantFrom(1, 2) }), { freq: 2 }),
  completionLog: fc.option(
    fc.record({
      table: tableIndex,
      date: dateColumn,
      where,
      rowsColumn: fc.option(fc.constantFrom("score", "share")),
    }),
  ),
  coverage: fc.option(coverage, { freq: 1 }),
  uniqueKeys: fc.array(fc.uniqueArray(anyColumn, { minLength: 1, maxLength: 3 }), { maxLength: 2 }),
  notNull: fc.uniqueArray(fc.record({ column: anyColumn, maxRatio: fc.constantFrom(0, 0.5) }), {
    maxLength: 2,
    selector: ({ column }) => column,
  }),
  checks: fc.uniqueArray(condition, { maxLength: 2 }),
  measures: fc.uniqueArray(measure, { maxLength: 2, selector: ({ sql }) => sql }),
  quality: fc.option(quality),
});
type ProcessorDraw = Drawn<typeof processor>;

const fixture: fc.Arbitrary<Fixture> = fc.record({
  tables: fc.array(fc.array(row, { maxLength: 12 }), { minLength: tableCount, maxLength: tableCount }),
  schedule: fc.nat(1),
  processors: fc.array(processor, { minLength: 1, maxLength: 3 }),
});

/** Fixtures that stand side by side in one warehouse and one pipeline, and their schedules. */
interface Batch {
  readonly schedules: readonly ScheduleDraw[];
  readonly fixtures: readonly Fixture[];
  readonly timezone: string;
  /** Both included; the last one is the day that it is. */
  readonly range: { readonly start: string; readonly end: string };
}

/** Fixtures of every shape; a batch shrinks to one, with the fewest rows, processors and expectations. */
export function arbitraryBatch(fixturesMax: number): fc.Arbitrary<Batch> {
  return fc.record({
    schedules: fc.array(schedule, { minLength: 1, maxLength: 2 }),
    // None is allowed, or shrinking could not take away the one beside the one that differs.
    fixtures: fc.array(fixture, { maxLength: fixturesMax, size: "max" }),
    timezone: fc.constantFrom("UTC", "America/New_York", "Asia/Beirut", "Asia/Kathmandu"),
    range: fc.constantFrom(
      { start: "2024-01-01", end: "2024-02-29" },
      { start: "2023-12-31", end: "2024-03-10" },
      { start: "1900-01-01", end: "2024-03-31" },
      { start: "2024-01-31", end: "2024-04-01" },
    ),
  });
}

/** What a warehouse and a pipeline have of a batch, with a pipeline of each fixture alone. */
export interface BatchSketch {
  readonly tables: Readonly<Record<string, Rows>>;
  readonly whole: PipelineSketch;
  readonly alone: readonly PipelineSketch[];
}

export function sketchOf({ schedules, fixtures, timezone }: Batch): BatchSketch {
  const specs = schedules.map((drawn, index) => scheduleOf(drawn, `s${index}`));
  const tables: Record<string, Rows> = {};
  schedules.forEach(({ rows }, index) => {
    tables[`stats.s${index}`] = rows;
  });
  const alone = fixtures.map((drawn, index): PipelineSketch => {
    const spec = specs[drawn.schedule % specs.length];
    if (spec === undefined) throw new RangeError("there is no schedule");
    drawn.tables.forEach((rows, table) => {
      tables[`stats.f${index}_t${table}`] = rows;
    });
    const other = specs[(drawn.schedule + 1) % specs.length] ?? spec;
    const isUsed = other !== spec && drawn.processors.some(({ otherSchedule }) => otherSchedule);
    const schedules = isUsed ? [spec, other] : [spec];
    return { timezone, schedules, processors: processorsOf(drawn, `f${index}`, spec, other) };
  });
  const processors = Object.assign({}, ...alone.map((sketch) => sketch.processors));
  return { tables, alone, whole: { timezone, schedules: specs, processors } };
}

function oneOf(words: string): fc.Arbitrary<string> {
  return fc.constantFrom(...words.trim().split(/\s+/));
}

const firstDay: IsoDate = parseIsoDate("2024-01-01");

function scheduleOf(drawn: ScheduleDraw, name: string): ScheduleSpec {
  const { kind, rows: _, startDate, endDate, calendar, except, date, ...rest } = drawn;
  const columns = { ...rest, ...date };
  const start = startDate === null ? null : parseIsoDate(startDate);
  const end = endDate === null ? null : parseIsoDate(endDate);
  const spec = { name, startDate: start, endDate: end, except, maxGapDays: null };
  switch (kind) {
    case "table":
      return { ...spec, source: { kind, table: { parts: ["stats", name] }, ...columns } };
    case "query": {
      const sql = `select * from stats.${name} where share is null or score is not null`;
      return { ...spec, source: { kind, file: "schedule.sql", sql, ...columns } };
    }
    case "calendar":
      return { ...spec, startDate: start ?? firstDay, source: calendar };
  }
}

interface Names {
  readonly table: (index: number) => TableName;
  /** The processor before this one, which the first has not. */
  readonly before: string | null;
  readonly schedule: ScheduleSpec;
}

function processorsOf(
  { processors }: Fixture,
  prefix: string,
  schedule: ScheduleSpec,
  other: ScheduleSpec,
): Record<string, ProcessorSketch> {
  const nameOf = (index: number) => `${prefix}_p${index}`;
  const table = (index: number) => ({ parts: ["stats", `${prefix}_t${index}`] });
  return Object.fromEntries(
    processors.map((drawn, index) => [
      nameOf(index),
      processorOf(drawn, {
        table,
        before: index === 0 ? null : nameOf(index - 1),
        schedule: drawn.otherSchedule ? other : schedule,
      }),
    ]),
  );
}

function processorOf(drawn: ProcessorDraw, names: Names): ProcessorSketch {
  const { perEntity, completionLog: log, coverage: covered, quality: judged } = drawn;
  const { before } = names;
  const expect: ExpectationSketch = {
    rows: {
      ...drawn.rows,
      perEntity: perEntity === null || before === null ? null : { ...perEntity, of: before },
      when: drawn.when === null || before === null ? null : { ...drawn.when, of: before },
      completionLog: log === null ? null : { ...logOf(log, names), rowsColumn: log.rowsColumn },
    },
    coverage: covered === null ? null : coverageOf(covered, names),
    uniqueKeys: drawn.uniqueKeys,
    notNull: drawn.notNull,
    checks: drawn.checks.map((sql) => ({ name: sql, sql })),
    measures: drawn.measures.map((measured) => ({ ...measured, name: measured.sql })),
    quality: judged === null ? null : { ...judged, good: 90, ok: 1, degraded: 0.5 },
  };
  return {
    table: names.table(drawn.table),
    schedule: names.schedule.name,
    ...drawn.date,
    where: drawn.where,
    writtenAtColumn: drawn.writtenAtColumn,
    bootstrapDays: drawn.bootstrapDays,
    dependsOnPast: drawn.dependsOnPast,
    due: drawn.due,
    stale: drawn.stale,
    needs: drawn.edge === null || before === null ? [] : [{ ...drawn.edge, on: before }],
    expect,
  };
}

function coverageOf(
  { ofSchedule, key, min, extra, excusedBy }: CoverageDraw,
  { before, schedule, table }: Names,
): CoverageExpectation | null {
  if (ofSchedule ? schedule.source.kind === "calendar" : before === null) return null;
  return {
    of: ofSchedule || before === null ? { kind: "schedule" } : { kind: "processor", name: before },
    key,
    ofKey: key,
    min,
    extra,
    excusedBy: excusedBy === null ? null : { ...logOf(excusedBy, { table }), key },
  };
}

function logOf({ table, date, where: condition }: LogDraw, names: Pick<Names, "table">) {
  return { ...date, table: names.table(table), where: condition };
}
