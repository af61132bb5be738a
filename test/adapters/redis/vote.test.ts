import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { majorityOf, type Verdict, verdictOf, type Vote } from "../../../src/adapters/redis/vote.ts";

const yes: Vote = { kind: "yes" };
const no: Vote = { kind: "no" };
const none: Vote = { kind: "none", error: new Error("away") };

/** The verdict while the last vote is still out. */
function earlyVerdictOf(...votes: readonly Vote[]): Promise<Verdict | "waits"> {
  const open = new Promise<Vote>(() => {});
  const verdict = verdictOf([...votes.map((vote) => Promise.resolve(vote)), open]);
  return Promise.race([verdict, new Promise<"waits">((resolve) => setImmediate(() => resolve("waits")))]);
}

describe("the verdict of several servers", () => {
  test("needs more than half of all, not of those that answered", () => {
    expect([1, 2, 3, 4, 5].map(majorityOf)).toEqual([1, 2, 2, 3, 3]);
  });

  test("does not wait for a server that cannot change it", async () => {
    expect(await earlyVerdictOf(yes, yes)).toEqual({ kind: "yes" });
    expect(await earlyVerdictOf(no, no)).toEqual({ kind: "no" });
  });

  test("waits for a server that can change it", async () => {
    expect(await earlyVerdictOf(yes, no)).toBe("waits");
    expect(await earlyVerdictOf(yes, none)).toBe("waits");
    expect(await earlyVerdictOf(none, none)).toBe("waits");
  });

  test("is yes with a majority, no where none is possible any more, and otherwise tells how many answered", async () => {
    const vote = fc.constantFrom(yes, no, none);
    await fc.assert(
      fc.asyncProperty(fc.array(vote, { minLength: 1, maxLength: 7 }), async (votes) => {
        const count = (kind: Vote["kind"]): number => votes.filter((each) => each.kind === kind).length;
        const verdict = await verdictOf(votes.map((each) => Promise.resolve(each)));
        const half = votes.length / 2;
        const expected =
          count("yes") > half ? "yes" : votes.length - count("no") <= half ? "no" : "undecided";
        expect(verdict.kind).toBe(expected);
        if (verdict.kind === "undecided") expect(verdict.answers).toBe(count("yes") + count("no"));
      }),
    );
  });
});
