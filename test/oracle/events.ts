import type { Day } from "../../src/core/iso-date.ts";
import { rangesOf, type Schedules, schedulesOf } from "./calendar.ts";
import type { Dice } from "./dice.ts";
import { coveredUpstream } from "./pipeline-yaml.ts";
import {
  type Event,
  gamesAfter,
  type OracleTable,
  type OracleWorld,
  tableOf,
  type WorldOptions,
} from "./world.ts";

/** Dates of each table whose rows are not what they should be. */
export type Dirt = Map<string, Set<Day>>;

/** Events of one round: sources are damaged, then the pipeline computes some dates from them, which may be damaged too. */
export function eventsOf(
  dice: Dice,
  world: OracleWorld,
  before: readonly Event[],
  { lossy = false }: WorldOptions,
): Event[] {
  const moves = lossy ? [] : movesOf(dice, world, before);
  const schedules = schedulesOf(world, gamesAfter(world, [...before, ...moves]));
  const dirt = movedDirt(world, before, moves);
  const events: Event[] = [...moves];
  for (const table of world.tables) {
    const dirty = dirt.get(table.name) ?? new Set<Day>();
    dirt.set(table.name, dirty);
    if (table.kind !== "raw") events.push(...computed(dice, world, schedules, table, dirt));
    const share = table.kind === "raw" ? 0.8 : 0.25;
    const damages = dice.chance(share) ? damaged(dice, world, schedules, table, dirty) : [];
    events.push(...damages);
    if (lossy) events.push(...lostSources(table, damages));
  }
  return events;
}

/** One or two games are held on another date, early or late. */
function movesOf(dice: Dice, world: OracleWorld, before: readonly Event[]): Event[] {
  if (!world.tables.some(({ schedule }) => schedule === "games") || dice.chance(0.5)) return [];
  return dice.some(gamesAfter(world, before), dice.int(1, 2)).flatMap(({ id, day }): Event[] => {
    const to = Math.min(world.last, Math.max(world.first, day + dice.pick([-3, -1, 1, 2, 5, 9])));
    return to === day ? [] : [{ kind: "move_game", game: id, to }];
  });
}

/** What a game that moved leaves wrong: its old and its new date. */
function movedDirt(world: OracleWorld, before: readonly Event[], moves: readonly Event[]): Dirt {
  const days = new Set<Day>();
  const from = new Map(gamesAfter(world, before).map(({ id, day }) => [id, day]));
  for (const move of moves)
    if (move.kind === "move_game") days.add(from.get(move.game) ?? move.to).add(move.to);
  const moved = world.tables.filter(({ kind, schedule }) => kind === "raw" && schedule === "games");
  return new Map(moved.map(({ name }) => [name, new Set(days)]));
}

/** Dates that the pipeline computed from wrong input, and some that it computed from right input. */
function computed(
  dice: Dice,
  world: OracleWorld,
  schedules: Schedules,
  table: OracleTable,
  dirt: Dirt,
): Event[] {
  if (dice.chance(0.3)) return [];
  const dirty = dirt.get(table.name) ?? new Set<Day>();
  const touched = new Set<Day>();
  for (const edge of table.edges) {
    const upstream = [...(dirt.get(edge.on) ?? [])];
    for (const { day, from, to } of rangesOf(schedules, table, tableOf(world, edge.on), edge.reads))
      if (upstream.some((at) => at >= from && at <= to)) touched.add(day);
  }
  const { dates } = schedules[table.schedule];
  const wanted = new Set([...dice.some([...touched], dice.int(1, 4)), ...dice.some(dates, dice.int(0, 1))]);
  if (table.kind === "running") {
    // A pipeline that goes on carries what it has forward, for a while.
    const length = dice.int(1, 6);
    const starts = [...wanted];
    for (const day of starts) for (const next of after(dates, day).slice(0, length)) wanted.add(next);
  }
  const days = dates.filter((day) => wanted.has(day));
  for (const day of days) {
    const past = dates[dates.indexOf(day) - 1];
    const isCarried = table.kind === "running" && past !== undefined && dirty.has(past);
    if (touched.has(day) || isCarried) dirty.add(day);
  }
  return days.length === 0 ? [] : [{ kind: "compute", table: table.name, days }];
}

/** Each date is damaged once at most: two damages could hide each other. */
function damaged(
  dice: Dice,
  world: OracleWorld,
  schedules: Schedules,
  table: OracleTable,
  dirty: Set<Day>,
): Event[] {
  const { dates } = schedules[table.schedule];
  const events: Event[] = [];
  const used = new Set<Day>(table.kind === "raw" ? dirty : []);
  for (let count = dice.int(1, 3); count > 0; count--) {
    const free = dates.filter((day) => !used.has(day));
    if (free.length === 0) break;
    const event = damage(dice, world, table, free, used);
    for (const day of daysOf(event)) {
      used.add(day);
      dirty.add(day);
    }
    events.push(event);
  }
  return events;
}

function damage(
  dice: Dice,
  world: OracleWorld,
  table: OracleTable,
  free: readonly Day[],
  used: ReadonlySet<Day>,
): Event {
  const { name, kind } = table;
  const day = dice.pick(free);
  const isCounted = kind === "raw" || coveredUpstream(world, table) !== null;
  const kinds = [
    "delete_dates",
    "delete_dates",
    "double",
    "empty_column",
    ...(isCounted ? (["delete_rows", "delete_rows"] as const) : []),
    ...(kind === "raw" ? (["break_check", "shift_row"] as const) : []),
  ] as const;
  const chosen = dice.pick(kinds);
  switch (chosen) {
    case "delete_dates":
      return { kind: chosen, table: name, days: after(free, day - 1).slice(0, dice.int(1, 4)) };
    case "delete_rows":
      return { kind: chosen, table: name, day, keep: 1 };
    case "shift_row": {
      const to = day + dice.pick([-2, -1, 1, 2]);
      const isFree = to >= world.first && to <= world.last && !used.has(to);
      return isFree ? { kind: chosen, table: name, day, to } : { kind: "double", table: name, day };
    }
    default:
      return { kind: chosen, table: name, day };
  }
}

/** The source of what was halved has even less. */
function lostSources(table: OracleTable, damages: readonly Event[]): Event[] {
  if (table.kind !== "raw") return [];
  return damages.flatMap((event): Event[] =>
    event.kind === "delete_rows" || event.kind === "double"
      ? [{ kind: "lose_source", table: table.name, day: event.day, keep: event.kind === "double" ? 1 : 0 }]
      : [],
  );
}

function daysOf(event: Event): readonly Day[] {
  if (event.kind === "delete_dates" || event.kind === "compute") return event.days;
  if (event.kind === "shift_row") return [event.day, event.to];
  return event.kind === "move_game" ? [] : [event.day];
}

function after(dates: readonly Day[], day: Day): Day[] {
  return dates.filter((date) => date > day);
}
