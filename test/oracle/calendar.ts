import { civilOf, type Day, weekdayOf } from "../../src/core/iso-date.ts";
import type { Game, OracleTable, OracleWorld, Reads, ScheduleName } from "./world.ts";

/** What a schedule says: its dates, and the dates that follow it where the calendar goes on. */
export interface OracleSchedule {
  readonly dates: readonly Day[];
  /** The first date after the range on which it would go on. */
  readonly next: Day;
}

export type Schedules = Readonly<Record<ScheduleName, OracleSchedule>>;

/** Written without the product's own calendars, because the oracle judges them. */
export function schedulesOf({ first, last }: OracleWorld, games: readonly Game[]): Schedules {
  const where = (test: (day: Day) => boolean): OracleSchedule => {
    const dates: Day[] = [];
    for (let day = first; day <= last; day++) if (test(day)) dates.push(day);
    let next = last + 1;
    while (!test(next)) next++;
    return { dates, next };
  };
  const gameDays = new Set(games.map(({ day }) => day));
  return {
    days: where(() => true),
    weekdays: where((day) => weekdayOf(day) <= 5),
    mondays: where((day) => weekdayOf(day) === 1),
    sundays: where((day) => weekdayOf(day) === 7),
    month_starts: where((day) => civilOf(day).day === 1),
    month_ends: where((day) => civilOf(day + 1).day === 1),
    games: { dates: [...gameDays].toSorted((a, b) => a - b), next: last + 1 },
  };
}

/** The dates from `from` to `to`, both included; none if `from` is later. */
export interface ReadRange {
  readonly day: Day;
  readonly from: Day;
  readonly to: Day;
}

const always = -1_000_000;
const nothing = { from: 1, to: 0 };

/** What each cell of a table reads of one upstream. */
export function rangesOf(
  schedules: Schedules,
  table: Pick<OracleTable, "schedule">,
  upstream: Pick<OracleTable, "schedule">,
  reads: Reads,
): readonly ReadRange[] {
  const own = schedules[table.schedule];
  const up = schedules[upstream.schedule].dates;
  return own.dates.map((day, index) => {
    switch (reads.kind) {
      case "same":
        return { day, from: day, to: day };
      case "offset_days":
        return { day, from: day + reads.days, to: day + reads.days };
      case "offset_dates": {
        const at = dateAway(up, day, reads.dates);
        return { day, ...(at === null ? nothing : { from: at, to: at }) };
      }
      case "lookback_days":
        return { day, from: day - reads.days, to: reads.own ? day : day - 1 };
      case "lookahead_days":
        return { day, from: reads.own ? day : day + 1, to: day + reads.days };
      case "lookback_dates": {
        const before = up.filter((date) => date < day).slice(-reads.dates);
        return { day, from: before[0] ?? day, to: reads.own ? day : day - 1 };
      }
      case "lookahead_dates": {
        const after = up.filter((date) => date > day).slice(0, reads.dates);
        return { day, from: reads.own ? day : day + 1, to: after.at(-1) ?? day };
      }
      case "since_previous":
        return { day, from: (own.dates[index - 1] ?? always) + 1, to: day };
      case "until_next":
        return { day, from: day, to: (own.dates[index + 1] ?? own.next) - 1 };
    }
  });
}

/** The date so many scheduled dates away; the day itself need not be one. */
function dateAway(dates: readonly Day[], day: Day, steps: number): Day | null {
  const candidates =
    steps < 0 ? dates.filter((date) => date < day).toReversed() : dates.filter((date) => date > day);
  return candidates[Math.abs(steps) - 1] ?? null;
}
