import { expect, test } from "vitest";
import { buildGraph } from "../../src/core/graph.ts";

const graph = (needs: Record<string, readonly string[]>) =>
  buildGraph(Object.entries(needs).map(([name, upstreams]) => ({ name, upstreams })));

test("every upstream stands before its dependents, whatever the order of the file", () => {
  const { order } = graph({ d: ["b", "c"], b: ["a"], c: ["a"], a: [], e: [] });
  expect(order).toEqual([3, 1, 2, 0, 4]);
});

test("upstreams and dependents are named once, however often an edge is written", () => {
  const { upstreams, dependents } = graph({ a: [], b: ["a", "a"], c: ["a", "b"] });
  expect(upstreams).toEqual([[], [0], [0, 1]]);
  expect(dependents).toEqual([[1, 2], [2], []]);
});

test("a loop is named, and only the loop", () => {
  expect(() => graph({ start: ["a"], a: ["b"], b: ["c"], c: ["a"] })).toThrowError(
    expect.objectContaining({
      code: "dependency_cycle",
      message: "the dependencies form a loop: a → b → c → a",
    }),
  );
});

test("a processor that needs itself is a loop", () => {
  expect(() => graph({ a: ["a"] })).toThrow("the dependencies form a loop: a → a");
});

test("an unknown upstream is named with who needs it", () => {
  expect(() => graph({ a: ["nobody"] })).toThrow('a depends on "nobody", which is no processor');
});

test("a chain of 100,000 does not exhaust the stack", () => {
  const nodes = Array.from({ length: 100_000 }, (_, index) => ({
    name: `p${index}`,
    upstreams: index === 99_999 ? [] : [`p${index + 1}`],
  }));
  expect(buildGraph(nodes).order[0]).toBe(99_999);
});
