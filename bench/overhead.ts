/**
 * What a repair costs beside the work that it has done: lock, check, record, verify, record.
 *
 * One repair after the other, one date each, with an executor that does nothing. On DuckDB with the locks of one process, and on
 * Redis with the local BigQuery, whose ledger is written by INSERT jobs that wait 500 ms for others to go with them. Measured:
 * the whole of `runJob`. Baseline: the part of the same repair in which it waited for warehouse, ledger and locks, so that the
 * ratio says what the product itself adds to them. Each `_lock`, `_check`, `_record_start`, `_verify`, `_record_end` is the part
 * in which it waited for that step, beside the whole.
 */
import { plan } from "../src/core/plan.ts";
import type { ReconcileContext } from "../src/reconcile/context.ts";
import { runJob } from "../src/reconcile/repair.ts";
import { everything } from "../src/reconcile/selection.ts";
import { Session } from "../src/reconcile/session.ts";
import { type BrokenPipeline, distributedPipeline, embeddedPipeline } from "./broken-pipeline.ts";
import { medianAndP99, type Benchmark, medians } from "./measure.ts";
import { openContext } from "./open-context.ts";

/** In the order in which a repair takes them. */
const steps = ["lock", "check", "record_start", "verify", "record_end"] as const;
type Step = (typeof steps)[number];

/** Milliseconds of one repair. */
interface Spent extends Readonly<Record<Step, number>> {
  readonly whole: number;
}

const dateCounts = { embedded: 100, distributed: 40 } as const;
const cycleId = "bench-1";

export async function overheadBenchmarks(): Promise<readonly Benchmark[]> {
  const embedded = await spentOn(await embeddedPipeline(dateCounts.embedded), false);
  const distributed = await spentOn(await distributedPipeline(dateCounts.distributed), true);
  return [
    ...benchmarksOf("repair_overhead_embedded", embedded),
    ...benchmarksOf("repair_overhead_distributed", distributed),
  ];
}

function benchmarksOf(name: string, repairs: readonly Spent[]): readonly Benchmark[] {
  const whole = repairs.map((spent) => spent.whole);
  const waited = repairs.map((spent) => steps.reduce((sum, step) => sum + spent[step], 0));
  return [
    ...medianAndP99(name, "ms", whole, waited),
    ...steps.map((step) =>
      medians(
        `${name}_${step}`,
        "ms",
        repairs.map((spent) => spent[step]),
        whole,
      ),
    ),
  ];
}

async function spentOn(pipeline: BrokenPipeline, sharesJobs: boolean): Promise<readonly Spent[]> {
  const open = await openContext(pipeline.file);
  try {
    await open.context.ledger.create();
    const found = await repairAll(open.context, sharesJobs);
    if (found.length !== pipeline.dates.length)
      throw new Error(`expected ${pipeline.dates.length} repairs, found ${found.length}`);
    return found;
  } finally {
    await open.close();
    await pipeline.remove();
  }
}

async function repairAll(context: ReconcileContext, sharesJobs: boolean): Promise<readonly Spent[]> {
  const stopwatch = new Stopwatch(context);
  const session = new Session(stopwatch.context, {
    selection: everything,
    asOf: null,
    maxAgeMs: null,
    sharesJobs,
    horizon: "moving",
  });
  await session.refresh();
  const limits = { jobsMax: 1000, cellsMax: 1000, recentSlots: 0, slots: false };
  const never = new AbortController().signal;
  const found: Spent[] = [];
  for (const job of plan(session.assess(), limits)) {
    const start = performance.now();
    stopwatch.reset();
    const events = {
      started: () => undefined,
      verified: () => undefined,
      ended: () => undefined,
      unconfirmed: () => undefined,
    };
    const result = await runJob(stopwatch.context, session, job, cycleId, events, {
      stop: never,
      cancel: never,
    });
    if (result.kind !== "ran") throw new Error(`expected a repair that ran, found ${result.kind}`);
    found.push({ ...stopwatch.spent(), whole: performance.now() - start });
  }
  return found;
}

/** Adds up how long a repair waits for each port. */
class Stopwatch {
  readonly context: ReconcileContext;
  #spent: Record<Step, number> = newTimes();
  #hasRun = false;

  constructor(context: ReconcileContext) {
    const { warehouse, ledger, lock } = context;
    this.context = {
      ...context,
      warehouse: {
        ...warehouse,
        profile: (request) => this.#timed(this.#hasRun ? "verify" : "check", warehouse.profile(request)),
        lastFence: (cells) => this.#timed("check", warehouse.lastFence(cells)),
      },
      ledger: {
        ...ledger,
        read: (now) => this.#timed("check", ledger.read(now)),
        recordStart: (start) => this.#timed("record_start", ledger.recordStart(start)),
        recordEnd: (end) => this.#timed("record_end", ledger.recordEnd(end)),
      },
      lock: {
        acquire: async (keys) => {
          const lease = await this.#timed("lock", lock.acquire(keys));
          if (lease === null) return null;
          return {
            tokenFloor: lease.tokenFloor,
            get signal() {
              return lease.signal;
            },
            release: () => this.#timed("lock", lease.release()),
          };
        },
      },
      executor: {
        ...context.executor,
        run: () => {
          this.#hasRun = true;
          return Promise.resolve({ kind: "succeeded", logTail: null });
        },
      },
    };
  }

  reset(): void {
    this.#spent = newTimes();
    this.#hasRun = false;
  }

  spent(): Readonly<Record<Step, number>> {
    return this.#spent;
  }

  async #timed<T>(step: Step, work: Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work;
    } finally {
      this.#spent[step] += performance.now() - start;
    }
  }
}

function newTimes(): Record<Step, number> {
  return { lock: 0, check: 0, record_start: 0, verify: 0, record_end: 0 };
}
