import { expect, test } from "vitest";
import { coarseEdges } from "../../src/core/coarse-edges.ts";
import type { Day } from "../../src/core/iso-date.ts";
import type { ScheduleSource, ScheduleSpec } from "../../src/core/pipeline.ts";
import { everyDay, pipelineOf, type ProcessorSketch, tableSchedule } from "../support/pipeline.ts";

type Every = Extract<ScheduleSource, { kind: "calendar" }>["every"];

const calendar = (name: string, every: Every): ScheduleSpec => ({
  ...everyDay,
  name,
  source: { kind: "calendar", every, weekday: 1, day: "first" },
});

function places(
  schedules: readonly ScheduleSpec[],
  edge: ProcessorSketch["needs"] = ["fine"],
  dates?: ReadonlyMap<string, ReadonlySet<Day>>,
) {
  const processors = { fine: { schedule: "fine" }, coarse: { schedule: "coarse", needs: edge } };
  return coarseEdges(pipelineOf({ schedules, processors }), dates).map(({ place }) => place);
}

const warned = ["processors.coarse.depends_on[0]"];

test("a plain edge from a calendar of periods to a finer one is warned of, one with a window is not", () => {
  const schedules = [calendar("fine", "day"), calendar("coarse", "month")];
  expect(places(schedules)).toEqual(warned);
  expect(places(schedules, [{ on: "fine", window: { kind: "until_next" } }])).toEqual([]);
  expect(places([calendar("fine", "week"), calendar("coarse", "quarter")])).toEqual(warned);
});

test("the same or a finer calendar is not, and neither are weekdays that read each day", () => {
  expect(places([calendar("fine", "month"), calendar("coarse", "month")])).toEqual([]);
  expect(places([calendar("fine", "month"), calendar("coarse", "day")])).toEqual([]);
  expect(places([calendar("fine", "day"), calendar("coarse", "weekday")])).toEqual([]);
});

test("tables are compared by their dates, where these are known: games with holes are no periods", () => {
  const schedules = [tableSchedule("fine"), tableSchedule("coarse")];
  const daily = new Set(Array.from({ length: 70 }, (_, day) => day));
  const weekly = new Set([...daily].filter((day) => day % 7 === 0));
  const games = new Set([...daily].filter((day) => day % 13 === 0 || day % 4 === 0));
  expect(places(schedules)).toEqual([]);
  expect(
    places(
      schedules,
      ["fine"],
      new Map([
        ["fine", daily],
        ["coarse", weekly],
      ]),
    ),
  ).toEqual(warned);
  expect(
    places(
      schedules,
      ["fine"],
      new Map([
        ["fine", daily],
        ["coarse", games],
      ]),
    ),
  ).toEqual([]);
});
