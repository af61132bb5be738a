import { expect, test } from "vitest";
import { everything } from "../../src/reconcile/selection.ts";
import { WantedRepairs } from "../../src/reconcile/wanted-repairs.ts";

const wants = (worker: string) =>
  ({ kind: "repairs_wanted", worker, selection: { ...everything, processors: [worker] } }) as const;

test("what a run waits for is wanted until it has been silent for more than 15 seconds", () => {
  const wanted = new WantedRepairs();
  expect(wanted.heard(wants("a"), 0)).toBe(true);
  expect(wanted.heard(wants("b"), 1_000)).toBe(true);
  expect(wanted.heard(wants("a"), 10_000)).toBe(false);
  expect(wanted.forgetSilent(16_000)).toBe(false);
  expect(wanted.forgetSilent(16_001)).toBe(true);
  expect(wanted.selections.map(({ processors }) => processors)).toEqual([["a"]]);
  expect(wanted.forgetSilent(25_001)).toBe(true);
  expect(wanted.selections).toEqual([]);
});

test("no more than a hundred runs are heard at once", () => {
  const wanted = new WantedRepairs();
  for (let run = 0; run < 100; run++) expect(wanted.heard(wants(`run ${run}`), 0)).toBe(true);
  expect(wanted.heard(wants("one more"), 0)).toBe(false);
  expect(wanted.selections).toHaveLength(100);
});
