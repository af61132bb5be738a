import { type Day, fromDay } from "../../src/core/iso-date.ts";
import type { Schedules } from "./calendar.ts";
import { rangesOf } from "./calendar.ts";
import type { Game, OracleTable, OracleWorld } from "./world.ts";
import { scheduleNames, tableOf } from "./world.ts";

/** `live` is what the product sees and repairs, `truth` what the tables should hold. */
export type Schema = "live" | "truth";

/** Numbers stay small however long the chain is. */
const modulus = 1_000_003;

export function sqlDate(day: Day): string {
  return `date '${fromDay(day)}'`;
}

export function sqlDays(days: readonly Day[]): string {
  return `(${days.map(sqlDate).join(", ")})`;
}

/**
 * The SELECT that fills a table for the dates from $start_date to $end_date. The repair reads `live`; read over all dates
 * from `truth` it is the table computed from scratch.
 */
export function fillSql(table: OracleTable, schema: Schema): string {
  const { name, kind } = table;
  if (kind === "raw") {
    return `select day, id, val, note, game from source.${name} where day between $start_date and $end_date`;
  }
  const parts = table.edges.map(
    ({ on, weight }, edge) => `select r.day, u.id, (u.val + 1) * ${weight} as val
  from calendar.reads r join ${schema}.${on} u on u.day between r.from_day and r.to_day
  where r.target = '${name}' and r.edge = ${edge} and r.day between $start_date and $end_date`,
  );
  const withParts = `with parts as (\n${parts.join("\nunion all\n")}\n)`;
  if (kind === "rows") {
    return `${withParts}
select day, id, (sum(val) % ${modulus})::bigint as val, count(*)::varchar as note, null::integer as game
from parts group by day, id`;
  }
  const totals = `${withParts}, totals as (
  select d.day, coalesce(sum(p.val), 0) as val, count(p.day) as parts
  from calendar.dates d left join parts p on p.day = d.day
  where d.schedule = '${table.schedule}' and d.day between $start_date and $end_date group by d.day
)`;
  const before = `(select coalesce(max(val), 0) from ${schema}.${name} where day = (select max(day) from calendar.dates where schedule = '${table.schedule}' and day < $start_date))`;
  const value = kind === "running" ? `(${before} + sum(val) over (order by day))` : "val";
  return `${totals}
select day, 0 as id, (${value} % ${modulus})::bigint as val, parts::varchar as note, null::integer as game
from totals`;
}

/** The SELECT for a range, without parameters. */
export function filledSql(table: OracleTable, schema: Schema, first: Day, last: Day): string {
  return fillSql(table, schema)
    .replaceAll("$start_date", sqlDate(first))
    .replaceAll("$end_date", sqlDate(last));
}

const columns = "(day date, id integer, val bigint, note varchar, game integer)";

export function createSql(world: OracleWorld): string[] {
  return [
    ...["live", "truth", "source", "calendar"].map((schema) => `create schema ${schema}`),
    "create table calendar.dates (schedule varchar, day date)",
    "create table calendar.reads (target varchar, edge integer, day date, from_day date, to_day date)",
    "create table calendar.games (game_id integer, game_date date)",
    ...world.tables.flatMap(({ name, kind }) => [
      `create table live.${name} ${columns}`,
      `create table truth.${name} ${columns}`,
      ...(kind === "raw" ? [`create table source.${name} ${columns}`] : []),
    ]),
  ];
}

/** Writes the schedules, what each cell reads, and the truth of every table. */
export function truthSql(world: OracleWorld, schedules: Schedules, games: readonly Game[]): string[] {
  const dates = scheduleNames.flatMap((name) =>
    schedules[name].dates.map((day) => `('${name}', ${sqlDate(day)})`),
  );
  const reads = world.tables.flatMap((table) =>
    table.edges.flatMap((edge, index) =>
      rangesOf(schedules, table, tableOf(world, edge.on), edge.reads).map(
        ({ day, from, to }) => `('${table.name}', ${index}, ${[day, from, to].map(clipped).join(", ")})`,
      ),
    ),
  );
  return [
    ...replaceRows("calendar.dates", dates),
    ...replaceRows("calendar.reads", reads),
    ...replaceRows(
      "calendar.games",
      games.map(({ id, day }) => `(${id}, ${sqlDate(day)})`),
    ),
    ...world.tables.flatMap((table) => {
      const { name, kind } = table;
      const first = [`delete from truth.${name}`];
      if (kind === "raw")
        first.push(`delete from source.${name}`, `insert into source.${name} ${sourceSql(table)}`);
      return [...first, `insert into truth.${name} ${filledSql(table, "truth", world.first, world.last)}`];
    }),
  ];
}

/** No cell has a date as far away as the ends of an open window. */
function clipped(day: Day): string {
  return sqlDate(Math.max(day, 0));
}

function replaceRows(table: string, rows: readonly string[]): string[] {
  const insert = rows.length === 0 ? [] : [`insert into ${table} values ${rows.join(", ")}`];
  return [`delete from ${table}`, ...insert];
}

/** A row's values depend on its id and its date or game, so that a game keeps them when it moves. */
function sourceSql({ name, schedule, rowsPerUnit }: OracleTable): string {
  const value = (of: string) => `(hash('${name}', ${of}, n) % 97)::bigint`;
  const numbers = `range(0, ${rowsPerUnit}) as numbers (n)`;
  if (schedule === "games") {
    return `select game_date, (game_id * 10 + n)::integer, ${value("game_id")}, 'n' || n, game_id from calendar.games, ${numbers}`;
  }
  return `select day, n::integer, ${value("day")}, 'n' || n, null from calendar.dates, ${numbers} where schedule = '${schedule}'`;
}
