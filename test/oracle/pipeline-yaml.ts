import { fromDay } from "../../src/core/iso-date.ts";
import { type OracleEdge, type OracleTable, type OracleWorld, type ScheduleName, tableOf } from "./world.ts";

const sources: Readonly<Record<ScheduleName, string>> = {
  days: "every: day",
  weekdays: "every: weekday",
  mondays: "every: week, weekday: monday",
  sundays: "every: week, weekday: sunday",
  month_starts: "every: month",
  month_ends: "every: month, day: last",
  games: "table: calendar.games, date_column: game_date, unit_column: game_id",
};

/** The pipeline file of a world. Every repair is an SQL file with the name of its table. */
export function pipelineYaml(world: OracleWorld): string {
  const used = new Set(world.tables.map(({ schedule }) => schedule));
  const dates = `start_date: ${fromDay(world.first)}, end_date: ${fromDay(world.last)}`;
  const tables = world.reversed ? world.tables.toReversed() : world.tables;
  return `version: 1
pipeline: oracle
timezone: UTC
warehouse: { type: duckdb, path: ./warehouse.duckdb }
limits: { jobs_max: ${world.jobsMax} }
# A few tables on a few dates: a large part of them breaks with every event.
safety: { mass_gap: { max_share: 1, cells_min: 100000 } }
schedules:
${[...used].map((name) => `  ${name}: { ${sources[name]}, ${dates} }`).join("\n")}
defaults: { date_column: day }
processors:
${tables.map((table) => processorYaml(world, table)).join("\n")}
`;
}

function processorYaml(world: OracleWorld, table: OracleTable): string {
  const keys = [
    `table: live.${table.name}`,
    `schedule: ${table.schedule}`,
    ...(table.kind === "running" ? ["depends_on_past: true"] : []),
    "off_schedule: gap",
    ...(table.edges.length === 0 ? [] : [`depends_on: [${table.edges.map(edgeYaml).join(", ")}]`]),
    `expect: { ${expectationYaml(world, table)} }`,
    `repair: { sql_file: ${table.name}.sql, batch: ${table.batch}, max_dates_per_job: ${table.maxDatesPerJob}, backoff: [10ms] }`,
  ];
  return `  ${table.name}: { ${keys.join(", ")} }`;
}

function edgeYaml({ on, reads }: OracleEdge): string {
  const own = "own" in reads && reads.own ? ", same_date: true" : "";
  switch (reads.kind) {
    case "same":
      return on;
    case "since_previous":
    case "until_next":
      return `{ processor: ${on}, window: ${reads.kind} }`;
    case "offset_days":
      return `{ processor: ${on}, offset: { days: ${reads.days} } }`;
    case "offset_dates":
      return `{ processor: ${on}, offset: { dates: ${reads.dates} } }`;
    case "lookback_days":
      return `{ processor: ${on}, lookback: { days: ${reads.days}${own} }, stale: true }`;
    case "lookback_dates":
      return `{ processor: ${on}, lookback: { dates: ${reads.dates}${own} }, stale: true }`;
    case "lookahead_days":
      return `{ processor: ${on}, lookahead: { days: ${reads.days}${own} }, stale: true }`;
    case "lookahead_dates":
      return `{ processor: ${on}, lookahead: { dates: ${reads.dates}${own} }, stale: true }`;
  }
}

/** Strict enough to see every event that is not a computation of the pipeline itself. */
function expectationYaml(world: OracleWorld, table: OracleTable): string {
  const rest = "unique_keys: [[day, id]], not_null: [val]";
  switch (table.kind) {
    case "raw": {
      const count = table.rowsPerUnit;
      const checks = "checks: { not_negative: 'val >= 0' }";
      return table.schedule === "games"
        ? `rows: { per_unit: ${count}, max_per_unit: ${count} }, coverage: { of: schedule, key: game, of_key: game_id, min: 1, extra: gap }, ${rest}, ${checks}`
        : `rows: { min: ${count}, max: ${count} }, ${rest}, ${checks}`;
    }
    case "total":
    case "running":
      return `rows: { min: 1, max: 1 }, ${rest}`;
    case "rows": {
      const covered = coveredUpstream(world, table);
      const coverage =
        covered === null ? "" : `, coverage: { of: ${covered}, key: id, of_key: id, min: 1, extra: gap }`;
      return `rows: { min: 1 }, ${rest}${coverage}`;
    }
  }
}

/** The upstream whose ids of a date are those of the table; null if they come from several dates or tables. */
export function coveredUpstream(world: OracleWorld, table: OracleTable): string | null {
  const [edge, ...others] = table.edges;
  if (table.kind !== "rows" || edge === undefined || others.length > 0 || edge.reads.kind !== "same")
    return null;
  return tableOf(world, edge.on).schedule === table.schedule ? edge.on : null;
}
