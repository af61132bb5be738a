import { asksOthers } from "../../core/emptiness.ts";
import { type Metric, metricsOf, noDay } from "../../core/observation.ts";
import type { Processor, RowsExpectation } from "../../core/pipeline.ts";
import { assertNever } from "../../errors.ts";
import type { ArmContext, ArmDialect } from "./arm.ts";
import { coverageParts, ofProcessor, quoteColumn } from "./coverage.ts";
import { columnOf, type DatedSource, type Source } from "./source.ts";

export type { ArmContext, ArmDialect } from "./arm.ts";

/** The columns before the metrics: rows, entities, first and last write. */
export const fixedColumns = ["rows", "entities", "first_write_ms", "last_write_ms"] as const;

type CompletionLog = NonNullable<RowsExpectation["completionLog"]>;

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
  const { dialect, outside } = context;
  const headOf = (day: string) => `${dialect.toInteger(String(arm))} as gr_arm, ${day} as gr_day`;
  const day = dialect.dayNumber("gr_day");
  const dayOrNone = `coalesce(${day}, ${noDay})`;
  if (outside.kind !== "apart") {
    return profileSql(processor, headOf(outside.kind === "none" ? day : dayOrNone), width, context);
  }
  const own = outside.dated(context.tableOf(processor.table), processor, processor.where);
  const others = fixedColumns.length - 1 + Math.max(width, metricsOf(processor.expect).length);
  const counted = dialect.loadSql("profile-outside", {
    head: headOf(dayOrNone),
    rows: dialect.toFloat("gr_rows"),
    padding: `, ${dialect.toFloat("null")}`.repeat(others),
    day: own.day,
    source: own.source.sql,
    condition: own.condition,
  });
  return `${profileSql(processor, headOf(day), width, context)}\nunion all\n${counted}`;
}

/** The same for a person: no padding, and a date that reads as one. */
export function profileForReading(processor: Processor, context: ArmContext): string {
  return profileSql(processor, "gr_day as date", 0, context);
}

function profileSql(processor: Processor, head: string, width: number, context: ArmContext): string {
  const { dialect } = context;
  const table = context.staged ?? context.tableOf(processor.table);
  const own = context.dated(table, processor, processor.where);
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
    ...metrics.map((metric, index) => metricPart(metric, index, processor, own, dialect)),
  ];
  const padding = Array.from({ length: Math.max(0, width - metrics.length) }, () => ({
    value: "null",
    label: "none",
  }));
  return dialect.loadSql("profile-processor", {
    head,
    columns: [...parts, ...padding]
      .map(({ value, label }, place) => `${dialect.toFloat(value)} as ${dialect.label(label, place)}`)
      .join(", "),
    day: own.day,
    aggregates: parts.flatMap(({ aggregate }) => aggregate ?? []).join(", "),
    source: own.source.sql,
    condition: context.outside.kind === "same_pass" ? own.anyDay : own.condition,
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
  const sql = context.dialect.epochMs(aggregate, column, own.source, processor.columnTimezone);
  return { aggregate: `${sql} as ${name}`, value: name, label };
}

function metricPart(
  metric: Metric,
  index: number,
  processor: Processor,
  own: DatedSource,
  dialect: ArmDialect,
): Part {
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
    case "completion_log_rows":
      return { aggregate: null, value: "gr_logged_rows", label: "completion log: rows" };
    case "coverage_of":
      return joined("gr_of", "coverage: entities there");
    case "coverage_absent":
      return joined("gr_absent", "coverage: absent");
    case "coverage_present":
      return joined("gr_present", "coverage: present");
    case "coverage_extra":
      return joined("gr_extra", "coverage: extra");
    case "coverage_extra_rows":
      return joined("gr_extra_rows", "coverage: rows of extra keys");
    case "excess_rows":
      return counted(
        excessRows(metric.columns, processor, own.source, dialect),
        `excess rows of ${metric.columns.join(", ")}`,
      );
    case "nulls":
      return counted(
        `count(*) - count(${quoteColumn(own.source, metric.column, dialect)})`,
        `nulls of ${metric.column}`,
      );
    case "violations":
      return counted(dialect.countIf(`not ${dialect.enclose(metric.sql)}`), `violations of ${metric.name}`);
    case "measure":
      return {
        aggregate: `${dialect.toFloat(dialect.enclose(metric.sql))} as ${name}`,
        value: name,
        label: metric.name,
      };
    case "quality_at_least": {
      const good = dialect.atLeast(columnOf(own.source, metric.column), metric.min);
      return counted(dialect.countIf(good), `${metric.column} at least ${metric.min}`);
    }
    default:
      return assertNever(metric, "metric");
  }
}

/** Rows beyond the first of each key. */
function excessRows(
  columns: readonly string[],
  processor: Processor,
  source: Source,
  dialect: ArmDialect,
): string {
  const date = columnOf(source, processor.dateColumn);
  const keys = columns
    .map((name) => columnOf(source, name))
    // Within one date a DATE column holds one value, and distinct counts cost by their columns.
    .filter(({ name }) => !(name === date.name && date.type === "DATE"));
  return keys.length === 0 ? "count(*) - 1" : dialect.excessRows(keys);
}

function joinsOf(
  processor: Processor,
  metrics: readonly Metric[],
  own: DatedSource,
  context: ArmContext,
): string[] {
  const joins: string[] = [];
  // An empty date that may be complete needs the counts of the other tables too: a full join adds its date.
  const join = asksOthers(processor.expect) ? "full join" : "left join";
  for (const metric of metrics) {
    if (metric.kind === "entities_of") {
      const other = ofProcessor(metric.of, context);
      const count =
        metric.key === null
          ? "count(*)"
          : `count(distinct ${quoteColumn(other.source, metric.key, context.dialect)})`;
      const sql = countSql(other, `${count} as gr_entities_of`, context);
      joins.push(`${join} (${sql}) as gr_other_table using (gr_day)`);
    } else if (metric.kind === "completion_log") {
      // A date in the log without a row is an answer, not silence. Joins that add dates come first.
      joins.unshift(`full join (${logSql(metric.log, context)}) as gr_log using (gr_day)`);
    } else if (metric.kind === "coverage_of") {
      const sql = context.dialect.loadSql(
        "profile-coverage",
        coverageParts(metric.coverage, processor, own, context),
      );
      joins.push(`${join} (${sql}) as gr_coverage using (gr_day)`);
    }
  }
  return joins;
}

function countSql(dated: DatedSource, counts: string, { dialect }: ArmContext): string {
  const { day, condition, source } = dated;
  return dialect.loadSql("profile-count", { day, condition, source: source.sql, counts });
}

function logSql(completionLog: CompletionLog, context: ArmContext): string {
  const { dialect } = context;
  const { table, where, rowsColumn } = completionLog;
  const log = context.dated(context.tableOf(table), completionLog, where);
  const counts = ["count(*) as gr_logged"];
  if (rowsColumn !== null) {
    const rows = dialect.toFloat(quoteColumn(log.source, rowsColumn, dialect));
    // Of -0.0 and 0.0 each warehouse takes another one for the larger.
    counts.push(`max(${rows} + 0) as gr_logged_rows`);
  }
  return countSql(log, counts.join(", "), context);
}
