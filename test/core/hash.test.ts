import { expect, test } from "vitest";
import { canonicalJson, fnv1a64, hashOf } from "../../src/core/hash.ts";

test("the hash is FNV-1a with 64 bits, by its published test vectors", () => {
  expect(fnv1a64("")).toBe("cbf29ce484222325");
  expect(fnv1a64("a")).toBe("af63dc4c8601ec8c");
  expect(fnv1a64("foobar")).toBe("85944171f73967e8");
});

test("the order of keys does not change a hash, the order of a list does", () => {
  expect(hashOf({ a: 1, b: { c: 2, d: 3 } })).toBe(hashOf({ b: { d: 3, c: 2 }, a: 1 }));
  expect(hashOf([1, 2])).not.toBe(hashOf([2, 1]));
});

test("members without a value do not change a hash, so a new optional field keeps old hashes", () => {
  expect(hashOf({ a: 1, later: null, other: undefined })).toBe(hashOf({ a: 1 }));
});

test("text, number and nesting are told apart", () => {
  const values = ["1", 1, [1], { 1: 1 }, true, "true", null, [null], "", [], {}, [[]], ["a,b"], ["a", "b"]];
  expect(new Set(values.map(hashOf)).size).toBe(values.length);
});

test("what JSON cannot carry is refused, because it would hash as something else", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1]) {
    expect(() => canonicalJson({ value })).toThrow(/JSON can carry/);
  }
});

test("texts that differ in one of a million characters hash differently, in bounded time", () => {
  const long = "x".repeat(1_000_000);
  expect(fnv1a64(`${long}a`)).not.toBe(fnv1a64(`${long}b`));
});
