// What a cycle writes about a schedule that changed: a believed change becomes the baseline, a doubted one leaves nothing.
import { describe, expect, test } from "vitest";
import { upkeepOf } from "../../src/reconcile/upkeep.ts";
import { baseline, closed, decision, instant, opened } from "../support/ledger.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { assessed, type Scene } from "../support/sight.ts";

const scene = (dates: string, ledger: Scene["ledger"], seen = "##########"): Scene => ({
  processors: { a: { schedule: "games" } },
  schedules: [tableSchedule("games")],
  dates: { games: dates },
  seen: { a: seen },
  now: "2024-02-01T12:00Z",
  ...(ledger === undefined ? {} : { ledger }),
});

function written(of: Scene) {
  const { events, baselines, cycle } = upkeepOf(assessed(of), "c1", 0, [], 0);
  return {
    events: events.map(({ date, event, state }) => `${event} ${date} ${state}`),
    baselines: baselines.map(({ subject, dates }) => `${subject} ${dates}`),
    accepted: cycle.accepted,
  };
}

const all = "2024-01-01..2024-01-10";

describe("a schedule that lost dates", () => {
  test("becomes the baseline where it is believed, and its gaps close", () => {
    const ledger = {
      baselines: [baseline("schedule", "games", all)],
      gapEvents: [opened("a", "2024-01-05", "2024-01-20T00:00Z")],
    };
    expect(written(scene("aaaa-aaaaa", ledger, "####.#####"))).toEqual({
      events: ["closed 2024-01-05 unscheduled"],
      baselines: [
        "processor 2024-01-01..2024-01-04,2024-01-06..2024-01-10",
        "schedule 2024-01-01..2024-01-04,2024-01-06..2024-01-10",
      ],
      accepted: true,
    });
  });

  test("leaves nothing where it is doubted: no gap opens or closes and no baseline moves", () => {
    const ledger = {
      baselines: [baseline("schedule", "games", all), baseline("processor", "a", "2024-01-01..2024-01-09")],
      gapEvents: [opened("a", "2024-01-05", "2024-01-20T00:00Z")],
    };
    const nothing = { events: [], baselines: [], accepted: false };
    expect(written(scene("aaa-----aa", ledger, "#########."))).toEqual(nothing);
  });

  test("does not keep other schedules from being recorded", () => {
    const ledger = { baselines: [baseline("schedule", "games", all)] };
    const base = scene("a--------a", ledger);
    const found = written({
      ...base,
      processors: { ...base.processors, b: { schedule: "other" } },
      schedules: [tableSchedule("games"), tableSchedule("other")],
      dates: { ...base.dates, other: "aaa" },
      seen: { ...base.seen, b: "##." },
    });
    expect(found).toEqual({
      events: ["opened 2024-01-03 missing"],
      baselines: ["processor 2024-01-01..2024-01-02", "schedule 2024-01-01..2024-01-03"],
      accepted: false,
    });
  });

  test("in small steps is held against what it was before the first of them, however long that is ago", () => {
    const steps = [
      baseline("schedule", "games", all),
      baseline("schedule", "games", "2024-01-01..2024-01-07"),
    ];
    const found = written(scene("aaaa------", { baselines: steps }, "####......"));
    expect(found).toEqual({ events: [], baselines: [`schedule ${all}`], accepted: false });
    // A day later the ledger has the second step and what this cycle wrote; it writes nothing more.
    const later = [
      baseline("schedule", "games", "2024-01-01..2024-01-07"),
      baseline("schedule", "games", all),
    ];
    expect(written(scene("aaaa------", { baselines: later }, "####......"))).toEqual({
      ...found,
      baselines: [],
    });
  });

  test("is the baseline as soon as a person accepted it", () => {
    const known = [baseline("schedule", "games", all, { at: instant("2024-01-30T00:00Z") })];
    const decisions = [decision("accept", { at: "2024-01-31T00:00Z", processors: ["a"] })];
    expect(written(scene("aaaa------", { baselines: known, decisions }, "####......")).baselines).toEqual([
      "processor 2024-01-01..2024-01-04",
      "schedule 2024-01-01..2024-01-04",
    ]);
  });
});

test("a date that leaves the schedule three times and comes back is not quarantined as reopened", () => {
  const flickers = [1, 2, 3, 4].flatMap((hour) => [
    opened("a", "2024-01-05", `2024-02-01T0${hour}:00Z`),
    closed("a", "2024-01-05", `2024-02-01T0${hour}:30Z`, { state: "unscheduled" }),
  ]);
  const ledger = { gapEvents: [...flickers, opened("a", "2024-01-05", "2024-02-01T05:00Z")] };
  const { facts } = assessed(scene("aaaaaaaaaa", ledger, "####.#####"));
  expect(facts.cellFacts(0, instant("2024-01-05T00:00Z") / 86_400_000).quarantine).toBeNull();
});
