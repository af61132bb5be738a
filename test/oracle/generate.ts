import { type Day, parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import { schedulesOf } from "./calendar.ts";
import { Dice } from "./dice.ts";
import { eventsOf } from "./events.ts";
import type {
  Game,
  OracleEdge,
  OracleTable,
  OracleWorld,
  Reads,
  ScheduleName,
  WorldOptions,
} from "./world.ts";

const daily = ["days", "days", "weekdays", "games"] as const;

/** The world of a seed: 3 to 8 tables over five to seven weeks, and two rounds of events. */
export function worldOf(seed: number, options: WorldOptions = {}): OracleWorld {
  const dice = new Dice(seed);
  const first = toDay(parseIsoDate("2024-01-01")) + dice.int(0, 60);
  const last = first + dice.int(33, 45);
  const quiet: OracleWorld = {
    seed,
    first,
    last,
    games: gamesOf(dice, first, last),
    tables: tablesOf(dice),
    phases: [],
    jobsMax: dice.pick([1, 4, 8]),
    reversed: dice.chance(0.3),
  };
  const schedules = schedulesOf(quiet, quiet.games);
  const tables = quiet.tables.filter(({ schedule }) => schedules[schedule].dates.length > 0);
  const world = { ...quiet, tables };
  const firstPhase = eventsOf(dice, world, [], options);
  return { ...world, phases: [firstPhase, eventsOf(dice, world, firstPhase, {})] };
}

function gamesOf(dice: Dice, first: Day, last: Day): Game[] {
  const games: Game[] = [];
  for (let day = first; day <= last; day++) {
    const count = dice.pick([0, 1, 1, 2, 3]);
    for (let game = 0; game < count; game++) games.push({ id: games.length + 1, day });
  }
  // A month without a game would leave no schedule at all.
  return games.length === 0 ? [{ id: 1, day: first }] : games;
}

function tablesOf(dice: Dice): OracleTable[] {
  const tables: OracleTable[] = [];
  // Small pipelines more often: they find as much in less time.
  const count = Math.min(dice.int(3, 8), dice.int(3, 8));
  const sources = dice.int(1, Math.min(3, count - 2));
  for (let index = 0; index < count; index++) {
    const name = `t${index}`;
    const base = {
      name,
      rowsPerUnit: dice.int(2, 4),
      batch: dice.pick(["range", "range", "range", "range", "list", "list", "single"] as const),
      maxDatesPerJob: dice.pick([5, 31, 31]),
    };
    if (index < sources) tables.push({ ...base, kind: "raw", schedule: dice.pick(daily), edges: [] });
    else tables.push({ ...base, ...derived(dice, tables) });
  }
  return tables;
}

type Shape = Pick<OracleTable, "kind" | "schedule" | "edges">;

/** One of the ways in which people compute a table from others. */
function derived(dice: Dice, before: readonly OracleTable[]): Shape {
  const up = upstream(dice, before);
  const isDaily = isDailySchedule(up.schedule);
  const shape = dice.pick(
    isDaily
      ? ([
          "map",
          "join",
          "join",
          "rolling",
          "offset",
          "ahead",
          "week",
          "month",
          "running",
          "running",
        ] as const)
      : (["map", "rolling", "running", "month"] as const),
  );
  switch (shape) {
    case "map":
      return { kind: dice.pick(["rows", "total"]), schedule: up.schedule, edges: [edge(dice, up, same)] };
    case "join": {
      const other = upstream(
        dice,
        before.filter(({ schedule }) => isDailySchedule(schedule)),
      );
      const edges = [edge(dice, up, same), edge(dice, other, same)];
      return { kind: "total", schedule: dice.pick([up.schedule, "days"]), edges };
    }
    case "rolling": {
      const reads: Reads = dice.chance(0.5)
        ? { kind: "lookback_days", days: isDaily ? dice.int(2, 10) : 31, own: dice.chance(0.5) }
        : { kind: "lookback_dates", dates: dice.int(2, 6), own: dice.chance(0.5) };
      return { kind: "total", schedule: up.schedule, edges: [edge(dice, up, reads)] };
    }
    case "ahead": {
      const reads: Reads = dice.chance(0.5)
        ? { kind: "lookahead_days", days: dice.int(1, 5), own: dice.chance(0.5) }
        : { kind: "lookahead_dates", dates: dice.int(1, 4), own: dice.chance(0.5) };
      return { kind: "total", schedule: up.schedule, edges: [edge(dice, up, reads)] };
    }
    case "offset": {
      const reads: Reads = dice.chance(0.5)
        ? { kind: "offset_days", days: dice.pick([-2, -1, -1, 1]) }
        : { kind: "offset_dates", dates: dice.pick([-2, -1, -1, 1]) };
      const own = dice.chance(0.5) ? [edge(dice, up, same)] : [];
      return { kind: "total", schedule: up.schedule, edges: [edge(dice, up, reads), ...own] };
    }
    case "week":
      return period(dice, up, dice.pick(["mondays", "sundays"]));
    case "month":
      return period(dice, up, dice.pick(["month_starts", "month_ends"]));
    case "running":
      return { kind: "running", schedule: up.schedule, edges: [edge(dice, up, same)] };
  }
}

const same: Reads = { kind: "same" };

function period(dice: Dice, up: OracleTable, schedule: ScheduleName): Shape {
  const isFirst = schedule === "mondays" || schedule === "month_starts";
  const reads: Reads = { kind: isFirst ? "until_next" : "since_previous" };
  return { kind: dice.pick(["total", "total", "running"]), schedule, edges: [edge(dice, up, reads)] };
}

function edge(dice: Dice, { name }: OracleTable, reads: Reads): OracleEdge {
  return { on: name, reads, weight: dice.int(1, 3) };
}

/** Late tables more often, so that chains are long. */
function upstream(dice: Dice, tables: readonly OracleTable[]): OracleTable {
  return dice.pick(dice.chance(0.6) ? tables.slice(-2) : tables);
}

function isDailySchedule(schedule: ScheduleName): boolean {
  return schedule === "days" || schedule === "weekdays" || schedule === "games";
}
