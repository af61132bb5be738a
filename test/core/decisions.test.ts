import { describe, expect, test } from "vitest";
import { foldDecisions, waiverCovers } from "../../src/core/decisions.ts";
import { parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import type { Decision } from "../../src/core/ledger-records.ts";
import type { Waiver } from "../../src/core/pipeline.ts";
import { decision, instant } from "../support/ledger.ts";
import { pipelineOf } from "../support/pipeline.ts";

const day = (date: string) => toDay(parseIsoDate(date));
const pipeline = pipelineOf({ processors: { a: {}, b: {} } });
const fold = (...decisions: readonly Decision[]) => foldDecisions(pipeline, decisions);

/** A letter per date of the first nine of January: `w` where the processor is waived. */
function waived(waivers: readonly Waiver[], processor: string): string {
  return Array.from({ length: 9 }, (_, offset) =>
    waivers.some((waiver) => waiverCovers(waiver, processor, day("2024-01-01") + offset)) ? "w" : ".",
  ).join("");
}

describe("waivers", () => {
  const waive = decision("waive", { processors: ["a", "b"], start: "2024-01-02", end: "2024-01-08" });

  test("a waiver covers its processors from its first to its last date", () => {
    const { waivers } = fold({ ...waive, processors: ["a"] });
    expect([waived(waivers, "a"), waived(waivers, "b")]).toEqual([".wwwwwww.", "........."]);
    expect(waivers[0]).toMatchObject({ source: "ledger", owner: "ann", reason: "because", id: "waive-1" });
  });

  test("without processors or dates it covers all of them", () => {
    const { waivers } = fold(decision("waive", {}));
    expect([waived(waivers, "a"), waived(waivers, "b")]).toEqual(["wwwwwwwww", "wwwwwwwww"]);
  });

  test("taking back a part leaves the pieces before and behind it, and other processors whole", () => {
    const { waivers } = fold(
      waive,
      decision("unwaive", { processors: ["a"], start: "2024-01-04", end: "2024-01-05" }),
    );
    expect([waived(waivers, "a"), waived(waivers, "b")]).toEqual([".ww..www.", ".wwwwwww."]);
  });

  test("taking back from one date on, up to one date, or all leaves the rest", () => {
    const left = (taken: Parameters<typeof decision>[1]) =>
      waived(fold(waive, decision("unwaive", taken)).waivers, "a");
    expect(left({ start: "2024-01-05" })).toBe(".www.....");
    expect(left({ end: "2024-01-05" })).toBe(".....www.");
    expect(left({})).toBe(".........");
    expect(left({ start: "2024-01-09" })).toBe(".wwwwwww.");
    expect(left({ processors: ["b"] })).toBe(".wwwwwww.");
  });

  test("what was taken back can be waived again", () => {
    const again = decision("waive", { processors: ["a"], start: "2024-01-05", end: "2024-01-05" });
    expect(waived(fold(waive, decision("unwaive", {}), again).waivers, "a")).toBe("....w....");
  });

  test("a later waiver says what holds for the cells that both name", () => {
    const later = decision("waive", {
      id: "later",
      processors: ["a"],
      start: "2024-01-04",
      end: "2024-01-05",
      expires: "2024-02-01",
      downstream: "proceed",
    });
    const { waivers } = fold(waive, later);
    const over = waivers.filter((waiver) => waiverCovers(waiver, "a", day("2024-01-04")));
    expect(over.map(({ id, downstream, expires }) => [id, downstream, expires])).toEqual([
      ["later", "proceed", "2024-02-01"],
    ]);
    expect([waived(waivers, "a"), waived(waivers, "b")]).toEqual([".wwwwwww.", ".wwwwwww."]);
  });

  test("those of the config and of the ledger hold together; only the config takes back its own", () => {
    const own: Waiver = {
      id: "config-1",
      processors: ["b"],
      start: parseIsoDate("2024-01-01"),
      end: parseIsoDate("2024-01-03"),
      reason: "never scraped",
      owner: "data-team",
      expires: null,
      downstream: "exempt",
      source: "config",
    };
    const { waivers } = foldDecisions({ ...pipeline, waivers: [own] }, [waive, decision("unwaive", {})]);
    expect(waived(waivers, "b")).toBe("www......");
  });
});

describe("pauses", () => {
  const by = (...decisions: readonly Decision[]) => {
    const { pausedBy } = fold(...decisions);
    return (processor: string, date: string) => pausedBy(processor, day(date))?.id ?? null;
  };

  test("a pause holds until it is resumed, for the cells that it names", () => {
    const paused = by(
      decision("pause", { id: "p", processors: ["a"], start: "2024-01-01", end: "2024-01-09" }),
      decision("resume", { processors: ["a"], start: "2024-01-05" }),
    );
    expect(paused("a", "2024-01-04")).toBe("p");
    expect(paused("a", "2024-01-05")).toBeNull();
    expect(paused("a", "2024-01-10")).toBeNull();
    expect(paused("b", "2024-01-04")).toBeNull();
  });

  test("a pause of everything covers every processor and date, and the last word counts", () => {
    expect(by(decision("pause", { id: "p" }))("b", "1999-01-01")).toBe("p");
    expect(by(decision("resume"), decision("pause", { id: "p" }))("b", "2024-01-01")).toBe("p");
    expect(by(decision("pause"), decision("resume"))("b", "2024-01-01")).toBeNull();
  });
});

describe("retry, release and accept", () => {
  const at = "2024-02-01T00:00Z";

  test("a retry is known for the cells that it names, the last one counts", () => {
    const { retriedAt } = fold(
      decision("retry", { at: "2024-01-01T00:00Z" }),
      decision("retry", { at, processors: ["a"], start: "2024-01-03", end: "2024-01-03" }),
    );
    expect(retriedAt("a", day("2024-01-03"))).toBe(instant(at));
    expect(retriedAt("a", day("2024-01-04"))).toBe(instant("2024-01-01T00:00Z"));
    expect(fold().retriedAt("a", day("2024-01-03"))).toBe(0);
  });

  test("a release and an accept are known for the processors that they name", () => {
    const found = fold(decision("release", { at, processors: ["a"] }), decision("accept", { at }));
    expect([found.releasedAt("a"), found.releasedAt("b")]).toEqual([instant(at), 0]);
    expect([found.acceptedAt("a"), found.acceptedAt("b")]).toEqual([instant(at), instant(at)]);
  });
});
