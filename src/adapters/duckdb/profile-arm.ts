import type { Metric } from "../../core/observation.ts";
import { metricsOf } from "../../core/observation.ts";
import type { CoverageExpectation, Processor } from "../../core/pipeline.ts";
import { assertNever } from "../../errors.ts";
import { columnOf, quoteColumn, type Source, Unobservable } from "./catalog.ts";
import { type DatedSource, datedSource, epochMs, type RangeSql } from "./dates.ts";
import { loadSql } from "./sql-files.ts";
import { enclose, quoteIdentifier } from "./sql-text.ts";

/** What an arm may refer to besides its own table. */
export interface ArmContext {
  readonly timezone: string;
  readonly range: RangeSql;
  tableOf(table: Processor["table"]): Source;
  processor(name: string): Processor;
  /** The schedule's source, date column and filter. @throws Unobservable for a calendar. */
  schedule(name: string): {
    readonly source: Source;
    readonly dateColumn: string;
    readonly where: string | null;
  };
}

/** The columns before the metrics: rows, entities, first and last write. */
export const fixedColumns = ["rows", "entities", "first_write_ms", "last_write_ms"] as const;

interface Part {
  /** Computed while the table is grouped by date; null where a join gives it. */
  readonly aggregate: string | null;
  /** The value per date, from the aggregates (as `gr_…`) and the joins. */
  readonly value: string;
  readonly label: string;
}

/**
 * The SQL of one processor as an arm of a union: its table grouped by date, with what else its expectation needs joined by
 * date.
 * @param width columns after the fixed ones; narrower arms of a union are padded with NULL.
 * @throws Unobservable, or ReconcilerError `warehouse_query_failed` for a fragment that is not whole.
 */
export function profileArm(processor: Processor, arm: number, width: number, context: ArmContext): string {
  const head = `${arm}::integer as gr_arm, (gr_day - date '1970-01-01')::integer as gr_day`;
  return profileSql(processor, head, width, context);
}

/** The same for a person: no padding, and a date that reads as one. */
export function profileForReading(processor: Processor, context: ArmContext): string {
  return profileSql(processor, "gr_day as date", 0, context);
}

function profileSql(processor: Processor, head: string, width: number, context: ArmContext): string {
  const own = datedSource(
    context.tableOf(processor.table),
    processor.dateColumn,
    processor.where,
    context.range,
    context.timezone,
  );
  const metrics = metricsOf(processor.expect);
  const parts = [
    { aggregate: "count(*) as gr_rows", value: "coalesce(gr_rows, 0)", label: fixedColumns[0] },
    {
      aggregate: null,
      value: processor.expect.coverage === null ? "null" : "coalesce(gr_entities, 0)",
      label: fixedColumns[1],
    },
    writePart("min", processor, own, context),
    writePart("max", processor, own, context),
    ...metrics.map((metric, index) => metricPart(metric, index, processor, own)),
  ];
  const padding = Array.from(
    { length: Math.max(0, width - metrics.length) },
    (_, index) => `null::double as gr_pad_${index}`,
  );
  return loadSql("profile-processor", {
    head,
    columns: parts
      .map(({ value, label }) => `(${value})::double as ${quoteIdentifier(label)}`)
      .concat(padding)
      .join(", "),
    day: own.day,
    aggregates: parts.flatMap(({ aggregate }) => aggregate ?? []).join(", "),
    source: own.source.sql,
    condition: own.condition,
    joins: joinsOf(processor, metrics, own, context).join("\n"),
  });
}

function writePart(
  aggregate: "min" | "max",
  processor: Processor,
  own: DatedSource,
  context: ArmContext,
): Part {
  const name = `gr_${aggregate}_write`;
  const label = aggregate === "min" ? fixedColumns[2] : fixedColumns[3];
  if (processor.writtenAtColumn === null) return { aggregate: null, value: "null", label };
  const column = columnOf(own.source, processor.writtenAtColumn);
  const sql = epochMs(aggregate, column, own.source, context.timezone);
  return { aggregate: `${sql} as ${name}`, value: name, label };
}

function metricPart(metric: Metric, index: number, processor: Processor, own: DatedSource): Part {
  const name = `gr_metric_${index}`;
  /** A count of rows: 0, not NULL, on a date that only the completion log has. */
  const counted = (aggregate: string, label: string): Part => ({
    aggregate: `${aggregate} as ${name}`,
    value: `coalesce(${name}, 0)`,
    label,
  });
  const joined = (column: string, label: string): Part => ({
    aggregate: null,
    value: `coalesce(${column}, 0)`,
    label,
  });
  switch (metric.kind) {
    case "entities_of":
      return joined("gr_entities_of", `entities of ${metric.of}`);
    case "completion_log":
      return joined("gr_logged", "completion log");
    case "coverage_of":
      return joined("gr_of", "coverage: entities there");
    case "coverage_absent":
      return joined("gr_absent", "coverage: absent");
    case "coverage_present":
      return joined("gr_present", "coverage: present");
    case "excess_rows":
      return counted(
        excessRows(metric.columns, processor, own.source),
        `excess rows of ${metric.columns.join(", ")}`,
      );
    case "nulls":
      return counted(
        `count(*) - count(${quoteColumn(own.source, metric.column)})`,
        `nulls of ${metric.column}`,
      );
    case "violations":
      return counted(`count_if(not ${enclose(metric.sql)})`, `violations of ${metric.name}`);
    case "measure":
      return { aggregate: `${enclose(metric.sql)}::double as ${name}`, value: name, label: metric.name };
    case "quality_at_least": {
      const column = quoteColumn(own.source, metric.column);
      return counted(`count_if(${column} >= ${metric.min})`, `${metric.column} at least ${metric.min}`);
    }
    default:
      return assertNever(metric, "metric");
  }
}

