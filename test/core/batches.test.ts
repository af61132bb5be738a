import { describe, expect, test } from "vitest";
import { batchesOf, positionsIn } from "../../src/core/batches.ts";
import { fromDay } from "../../src/core/iso-date.ts";
import { attempt } from "../support/ledger.ts";
import { everyDay, type ProcessorSketch, tableSchedule } from "../support/pipeline.ts";
import { assessed, cellAt, type Scene } from "../support/sight.ts";

/** The batches of the first repair, each as its days of January, in the order in which they go. */
function batches(scene: Scene): readonly string[] {
  const assessment = assessed(scene);
  return batchesOf(assessment, 0).map((batch) =>
    positionsIn(batch)
      .map((position) => Number(fromDay(assessment.grid.axis.first + position).slice(8)))
      .join(" "),
  );
}

function cut(seen: string, own: ProcessorSketch = {}, more: Partial<Scene> = {}): readonly string[] {
  return batches({
    processors: { a: own },
    seen: { a: seen },
    now: "2024-02-20T12:00Z",
    ...more,
    ...until(seen, more),
  });
}

/** A schedule that ends with the pattern, so that nothing behind it is open. */
function until(seen: string, { dates }: Partial<Scene>): Pick<Scene, "dates" | "schedules"> {
  return { schedules: [tableSchedule()], dates: dates ?? { default: "a".repeat(seen.length) } };
}

describe("a batch", () => {
  test("takes neighbouring dates, newest batch first", () => {
    expect(cut("..#...#.")).toEqual(["8", "4 5 6", "1 2"]);
  });

  test("goes over days that are not scheduled, up to six of them", () => {
    expect(cut(".".repeat(8), {}, { dates: { default: "a------a" } })).toEqual(["1 8"]);
    expect(cut(".".repeat(9), {}, { dates: { default: "a-------a" } })).toEqual(["9", "1"]);
  });

  test("never crosses a season", () => {
    expect(cut(".....", {}, { dates: { default: "aaabb" } })).toEqual(["4 5", "1 2 3"]);
  });

  test("never spans a date that is scheduled and not its own: complete, exempt or quarantined", () => {
    const attempts = [1, 2, 3].map((hour) => attempt("a", "2024-01-05", `2024-02-08T0${hour}:00Z`));
    expect(cut(".......", {}, { ledger: { attempts } })).toEqual(["6 7", "1 2 3 4"]);
    expect(cut("...#...")).toEqual(["5 6 7", "1 2 3"]);
  });

  test("is no longer than the repair allows, the newest one being full", () => {
    expect(cut(".......", { repair: { maxDatesPerJob: 3 } })).toEqual(["5 6 7", "2 3 4", "1"]);
  });

  test("is one date where the repair takes one", () => {
    expect(cut("...", { repair: { batch: "single" } })).toEqual(["3", "2", "1"]);
  });

  test("of a chronological processor begins at the oldest, that one being full", () => {
    const own = { chronological: true, repair: { maxDatesPerJob: 3 } };
    expect(cut(".......", own)).toEqual(["1 2 3", "4 5 6", "7"]);
  });
});

describe("after a failure", () => {
  const failed = (dates: readonly number[], batchDates: number, times = 1) =>
    dates.flatMap((day) =>
      Array.from({ length: times }, (_, index) =>
        attempt("a", `2024-01-${String(day).padStart(2, "0")}`, `2024-02-08T0${index}:00Z`, { batchDates }),
      ),
    );
  const all = Array.from({ length: 31 }, (_, index) => index + 1);
  const sizes = (batchDates: number, times: number) =>
    cut(".".repeat(31), {}, { ledger: { attempts: failed(all, batchDates, times) } }).map(
      (batch) => batch.split(" ").length,
    );

  test("31 dates are retried as 16 and 15, then one by one", () => {
    expect(sizes(31, 1)).toEqual([16, 15]);
    expect(sizes(16, 2)).toEqual(Array.from({ length: 31 }, () => 1));
  });

  test("dates of different attempts do not share a job", () => {
    expect(cut("....", {}, { ledger: { attempts: failed([2, 3], 31) } })).toEqual(["4", "2 3", "1"]);
  });

  test("one date that has to be tried in a small job keeps the whole job small", () => {
    const attempts = [...failed([1, 2, 3, 4, 6, 7, 8], 31), ...failed([5], 4)];
    const withFifth = cut("........", {}, { ledger: { attempts } }).filter((batch) => batch.includes("5"));
    expect(withFifth).toHaveLength(1);
    expect(withFifth[0]?.split(" ").length).toBeLessThanOrEqual(2);
  });
});

describe("runs in flight", () => {
  test("are never overlapped by calendar range, though they leave a date out", () => {
    const scene = { inFlight: [{ repair: "a", dates: ["2024-01-03", "2024-01-05"] }] };
    expect(cut(".......", {}, scene)).toEqual(["6 7", "1 2"]);
    const assessment = assessed({ processors: { a: {} }, seen: { a: "......." }, ...scene });
    batchesOf(assessment, 0);
    expect(cellAt(assessment, "a", "2024-01-04")).toMatchObject({
      disposition: "ready",
      reason: "in_flight_overlap",
    });
  });

  test("are not spanned either, where their dates are not scheduled any more", () => {
    const scene = { inFlight: [{ repair: "a", dates: ["2024-01-03"] }], dates: { default: "aa-aa" } };
    expect(cut(".....", {}, scene)).toEqual(["4 5", "1 2"]);
  });

  test("of other repairs do not matter", () => {
    const scene: Scene = {
      processors: { a: {}, b: {} },
      seen: { a: "...", b: "..." },
      inFlight: [{ repair: "b", dates: ["2024-01-02"] }],
    };
    expect(batches(scene)).toEqual(["1 2 3"]);
  });
});

describe("a shared repair", () => {
  const scene = (seen: Scene["seen"], more: Partial<Scene> = {}): Scene => ({
    processors: { a: { repair: { name: "both" } }, b: { repair: { name: "both" } } },
    seen: seen ?? {},
    ...more,
  });

  test("runs once for all its tables, also where one of them is whole", () => {
    expect(batches(scene({ a: "..#.", b: ".#.." }))).toEqual(["1 2 3 4"]);
  });

  test("waits while one of its tables is held back, and says so", () => {
    const upstream = {
      up: {},
      a: { repair: { name: "both" } },
      b: { repair: { name: "both" }, needs: ["up"] },
    };
    const assessment = assessed({ processors: upstream, seen: { up: "#.", a: "..", b: ".." } });
    const unit = assessment.grid.pipeline.repairUnits.findIndex(({ name }) => name === "both");
    expect(batchesOf(assessment, unit).map(positionsIn)).toEqual([[0]]);
    expect(cellAt(assessment, "a", "2024-01-02")).toMatchObject({
      disposition: "blocked",
      reason: "shared_repair",
    });
  });

  test("keeps to the schedules of all its tables", () => {
    const own: Scene = {
      processors: {
        a: { repair: { name: "both" }, schedule: "games" },
        b: { repair: { name: "both" } },
      },
      schedules: [everyDay, tableSchedule("games")],
      dates: { games: "aaab" },
      seen: { a: "....", b: "####" },
    };
    expect(batches(own)).toEqual(["4", "1 2 3"]);
    const holes = { ...own, dates: { games: "a-aa" }, seen: { a: "....", b: "####" } };
    expect(batches(holes)).toEqual(["3 4", "1"]);
  });
});
