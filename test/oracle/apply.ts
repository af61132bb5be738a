import { filledSql, sqlDate, sqlDays } from "./sql.ts";
import { type Event, type OracleWorld, tableOf } from "./world.ts";

/** The statements of an event, except for a game that moves: that changes the schedule and the truth. */
export function eventSql(world: OracleWorld, event: Event): string[] {
  if (event.kind === "move_game") return [];
  const live = `live.${event.table}`;
  switch (event.kind) {
    case "delete_dates":
      return [`delete from ${live} where day in ${sqlDays(event.days)}`];
    case "delete_rows":
      return [keepRows(live, event.day, event.keep)];
    case "lose_source":
      return [keepRows(`source.${event.table}`, event.day, event.keep)];
    case "double":
      return [`insert into ${live} select * from ${live} where day = ${sqlDate(event.day)}`];
    case "empty_column":
      return [`update ${live} set val = null where day = ${sqlDate(event.day)}`];
    case "break_check":
      return [`update ${live} set val = -1 - val where day = ${sqlDate(event.day)}`];
    case "shift_row":
      return [
        `update ${live} set day = ${sqlDate(event.to)} where rowid = (select min(rowid) from ${live} where day = ${sqlDate(event.day)})`,
      ];
    case "compute":
      return event.days.flatMap((day) => [
        `delete from ${live} where day = ${sqlDate(day)}`,
        `insert into ${live} ${filledSql(tableOf(world, event.table), "live", day, day)}`,
      ]);
  }
}

function keepRows(table: string, day: number, keep: number): string {
  const rows = `from ${table} where day = ${sqlDate(day)}`;
  return `delete ${rows} and rowid not in (select rowid ${rows} order by id, rowid limit ${keep})`;
}
