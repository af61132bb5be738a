import { collectDefaultMetrics, Registry } from "prom-client";
import type { Assessment } from "../../core/assessment.ts";
import type { Pipeline } from "../../core/pipeline.ts";
import type { ReconcileContext } from "../../reconcile/context.ts";
import type { Clock } from "../../reconcile/ports.ts";
import type { QueueDepth } from "../../reconcile/ports/repair-queue.ts";
import { type EventCounters, eventCounters } from "./event-counters.ts";
import { Freshness } from "./freshness.ts";
import { setGridGauges } from "./grid-gauges.ts";
import { setInitialValues } from "./initial-values.ts";
import { createInstruments, type Instruments } from "./instruments.ts";
import { measuredLock, measuredWarehouse } from "./measured-ports.ts";

export interface MetricsOptions {
  readonly pipeline: Pipeline;
  readonly clock: Clock;
  readonly build: { readonly version: string; readonly revision: string };
  /** Whether it goes on until it is stopped: then its memory, event loop and garbage collection are offered too. */
  readonly isDaemon: boolean;
}

export interface MetricsListener extends EventCounters {
  readonly onPlanned: (assessment: Assessment) => void;
}

export interface RenderedMetrics {
  readonly contentType: string;
  /** In the text format of Prometheus. */
  readonly text: string;
}

/** The metrics of one process. Nothing is global: two in one process do not know of each other. */
export interface Metrics {
  readonly listener: MetricsListener;
  /** The same context; its looks at the warehouse and the locks that it loses are counted. */
  measure(context: ReconcileContext): ReconcileContext;
  /** Has the planner ask how full the queue is each time that metrics are rendered. */
  watchQueue(depth: () => Promise<QueueDepth>): void;
  /** As of now; the grid is as it was last assessed. Takes 2 seconds at most. Never rejects. */
  render(): Promise<RenderedMetrics>;
}

/** A scrape does not wait longer for a queue that does not answer. */
const depthTimeoutMs = 2_000;

export function createMetrics({ pipeline, clock, build, isDaemon }: MetricsOptions): Metrics {
  const instruments = createInstruments(pipeline.name, isDaemon);
  setInitialValues(instruments, pipeline);
  instruments.set("build_info", { ...build, node: process.versions.node }, 1);
  const ownProcess = new Registry();
  if (isDaemon) collectDefaultMetrics({ register: ownProcess });
  const all = Registry.merge([instruments.registry, ownProcess]);
  const planner = new PlannerGauges(instruments, clock);
  const counters = eventCounters(instruments, clock);
  return {
    listener: {
      ...counters,
      onLeading(isLeading) {
        counters.onLeading(isLeading);
        planner.lead(isLeading);
      },
      onCycle(assessment, cycleId) {
        counters.onCycle(assessment, cycleId);
        planner.assessed(assessment, true);
      },
      onCycleFailed(thrown, cycleId) {
        counters.onCycleFailed(thrown, cycleId);
        planner.distrust();
      },
      onPlanned: (assessment) => planner.assessed(assessment, false),
    },
    measure: (context) => ({
      ...context,
      warehouse: measuredWarehouse(context.warehouse, instruments, clock),
      lock: measuredLock(context.lock, instruments),
    }),
    watchQueue: (depth) => planner.watchQueue(depth),
    async render() {
      await planner.refresh();
      return { contentType: all.contentType, text: await all.metrics() };
    },
  };
}

/** The gauges that whoever plans offers alone. They are counted when somebody asks, not with each repair that ends. */
class PlannerGauges {
  readonly #instruments: Instruments;
  readonly #clock: Clock;
  #isLeading = false;
  #assessment: Assessment | null = null;
  /** Whether the last cycle worked. */
  #isTrusted = false;
  /** Whether what is set is not as it should be any more. */
  #isChanged = false;
  #freshness = new Freshness();
  #depth: (() => Promise<QueueDepth>) | null = null;

  constructor(instruments: Instruments, clock: Clock) {
    this.#instruments = instruments;
    this.#clock = clock;
  }

  lead(isLeading: boolean): void {
    this.#isLeading = isLeading;
    // Somebody else sees what happens meanwhile.
    this.#assessment = null;
    this.#isChanged = true;
    this.#freshness = new Freshness();
  }

  assessed(assessment: Assessment, isCycle: boolean): void {
    if (!this.#isLeading) return;
    this.#assessment = assessment;
    this.#isChanged = true;
    if (isCycle) this.#isTrusted = true;
    for (const { severity, seconds } of this.#freshness.look(assessment)) {
      this.#instruments.observe("freshness_seconds", { severity }, seconds);
    }
  }

  distrust(): void {
    this.#isTrusted = false;
    this.#isChanged = true;
  }

  watchQueue(depth: () => Promise<QueueDepth>): void {
    this.#depth = depth;
  }

  async refresh(): Promise<void> {
    const depth = this.#isLeading ? await this.#askDepth() : null;
    // From here on nothing waits, so that nobody renders what is set in part.
    if (this.#isChanged) this.#setGrid();
    setQueueGauges(this.#instruments, depth);
  }

  #setGrid(): void {
    this.#isChanged = false;
    this.#instruments.clearPlanner();
    if (this.#assessment !== null) setGridGauges(this.#instruments, this.#assessment, this.#isTrusted);
  }

  /** Null where the queue does not answer in time, or there is none. */
  async #askDepth(): Promise<QueueDepth | null> {
    if (this.#depth === null) return null;
    const over = new AbortController();
    const late = this.#clock.sleep(depthTimeoutMs, over.signal).then(() => null);
    try {
      return await Promise.race([this.#depth().catch(() => null), late]);
    } finally {
      over.abort();
    }
  }
}

/** @param depth null where it is not known */
function setQueueGauges(instruments: Instruments, depth: QueueDepth | null): void {
  instruments.clear("queue_jobs");
  instruments.clear("queue_oldest_job_age_seconds");
  if (depth === null) return;
  const { waiting, running, oldestWaitingMs } = depth;
  instruments.set("queue_jobs", { state: "queued" }, waiting);
  instruments.set("queue_jobs", { state: "running" }, running);
  instruments.set("queue_oldest_job_age_seconds", {}, Math.max(0, oldestWaitingMs ?? 0) / 1000);
}