/** Rows beyond the first of each key, where NULL equals NULL. */
function excessRows(columns: readonly string[], processor: Processor, source: Source): string {
  const date = columnOf(source, processor.dateColumn);
  const keys = columns
    .map((name) => columnOf(source, name))
    // Within one date a DATE column holds one value, and distinct counts cost by their columns.
    .filter(({ name }) => !(name === date.name && date.type === "DATE"))
    .map(({ name }) => quoteIdentifier(name));
  const [first] = keys;
  if (first === undefined) return "count(*) - 1";
  if (keys.length > 1) return `count(*) - count(distinct (${keys.join(", ")}))`;
  return `count(*) - count(distinct ${first}) - (count(*) > count(${first}))::integer`;
}

function joinsOf(
  processor: Processor,
  metrics: readonly Metric[],
  own: DatedSource,
  context: ArmContext,
): string[] {
  const joins: string[] = [];
  for (const metric of metrics) {
    if (metric.kind === "entities_of") {
      const other = ofProcessor(metric.of, context);
      const count =
        metric.key === null ? "count(*)" : `count(distinct ${quoteColumn(other.source, metric.key)})`;
      joins.push(`left join (${countSql(other, count, "gr_entities_of")}) as gr_other_table using (gr_day)`);
    } else if (metric.kind === "completion_log") {
      const { table, dateColumn, where } = metric.log;
      const log = datedSource(context.tableOf(table), dateColumn, where, context.range, context.timezone);
      // Only this join adds dates (a date in the log without a row is an answer, not silence), so it comes first.
      joins.unshift(`full join (${countSql(log, "count(*)", "gr_logged")}) as gr_log using (gr_day)`);
    } else if (metric.kind === "coverage_of") {
      const sql = coverageSql(metric.coverage, processor, own, context);
      joins.push(`left join (${sql}) as gr_coverage using (gr_day)`);
    }
  }
  return joins;
}

function countSql(dated: DatedSource, count: string, name: string): string {
  const { day, condition, source } = dated;
  return loadSql("profile-count", { day, condition, source: source.sql, count, name });
}

function coverageSql(
  coverage: CoverageExpectation,
  processor: Processor,
  own: DatedSource,
  context: ArmContext,
): string {
  const of =
    coverage.of.kind === "processor"
      ? ofProcessor(coverage.of.name, context)
      : ofSchedule(processor, context);
  return loadSql("profile-coverage", {
    own_day: own.day,
    own_key: quoteColumn(own.source, coverage.key),
    own_source: own.source.sql,
    own_condition: own.condition,
    of_day: of.day,
    of_key: quoteColumn(of.source, coverage.ofKey),
    of_source: of.source.sql,
    of_condition: of.condition,
    excused: excusedSql(coverage, own, context),
  });
}

function excusedSql({ excusedBy, key }: CoverageExpectation, own: DatedSource, context: ArmContext): string {
  if (excusedBy === null) {
    const nobody = `${own.day} as gr_day, ${quoteColumn(own.source, key)} as gr_key, true as gr_excused`;
    return `select ${nobody} from ${own.source.sql} where false`;
  }
  const { table, dateColumn, where } = excusedBy;
  const excuses = datedSource(context.tableOf(table), dateColumn, where, context.range, context.timezone);
  return loadSql("profile-excused", {
    day: excuses.day,
    key: quoteColumn(excuses.source, excusedBy.key),
    source: excuses.source.sql,
    condition: excuses.condition,
  });
}

function ofProcessor(name: string, context: ArmContext): DatedSource {
  const { table, dateColumn, where } = context.processor(name);
  return datedSource(context.tableOf(table), dateColumn, where, context.range, context.timezone);
}

function ofSchedule(processor: Processor, context: ArmContext): DatedSource {
  const { source, dateColumn, where } = context.schedule(processor.schedule);
  return datedSource(source, dateColumn, where, context.range, context.timezone);
}

/** A schedule that is a calendar has dates and no entities. */
export function noEntities(schedule: string): Unobservable {
  return new Unobservable(
    "query_failed",
    `coverage of the schedule ${schedule}: a calendar names no entities; use a schedule from a table or a query`,
  );
}
