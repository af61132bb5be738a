import type { Day } from "../../src/core/iso-date.ts";

/**
 * A pipeline with its schedules, and what happens to its tables. Plain data: the same world gives the same tables, and a
 * failing one can be made smaller piece by piece.
 */
export interface OracleWorld {
  readonly seed: number;
  /** Both ends are included; every schedule ends there. */
  readonly first: Day;
  readonly last: Day;
  readonly games: readonly Game[];
  /** Upstreams come first. */
  readonly tables: readonly OracleTable[];
  /** What happens before each `--once`. */
  readonly phases: readonly (readonly Event[])[];
  readonly jobsMax: number;
  /** Whether the pipeline file lists the processors downstream first. */
  readonly reversed: boolean;
}

/** What a test wants of all its worlds. */
export interface WorldOptions {
  /** Sources that lost rows, so that a repair would make some dates worse. */
  readonly lossy?: boolean;
}

/** An event of the schedule `games`, which is a table with several of them on a date. */
export interface Game {
  readonly id: number;
  readonly day: Day;
}

export const scheduleNames = [
  "days",
  "weekdays",
  "games",
  "mondays",
  "sundays",
  "month_starts",
  "month_ends",
] as const;
export type ScheduleName = (typeof scheduleNames)[number];

/** Which dates of an upstream a cell reads. With `own`, a window includes the cell's own date. */
export type Reads =
  | { readonly kind: "same" | "since_previous" | "until_next" }
  | { readonly kind: "offset_days"; readonly days: number }
  | { readonly kind: "offset_dates"; readonly dates: number }
  | { readonly kind: "lookback_days" | "lookahead_days"; readonly days: number; readonly own: boolean }
  | { readonly kind: "lookback_dates" | "lookahead_dates"; readonly dates: number; readonly own: boolean };

export interface OracleEdge {
  readonly on: string;
  readonly reads: Reads;
  /** What each value counts for in the sum. */
  readonly weight: number;
}

export interface OracleTable {
  readonly name: string;
  readonly schedule: ScheduleName;
  /**
   * `raw` is loaded from its source; `rows` has a row for each id that its upstreams have in their windows; `total` has one
   * row a date; `running` adds the total of its own previous date.
   */
  readonly kind: "raw" | "rows" | "total" | "running";
  /** Empty for `raw` alone. */
  readonly edges: readonly OracleEdge[];
  /** Of `raw`: for each date, or for each game of a date. */
  readonly rowsPerUnit: number;
  readonly batch: "range" | "list" | "single";
  readonly maxDatesPerJob: number;
}

/** What somebody else does to the tables. What it does to the data can be seen by the expectation of the table. */
export type Event =
  /** The first `keep` rows of the date stay. */
  | { readonly kind: "delete_rows"; readonly table: string; readonly day: Day; readonly keep: number }
  | { readonly kind: "delete_dates"; readonly table: string; readonly days: readonly Day[] }
  | { readonly kind: "double" | "empty_column" | "break_check"; readonly table: string; readonly day: Day }
  /** One row of the date goes to another date. */
  | { readonly kind: "shift_row"; readonly table: string; readonly day: Day; readonly to: Day }
  /** The pipeline computes the dates from what its upstreams hold now, one after the other. */
  | { readonly kind: "compute"; readonly table: string; readonly days: readonly Day[] }
  /** The game is held on another date; the tables are as they were. */
  | { readonly kind: "move_game"; readonly game: number; readonly to: Day }
  /** The source has only the first `keep` rows of the date from now on. */
  | { readonly kind: "lose_source"; readonly table: string; readonly day: Day; readonly keep: number };

/** The games as they are after some events. */
export function gamesAfter(world: OracleWorld, events: readonly Event[]): readonly Game[] {
  const days = new Map(world.games.map(({ id, day }) => [id, day]));
  for (const event of events) if (event.kind === "move_game") days.set(event.game, event.to);
  return [...days].map(([id, day]) => ({ id, day }));
}

export function tableOf(world: OracleWorld, name: string): OracleTable {
  const table = world.tables.find((candidate) => candidate.name === name);
  if (table === undefined) throw new RangeError(`expected a table ${name}, found none`);
  return table;
}
