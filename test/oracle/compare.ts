import type { Day } from "../../src/core/iso-date.ts";
import { rangesOf, type Schedules } from "./calendar.ts";
import { type OracleWorld, tableOf } from "./world.ts";

export type Differences = readonly { readonly table: string; readonly day: Day }[];

/** Columns: table and day (since 1970) of each date whose rows are not those of the truth, whatever their order. */
export function differencesSql({ tables }: OracleWorld): string {
  return `select distinct name, (day - date '1970-01-01')::varchar as days
from (${countedRows(tables)}) where live_rows <> true_rows order by name, days`;
}

/** Columns: source and date, and how many of its rows are right. */
export function rightRowsSql({ tables }: OracleWorld): string {
  const sources = tables.filter(({ kind }) => kind === "raw");
  return `select name || ' ' || day, sum(least(live_rows, true_rows))::varchar
from (${countedRows(sources)}) group by name, day`;
}

/** Each row that a table has or should have, with how often it does. */
function countedRows(tables: OracleWorld["tables"]): string {
  const arms = tables.flatMap(({ name }) =>
    ["live", "truth"].map(
      (schema) => `select '${name}' as name, '${schema}' as side, * from ${schema}.${name}`,
    ),
  );
  return `select name, day, count(*) filter (side = 'live') as live_rows, count(*) filter (side = 'truth') as true_rows
from (${arms.join("\nunion all\n")}) group by name, day, id, val, note, game`;
}

/**
 * Whether a cell may differ: the product said that the cell was computed before its input changed, or it reads one of
 * those.
 */
export function excusedBy(
  world: OracleWorld,
  schedules: Schedules,
  stale: Differences,
): (cell: { readonly table: string; readonly day: Day }) => boolean {
  const excused = new Map(world.tables.map(({ name }) => [name, new Set<Day>()]));
  for (const { table, day } of stale) excused.get(table)?.add(day);
  for (const table of world.tables) {
    const own = excused.get(table.name) ?? new Set();
    for (const edge of table.edges) {
      const upstream = [...(excused.get(edge.on) ?? [])];
      for (const { day, from, to } of rangesOf(schedules, table, tableOf(world, edge.on), edge.reads))
        if (upstream.some((at) => at >= from && at <= to)) own.add(day);
    }
    // What builds on its own past carries it on to the end.
    const first = Math.min(...own);
    if (table.kind === "running")
      for (const day of schedules[table.schedule].dates) if (day > first) own.add(day);
  }
  return ({ table, day }) => excused.get(table)?.has(day) === true;
}
