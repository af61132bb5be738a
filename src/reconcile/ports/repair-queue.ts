import type { IsoDate } from "../../core/iso-date.ts";
import type { EpochMs } from "../../core/wall-clock.ts";

/** A planned job as a worker in any process needs it: by names, because indexes may mean something else there. */
export interface RepairJob {
  /** `repair/first..last/attempt`; the same for the same work, so that it cannot be outstanding twice. */
  readonly id: string;
  /** The repair unit's name. */
  readonly repair: string;
  /** Ascending, at least one. */
  readonly dates: readonly IsoDate[];
  /** 1 is the first. */
  readonly attempt: number;
  /** Why it is run, in a few words. */
  readonly reason: string;
  /** Of the cycle that planned it. */
  readonly cycleId: string;
}

export interface QueuedRepair extends RepairJob {
  /** Of the planning term that enqueued it. */
  readonly epoch: number;
}

export type OutstandingRepair = TakenRepair | WaitingRepair;

export interface TakenRepair extends QueuedRepair {
  readonly state: "running";
}

export interface WaitingRepair extends QueuedRepair {
  readonly state: "queued";
  /** By the clock of whoever enqueued it. */
  readonly queuedAt: EpochMs;
}

/**
 * Hands jobs from the planner to the workers. A disposable transport: what it loses, the next cycle enqueues again, and a job
 * that it hands out twice is caught by the cells' locks. It knows of no attempts, delays or results.
 */
export interface RepairQueue {
  /**
   * Adds, in this order, those jobs whose ids are not outstanding, as long as fewer than the queue's maximum are. Returns
   * the ids that it added; the others are for a later cycle. After an error some may have been added all the same: adding
   * them again does no harm.
   * @param epoch of the planning term that planned them
   * @throws ReconcilerError `plan_outdated` where a newer epoch was seen: nothing is added then; `redis_*`
   */
  enqueue(jobs: readonly RepairJob[], epoch: number): Promise<readonly string[]>;
  /**
   * What runs and what waits, in any process, each oldest first. What runs elsewhere and was forgotten by a wiped server is
   * not in it.
   * @throws ReconcilerError `redis_*`
   */
  outstanding(): Promise<readonly OutstandingRepair[]>;
  /**
   * From now on takes jobs, in the order in which they were enqueued, at most `slots` at once, until the consumer is
   * closed. A job is over when `handle` settles: a rejection ends it as a resolution does, and `handle` reports it itself.
   * Never throws; while the transport is away nothing is taken.
   */
  consume(handle: RepairHandler, options: ConsumeOptions): RepairConsumer;
  /**
   * Removes those of the jobs that nobody has taken yet, and returns their ids. Idempotent.
   * @throws ReconcilerError `redis_*`
   */
  remove(ids: readonly string[]): Promise<readonly string[]>;
  /** @throws ReconcilerError `redis_*` */
  depth(): Promise<QueueDepth>;
  /** Closes the consumers that are open, without grace, and then itself. Idempotent; never throws. */
  close(): Promise<void>;
}

/** @param signal aborts when the consumer is closed and its grace is over: the run is to be cancelled */
export type RepairHandler = (job: QueuedRepair, signal: AbortSignal) => Promise<void>;

export interface ConsumeOptions {
  /** At least 1. */
  readonly slots: number;
}

/** One process's share of the work. */
export interface RepairConsumer {
  /** Jobs that this consumer runs. */
  readonly running: number;
  /** When it last took a job, by this machine's clock; null before the first. */
  readonly lastTakenAt: EpochMs | null;
  /** Takes nothing more; what runs goes on. Idempotent. */
  pause(): void;
  /** Takes jobs again after `pause`. Idempotent; does nothing once closed. */
  resume(): void;
  /**
   * Takes nothing more, waits at most `graceMs` for what runs, then aborts it and waits for its end a few seconds longer.
   * Idempotent; never throws.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}

export interface QueueDepth {
  readonly waiting: number;
  readonly running: number;
  /** Age of the job that is next; null where none waits. As exact as the clocks of the replicas agree. */
  readonly oldestWaitingMs: number | null;
}
