import { expect, test } from "vitest";
import { newsOf } from "../../src/http/live-events.ts";
import { endOf, startOf } from "../contract/ledger-records.ts";
import { blindView, liveViewOf } from "../support/live-view.ts";

const { view } = liveViewOf({ processors: { orders: {} }, seen: { orders: "##" } });
const ended = (id: string) => ({ ...endOf(id), cells: [] });
const told = (...news: Parameters<typeof newsOf>) =>
  newsOf(...news).map(({ event, data }) => ("id" in data ? `${event} ${data.id}` : event));

test("a repair is told when it begins and when it ends, the oldest end first, and how things stand last", () => {
  const one = { ...view, running: [startOf("a"), startOf("b")], ended: [ended("before")] };
  expect(told({ ...view, ended: [ended("before")] }, one)).toEqual([
    "repair_started a",
    "repair_started b",
    "view",
  ]);
  const two = { ...one, running: [startOf("c")], ended: [ended("b"), ended("a"), ended("before")] };
  expect(told(one, two)).toEqual(["repair_started c", "repair_ended a", "repair_ended b", "view"]);
});

test("a repair that began and ended between two views is told as ended alone", () => {
  expect(told(view, { ...view, ended: [ended("a")] })).toEqual(["repair_ended a", "view"]);
});

test("the repairs of a week are no news to a process that has just looked for the first time", () => {
  expect(told(blindView, { ...view, running: [startOf("b")], ended: [ended("a")] })).toEqual(["view"]);
});
