import fc from "fast-check";
import { fromDay, parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import type { EdgeWindow } from "../../src/core/pipeline.ts";
import { arbitraryWindow } from "./arbitrary-time.ts";
import { type EdgeSketch, hourMs, type ProcessorSketch, pipelineOf, tableSchedule } from "./pipeline.ts";
import { scheduleOf } from "./sight.ts";
import { requiredRows, type World } from "./simulation.ts";

/** How much may go wrong in a world. */
export interface WorldKind {
  /** Repairs that fail or change nothing, processors without a repair, tables that cannot be read, waived dates. */
  readonly trouble: boolean;
}

const first = toDay(parseIsoDate("2024-01-01"));
const daysMax = 18;

const window: fc.Arbitrary<EdgeWindow> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ kind: "same_date" } as const) },
  { weight: 1, arbitrary: arbitraryWindow },
);

const edge = fc.record({
  /** Counted back from the processor itself; those that reach beyond the first are left out. */
  back: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 }),
  mode: fc.constantFrom("hard" as const, "hard" as const, "soft" as const),
  waitMs: fc.constantFrom(null, hourMs / 30),
  minCompleteness: fc.constantFrom(null, 0.5),
  minShare: fc.constantFrom(1, 0.9, 0.5),
  window,
});

const processor = fc.record({
  edges: fc.array(edge, { maxLength: 3 }),
  schedule: fc.constantFrom("games", "games", "other"),
  bootstrapDays: fc.constantFrom(0, 0, 2),
  offSchedule: fc.constantFrom("report" as const, "allow" as const, "gap" as const),
  order: fc.constantFrom("none", "none", "chronological", "own_past"),
  stale: fc.constantFrom("follow", "report", "ignore", "repair"),
  onPoison: fc.constantFrom("stop" as const, "continue" as const),
  priority: fc.integer({ min: 0, max: 1 }),
  /** Whether the repair of the processor before it fills this one too. */
  shared: fc.constantFrom(false, false, false, true),
  repair: fc.record({
    maxDatesPerJob: fc.integer({ min: 1, max: 7 }),
    batch: fc.constantFrom("range" as const, "list" as const, "single" as const),
    concurrency: fc.integer({ min: 1, max: 3 }),
    maxAttempts: fc.integer({ min: 1, max: 3 }),
    probe: fc.constantFrom(null, { afterMs: hourMs, max: 1 }, { afterMs: hourMs / 60, max: 3 }),
    pool: fc.constantFrom(null, "heavy"),
  }),
  /** Per day: 0 rows, too few, enough. */
  rows: fc.array(fc.constantFrom(0, 0, 1, requiredRows, requiredRows, requiredRows), {
    minLength: daysMax,
    maxLength: daysMax,
  }),
  broken: fc.constantFrom("no", "no", "no", "no_repair", "unseen", "waived", "waived_proceed"),
});

const pattern = fc
  .array(fc.constantFrom("a", "a", "a", "-"), { minLength: 3, maxLength: daysMax })
  .chain((letters) =>
    fc
      .nat(letters.length)
      .map((turn) => letters.map((letter, at) => (letter === "a" && at >= turn ? "b" : letter)).join("")),
  )
  .filter((text) => /[ab]/.test(text));

type ProcessorDraw = typeof processor extends fc.Arbitrary<infer T> ? T : never;

/** Small pipelines of every shape, with what is in their tables; they shrink to the fewest processors and edges. */
export function arbitraryWorld(kind: WorldKind): fc.Arbitrary<World> {
  return fc
    .record({
      processors: fc.array(processor, { minLength: 1, maxLength: 6 }),
      games: pattern,
      other: pattern,
      reversed: fc.boolean(),
      seed: fc.integer({ min: 0, max: 1_000_000 }),
    })
    .map((draw) => worldOf(draw, kind));
}

interface WorldDraw {
  readonly processors: readonly ProcessorDraw[];
  readonly games: string;
  readonly other: string;
  readonly reversed: boolean;
  readonly seed: number;
}

