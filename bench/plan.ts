/**
 * What assessing and planning cost beside the least that any planner must do.
 *
 * The grid: 200 processors × 5,000 dates, 5 dependencies each, 10 % of the cells are gaps (seeded). Baseline: one pass
 * over the same grid in a typed array that reads every cell and each of its 5 upstream cells, and counts the gaps whose
 * upstreams are all there. Measured: `assess` and `plan`, from observations and ledger to the jobs of a cycle. Both must
 * count the same number of gaps that are ready, or one of them measured something else.
 */
import { assess } from "../src/core/assess.ts";
import { alignSight, type AssessInput, compilePipeline } from "../src/core/assessment.ts";
import { Disposition } from "../src/core/grid.ts";
import { fromDay } from "../src/core/iso-date.ts";
import { foldLedger } from "../src/core/ledger-facts.ts";
import { emptyLedgerRecords } from "../src/core/ledger-records.ts";
import type { ProcessorObservation } from "../src/core/observation.ts";
import type { Pipeline } from "../src/core/pipeline.ts";
import { plan } from "../src/core/plan.ts";
import { pipelineOf } from "../test/support/pipeline.ts";
import { type Benchmark, compare } from "./measure.ts";

const processors = 200;
const dates = 5000;
const upstreamsEach = 5;
const gapShare = 0.1;
const rounds = 41;
const firstDay = 14_610; // 2010-01-01
const dayMs = 86_400_000;

interface BenchGrid {
  /** 1 where the cell has its rows, processor by processor. */
  readonly filled: Uint8Array;
  /** `upstreamsEach` indexes per processor; fewer for the first ones, padded with -1. */
  readonly upstreams: Int32Array;
}

export async function planBenchmark(): Promise<Benchmark> {
  const grid = makeGrid();
  const input = inputOf(grid);
  const expected = readyGaps(grid);
  return compare(
    "plan",
    "ms",
    rounds,
    () => check(assessAndPlan(input), expected),
    () => check(readyGaps(grid), expected),
  );
}

/** The gaps that are ready. The limits are those of a cycle: the jobs that find a slot are few, every gap is judged. */
function assessAndPlan(input: AssessInput): number {
  const assessment = assess(input);
  plan(assessment, { jobsMax: 500, cellsMax: 2000, recentSlots: 2, slots: true });
  let ready = 0;
  const { dispositions } = assessment.grid;
  for (let cell = 0; cell < dispositions.length; cell++)
    if (dispositions[cell] === Disposition.ready) ready++;
  return ready;
}

function readyGaps({ filled, upstreams }: BenchGrid): number {
  let ready = 0;
  for (let processor = 0; processor < processors; processor++) {
    for (let date = 0; date < dates; date++) {
      let missing = 0;
      for (let edge = 0; edge < upstreamsEach; edge++) {
        const upstream = upstreams[processor * upstreamsEach + edge] ?? -1;
        if (upstream >= 0 && filled[upstream * dates + date] === 0) missing++;
      }
      if (filled[processor * dates + date] === 0 && missing === 0) ready++;
    }
  }
  return ready;
}

function check(found: number, expected: number): void {
  if (found !== expected) throw new Error(`expected ${expected} ready gaps, found ${found}`);
}

function makeGrid(): BenchGrid {
  const next = random(20_240_101);
  const filled = new Uint8Array(processors * dates);
  for (let cell = 0; cell < filled.length; cell++) filled[cell] = next() < gapShare ? 0 : 1;
  const upstreams = new Int32Array(processors * upstreamsEach).fill(-1);
  for (let processor = 1; processor < processors; processor++) {
    const chosen = new Set<number>();
    while (chosen.size < Math.min(upstreamsEach, processor)) chosen.add(Math.floor(next() * processor));
    upstreams.set([...chosen], processor * upstreamsEach);
  }
  return { filled, upstreams };
}

function inputOf(grid: BenchGrid): AssessInput {
  const pipeline = makePipeline(grid);
  const compiled = compilePipeline(pipeline);
  const now = (firstDay + dates) * dayMs + dayMs / 2;
  const observations = {
    now,
    schedules: new Map(),
    processors: new Map(pipeline.processors.map(({ name, index }) => [name, observe(grid, index)])),
    unmetPreconditions: new Map<string, string>(),
    runHistory: null,
    scanBytes: 0,
  };
  const sight = alignSight(compiled, observations, now);
  return {
    compiled,
    sight,
    facts: foldLedger(pipeline, emptyLedgerRecords, now),
    inFlight: [],
    now,
    policy: { maxAgeMs: null, wanted: [], horizon: now, ignoreBackoff: false },
    selection: {
      processors: new Set(pipeline.processors.map(({ index }) => index)),
      from: 0,
      to: sight.axis.length - 1,
    },
    assumed: null,
  };
}

function makePipeline({ upstreams }: BenchGrid): Pipeline {
  const named = Array.from({ length: processors }, (_, processor) => {
    const own = upstreams.subarray(processor * upstreamsEach, (processor + 1) * upstreamsEach);
    const needs = Array.from(
      own.filter((upstream) => upstream >= 0),
      (upstream) => `p${upstream}`,
    );
    return [`p${processor}`, { needs }] as const;
  });
  const calendar = { kind: "calendar", every: "day", weekday: 1, day: "first" } as const;
  return pipelineOf({
    processors: Object.fromEntries(named),
    schedules: [
      {
        name: "default",
        source: calendar,
        startDate: fromDay(firstDay),
        endDate: null,
        except: null,
        maxGapDays: null,
      },
    ],
  });
}

function observe({ filled }: BenchGrid, processor: number): ProcessorObservation {
  const own = filled.subarray(processor * dates, (processor + 1) * dates);
  const days = Int32Array.from(
    [...own.keys()].filter((date) => own[date] === 1),
    (date) => firstDay + date,
  );
  const none = new Float64Array(days.length).fill(Number.NaN);
  return {
    kind: "observed",
    unseen: null,
    profile: {
      days,
      rows: new Float64Array(days.length).fill(10),
      entities: none,
      firstWriteMs: none,
      lastWriteMs: none,
      metrics: [],
    },
  };
}

/** Numbers from 0 to 1 that are the same on every machine. Source: T. Ettinger, mulberry32. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
