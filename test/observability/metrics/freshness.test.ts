import { expect, test } from "vitest";
import { Freshness } from "../../../src/observability/metrics/freshness.ts";
import { closed, opened } from "../../support/ledger.ts";
import { tableSchedule } from "../../support/pipeline.ts";
import { assessed, type Scene } from "../../support/sight.ts";

/** Every date is due at 06:00 on the day after it. */
function at(now: string, seen: string, more: Partial<Scene> = {}) {
  const scene = { processors: { a: {} }, schedules: [tableSchedule()], dates: { default: "aaaa" } };
  return assessed({ ...scene, seen: { a: seen }, now, ...more });
}

const hour = 3600;

test("a first look at a long history counts nothing", () => {
  expect(new Freshness().look(at("2024-01-05T12:00Z", "####"))).toEqual([]);
});

test("a cell that was pending counts from its due time, and one that came early is as fresh as can be", () => {
  const freshness = new Freshness();
  freshness.look(at("2024-01-04T12:00Z", "##.."));
  expect(freshness.look(at("2024-01-04T18:00Z", "###."))).toEqual([
    { severity: "warning", seconds: 12 * hour },
  ]);
  expect(freshness.look(at("2024-01-05T05:00Z", "####"))).toEqual([{ severity: "warning", seconds: 0 }]);
  expect(freshness.look(at("2024-01-05T09:00Z", "####"))).toEqual([]);
});

test("a gap counts once, when it is seen to be filled", () => {
  const freshness = new Freshness();
  freshness.look(at("2024-01-05T12:00Z", "#.##"));
  expect(freshness.look(at("2024-01-05T18:00Z", "####"))).toEqual([
    { severity: "warning", seconds: 2 * 24 * hour + 12 * hour },
  ]);
  freshness.look(at("2024-01-05T19:00Z", "#.##"));
  expect(freshness.look(at("2024-01-05T20:00Z", "####"))).toEqual([]);
});

test("a gap that another process saw counts too, by the ledger that holds it open", () => {
  const ledger = { gapEvents: [opened("a", "2024-01-02", "2024-01-03T07:00Z")] };
  const freshness = new Freshness();
  expect(freshness.look(at("2024-01-03T18:00Z", "####", { ledger }))).toEqual([
    { severity: "warning", seconds: 12 * hour },
  ]);
  expect(freshness.look(at("2024-01-03T19:00Z", "####", { ledger }))).toEqual([]);
});

test("what was complete once, was lost and comes back says nothing about how data arrives", () => {
  const ledger = {
    gapEvents: [
      opened("a", "2024-01-02", "2024-01-03T07:00Z"),
      closed("a", "2024-01-02", "2024-01-03T08:00Z"),
    ],
  };
  const freshness = new Freshness();
  expect(freshness.look(at("2024-01-05T12:00Z", "#.##", { ledger }))).toEqual([]);
  expect(freshness.look(at("2024-01-05T18:00Z", "####", { ledger }))).toEqual([]);
});

test("a cell that could not be seen for a while is awaited still, and one that was never seen is not", () => {
  const freshness = new Freshness();
  freshness.look(at("2024-01-05T12:00Z", "#.#?"));
  freshness.look(at("2024-01-05T13:00Z", "#?##"));
  expect(freshness.look(at("2024-01-05T18:00Z", "####"))).toHaveLength(1);
});

test("cells that became due more than 30 days ago are history", () => {
  const freshness = new Freshness();
  const dates = { default: "a".repeat(60) };
  freshness.look(at("2024-03-01T12:00Z", ".".repeat(60), { dates }));
  expect(freshness.look(at("2024-03-01T18:00Z", "#".repeat(60), { dates }))).toHaveLength(30);
});
