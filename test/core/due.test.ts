import { describe, expect, test } from "vitest";
import { dueAt, dueTests } from "../../src/core/due.ts";
import { parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import type { ScheduleSpec } from "../../src/core/pipeline.ts";
import { formatInstant } from "../../src/core/wall-clock.ts";
import { instant } from "../support/ledger.ts";
import { everyDay, tableSchedule } from "../support/pipeline.ts";
import { assessed, inputOf, type Scene, statesOf } from "../support/sight.ts";

const early = { daysAfter: 0, minuteOfDay: 60 };
const late = { daysAfter: 2, minuteOfDay: 30 };

/** When the cell of a processor is due, to the minute; "unknown" where nobody can say yet. */
function due(scene: Scene, processor: string, date: string): string {
  const { compiled, sight } = inputOf(scene);
  const index = compiled.byName.get(processor)?.index ?? -1;
  const at = dueAt(compiled, sight, index, toDay(parseIsoDate(date)) - sight.axis.first);
  return Number.isFinite(at) ? formatInstant(at).slice(0, 16) : "unknown";
}

const day = (processors: Scene["processors"]): Scene => ({ processors, now: "2024-01-10T12:00Z" });

describe("of upstreams on the same date", () => {
  test("a cell is due no earlier than a hard one, however far up", () => {
    const scene = day({ c: { due: early, needs: ["b"] }, b: { due: early, needs: ["a"] }, a: { due: late } });
    expect(["a", "b", "c"].map((name) => due(scene, name, "2024-01-05"))).toEqual([
      "2024-01-07T00:30",
      "2024-01-07T00:30",
      "2024-01-07T00:30",
    ]);
  });

  test("soft ones and those of earlier dates delay nothing, and of several the first is enough", () => {
    const before = { kind: "days", days: 3, sameDate: false } as const;
    const scene = day({
      late: { due: late },
      early: { due: early },
      soft: { due: early, needs: [{ on: "late", mode: "soft" }] },
      lookback: { due: early, needs: [{ on: "late", window: before }] },
      either: { due: early, needs: [{ on: ["late", "early"] }] },
    });
    for (const name of ["early", "soft", "lookback", "either"]) {
      expect(due(scene, name, "2024-01-05")).toBe("2024-01-05T01:00");
    }
  });
});

const calendar = (
  name: string,
  every: "weekday" | "week" | "month",
  more: Partial<ScheduleSpec> = {},
): ScheduleSpec => ({
  ...everyDay,
  name,
  source: { kind: "calendar", every, weekday: 1, day: "first" },
  ...more,
});

describe("of what lies ahead", () => {
  const schedules = [everyDay, calendar("months", "month"), calendar("weeks", "week")];
  const untilNext = { kind: "until_next" } as const;

  test("a month dated by its first day is due after its last day, and pending until then", () => {
    const scene: Scene = {
      processors: {
        daily: {},
        monthly: { schedule: "months", needs: [{ on: "daily", window: untilNext }] },
      },
      schedules,
      now: "2024-02-01T05:59Z",
    };
    expect(due(scene, "monthly", "2024-01-01")).toBe("2024-02-01T06:00");
    expect(due(scene, "monthly", "2024-02-01")).toBe("2024-03-01T06:00");
    expect(statesOf(assessed(scene), "monthly").replaceAll("-", "")).toBe("pp");
    const later = { ...scene, now: "2024-02-01T06:00Z" };
    expect(statesOf(assessed(later), "monthly").replaceAll("-", "")).toBe("Mp");
  });

  test("a week of trading days is due after its Friday, on a Saturday that nobody trades on", () => {
    const scene: Scene = {
      processors: {
        bars: { schedule: "default" },
        weekly: { schedule: "weeks", needs: [{ on: "bars", window: untilNext }] },
      },
      schedules: [calendar("default", "weekday"), calendar("weeks", "week")],
      now: "2024-01-06T12:00Z",
    };
    expect(due(scene, "weekly", "2024-01-01")).toBe("2024-01-06T06:00");
  });

  test("a finished upstream ends a period that has no next one on its schedule", () => {
    const end = { endDate: parseIsoDate("2024-01-20") };
    const scene: Scene = {
      processors: {
        daily: {},
        monthly: { schedule: "months", needs: [{ on: "daily", window: untilNext }] },
      },
      schedules: [{ ...everyDay, ...end }, calendar("months", "month", end)],
      now: "2024-03-10T12:00Z",
    };
    expect(due(scene, "monthly", "2024-01-01")).toBe("2024-01-21T06:00");
  });

  test("where the next date is not known yet, neither is when the last one is due", () => {
    const scene: Scene = {
      processors: {
        daily: {},
        fiscal: { schedule: "fiscal", needs: [{ on: "daily", window: untilNext }] },
      },
      schedules: [everyDay, tableSchedule("fiscal")],
      dates: { fiscal: "a---a---" },
      now: "2024-01-09T12:00Z",
    };
    expect(due(scene, "fiscal", "2024-01-01")).toBe("2024-01-05T06:00");
    expect(due(scene, "fiscal", "2024-01-05")).toBe("unknown");
    expect(statesOf(assessed(scene), "fiscal").replaceAll("-", "")).toBe("Mp");
  });

  test("of an offset and of a look ahead the last date counts, and one before delays as its own time says", () => {
    const scene = day({
      up: {},
      next: { needs: [{ on: "up", window: { kind: "offset_days", days: 2 } }] },
      ahead: { needs: [{ on: "up", window: { kind: "dates_ahead", dates: 3, sameDate: false } }] },
      before: { needs: [{ on: "up", window: { kind: "offset_days", days: -1 } }] },
    });
    expect(due(scene, "next", "2024-01-02")).toBe("2024-01-05T06:00");
    expect(due(scene, "ahead", "2024-01-09")).toBe("2024-01-13T06:00");
    expect(due(scene, "before", "2024-01-02")).toBe("2024-01-03T06:00");
  });
});

describe("of scheduled dates", () => {
  const after = { due: { datesAfter: 1, minuteOfDay: 360 } };

  test("Friday is due on Monday, and on Tuesday where Monday is a holiday", () => {
    const holiday = { kind: "dates", dates: [parseIsoDate("2024-01-15")] } as const;
    const scene = (except: ScheduleSpec["except"]): Scene => ({
      processors: { a: after },
      schedules: [calendar("default", "weekday", { except })],
      now: "2024-01-12T12:00Z",
    });
    expect(due(scene(null), "a", "2024-01-12")).toBe("2024-01-15T06:00");
    expect(due(scene(holiday), "a", "2024-01-12")).toBe("2024-01-16T06:00");
    expect(due(scene(null), "a", "2024-01-11")).toBe("2024-01-12T06:00");
  });

  test("of a table the next date has to be there first", () => {
    const scene: Scene = {
      processors: { a: after },
      schedules: [tableSchedule()],
      dates: { default: "a--a----" },
      now: "2024-01-08T12:00Z",
    };
    expect(due(scene, "a", "2024-01-01")).toBe("2024-01-04T06:00");
    expect(due(scene, "a", "2024-01-04")).toBe("unknown");
  });
});

test("a day is due from its instant on, by the clock of the zone", () => {
  const scene: Scene = { ...day({ a: {} }), timezone: "America/New_York" };
  expect(due(scene, "a", "2024-01-05")).toBe("2024-01-06T11:00");
  const { compiled, sight } = inputOf(scene);
  const isDue = (now: string, date: string) =>
    dueTests(compiled, sight, instant(now))[0]?.(toDay(parseIsoDate(date)) - sight.axis.first);
  expect(isDue("2024-01-06T10:59:59.999Z", "2024-01-05")).toBe(false);
  expect(isDue("2024-01-06T11:00Z", "2024-01-05")).toBe(true);
  expect(isDue("2024-01-06T11:00Z", "2024-01-06")).toBe(false);
});