function worldOf(draw: WorldDraw, kind: WorldKind): World {
  const broken = (at: number) => (kind.trouble ? (draw.processors[at]?.broken ?? "no") : "no");
  const sketches = draw.processors.map((drawn, at): [string, ProcessorSketch] => [
    `p${at}`,
    sketchOf(draw.processors, drawn, at, { broken: broken(at), trouble: kind.trouble }),
  ]);
  // The file's order is not that of the dependencies.
  const inFile = draw.reversed ? sketches.toReversed() : sketches;
  const waivedBy = (which: string) => sketches.filter((_, at) => broken(at) === which).map(([name]) => name);
  const base = pipelineOf({
    processors: Object.fromEntries(inFile),
    // They end, so that what reads ahead knows what there is to read.
    schedules: [tableSchedule("games"), tableSchedule("other")].map((spec) => ({
      ...spec,
      endDate: fromDay(first + daysMax - 1),
    })),
    pools: [{ name: "heavy", slots: 2 }],
    safety: {
      autoRepairMaxAgeMs: null,
      massGap: { maxShare: 1, cellsMin: 1e9 },
      scheduleChange: { maxShare: 1, datesMin: 1e9 },
      circuitBreaker: { failures: 1e9, coolOffMs: 1 },
    },
    waivers: (["exempt", "proceed"] as const).map((downstream) => ({
      id: downstream,
      processors: waivedBy(downstream === "exempt" ? "waived" : "waived_proceed"),
      start: parseIsoDate("2024-01-04"),
      end: parseIsoDate("2024-01-07"),
      reason: "never scraped",
      owner: "ann",
      expires: null,
      downstream,
      source: "config",
    })),
  });
  const place = (name: string) => Number(name.slice(1));
  return {
    pipeline: base,
    schedules: new Map([
      ["games", scheduleOf(draw.games, first, 1)],
      ["other", scheduleOf(draw.other, first, 1)],
    ]),
    first,
    days: daysMax,
    rows: base.processors.map(({ name }) => [...(draw.processors[place(name)]?.rows ?? [])]),
    unseen: new Set(
      base.processors.filter(({ name }) => broken(place(name)) === "unseen").map(({ index }) => index),
    ),
    now: (first + daysMax + 10) * 86_400_000,
    rule: (index, day, run) => {
      if (!kind.trouble) return "fill";
      const dice = mixed(draw.seed, index, day, run) % 20;
      return dice < 11 ? "fill" : dice < 15 ? "fail" : dice < 19 ? "nothing" : "give_up";
    },
  };
}

function sketchOf(
  all: readonly ProcessorDraw[],
  drawn: ProcessorDraw,
  at: number,
  { broken, trouble }: { readonly broken: string; readonly trouble: boolean },
): ProcessorSketch {
  const { edges, rows, shared, repair, order, broken: _, ...own } = drawn;
  const needs = edges.flatMap(({ back, ...rest }): EdgeSketch[] => {
    const on = back.filter((steps) => steps <= at).map((steps) => `p${at - steps}`);
    if (on.length === 0) return [];
    // One run fills both on the same dates, so that neither can wait for another date of the other.
    const isTogether = on.some((name) => name === `p${sharedWith(all, at)}`);
    return [{ on, ...rest, ...(isTogether ? { window: { kind: "same_date" as const } } : {}) }];
  });
  return {
    ...own,
    // Half of a shared repair that is stuck for good still counts as under way, and what follows it would wait for that.
    stale: trouble && isShared(all, at) ? "report" : own.stale,
    chronological: order !== "none",
    dependsOnPast: order === "own_past",
    needs,
    expect: { rows: { min: requiredRows } },
    repair: broken === "no_repair" ? null : { ...repair, name: `r${sharedWith(all, at)}` },
  };
}

function isShared(all: readonly ProcessorDraw[], at: number): boolean {
  return sharedWith(all, at) !== at || (at + 1 < all.length && sharedWith(all, at + 1) === at);
}

/** Two at most share one repair, so that nothing lies between them that one needs and that needs the other. */
function sharedWith(all: readonly ProcessorDraw[], at: number): number {
  return all[at]?.shared === true && at > 0 && sharedWith(all, at - 1) === at - 1 ? at - 1 : at;
}

/** A number that looks random and depends on nothing but its arguments. */
function mixed(...values: readonly number[]): number {
  let hash = 2_166_136_261;
  for (const value of values) {
    hash = Math.imul(hash ^ value, 16_777_619);
    hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507);
  }
  return (hash ^ (hash >>> 13)) >>> 0;
}
