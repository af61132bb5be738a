// Goal: where the product says "converged", every table is right, and nothing that was right is made worse. Method: random
// pipelines with real SQL repairs on DuckDB. Somebody damages the sources, the pipeline computes some dates from what they
// hold then, `--once` runs, and each table is compared with the one computed from scratch. `npm run oracle` plays more seeds.
import { describe, expect, test } from "vitest";
import type { Pipeline } from "../../src/core/pipeline.ts";
import { describeWorld, faultsOf } from "./faults.ts";
import { worldOf } from "./generate.ts";
import { type Mutation, playWorld, type Round } from "./run.ts";
import type { WorldOptions } from "./world.ts";

const seeds = range(0, 8);
const lossySeeds = range(0, 2);
/** A seed converges unless something that nobody foresaw stops it: a test of runs that give up would prove nothing. */
const convergedShareMin = 0.9;

test("a run that converges leaves every table as computed from scratch, and does what its plan said", async () => {
  const rounds = await playAll(seeds, {});
  expect(rounds.filter(({ converged }) => converged).length / rounds.length).toBeGreaterThan(
    convergedShareMin,
  );
  expect(rounds.filter(({ repairs }) => repairs > 0).length / rounds.length).toBeGreaterThan(0.9);
}, 300_000);

test("a source that lost rows takes none from its table, and leaves gaps that are told", async () => {
  const rounds = await playAll(lossySeeds, { lossy: true });
  expect(rounds.filter(({ gaps }) => gaps.length > 0).length).toBeGreaterThan(0);
}, 300_000);

describe("the oracle fails if the product does not", () => {
  const rules: readonly PlantedRegression[] = [
    { rule: "follow what its own repairs outdate", mutate: withProcessors({ stale: "ignore" }), seed: 0 },
    { rule: "read a period to its end", mutate: readingOwnDateOnly, seed: 18 },
    { rule: "carry a change on to what builds on it", mutate: forgettingThePast, seed: 0 },
    { rule: "audit rows before it writes them", mutate: publishingAlways, seed: 0, lossy: true },
  ];

  test.each(rules)(
    "$rule",
    async ({ mutate, seed, lossy = false }) => {
      const world = worldOf(seed, { lossy });
      const firstPhase = { ...world, phases: world.phases.slice(0, 1) };
      const [round] = await playWorld(firstPhase, mutate);
      expect([...(round?.wrong ?? []), ...(round?.worse ?? [])]).not.toEqual([]);
      const [right] = await playWorld(firstPhase);
      expect([...(right?.wrong ?? []), ...(right?.worse ?? [])]).toEqual([]);
    },
    300_000,
  );
});

interface PlantedRegression {
  readonly rule: string;
  readonly mutate: Mutation;
  /** A world in which the rule matters. */
  readonly seed: number;
  readonly lossy?: boolean;
}

async function playAll(wanted: readonly number[], options: WorldOptions): Promise<Round[]> {
  const rounds: Round[] = [];
  for (const seed of wanted) {
    const world = worldOf(seed, options);
    const played = await playWorld(world);
    expect(faultsOf(played), describeWorld(world, played)).toEqual([]);
    rounds.push(...played);
  }
  return rounds;
}

function withProcessors(change: Partial<Pipeline["processors"][number]>): Mutation {
  return (pipeline) => ({
    ...pipeline,
    processors: pipeline.processors.map((processor) => ({ ...processor, ...change })),
  });
}

/** Still in order, but without what a change of one date means to the next. */
function forgettingThePast(pipeline: Pipeline): Pipeline {
  const processors = pipeline.processors.map((processor) => ({ ...processor, dependsOnPast: false }));
  return { ...pipeline, processors };
}

function readingOwnDateOnly(pipeline: Pipeline): Pipeline {
  const processors = pipeline.processors.map((processor) => ({
    ...processor,
    edges: processor.edges.map((edge) =>
      edge.window.kind === "until_next" ? { ...edge, window: { kind: "same_date" as const } } : edge,
    ),
  }));
  return { ...pipeline, processors };
}

function publishingAlways(pipeline: Pipeline): Pipeline {
  return {
    ...pipeline,
    repairUnits: pipeline.repairUnits.map((unit) =>
      unit.action.kind === "sql" ? { ...unit, action: { ...unit.action, publish: "always" as const } } : unit,
    ),
  };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
