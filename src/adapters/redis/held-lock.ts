import { ReconcilerError } from "../../errors.ts";
import type { Hold, LockNode } from "./lock-node.ts";
import { type Vote, verdictOf, voteOf } from "./vote.ts";

/** Each larger than the one before: renewed several times before it is given up, and given up before it ends. */
export interface HeldLockTimes {
  /** From the end of a renewal to the next. */
  readonly renewMs: number;
  /** How long after the start of the last renewal that worked the holder stops believing in its lock. */
  readonly giveUpMs: number;
  /** How long the servers keep a lock that is not renewed. What is between is for the holder to stop what it does. */
  readonly ttlMs: number;
}

/** The ratio of Kubernetes' leases. */
export const defaultLockTimes: HeldLockTimes = { renewMs: 2000, giveUpMs: 10_000, ttlMs: 15_000 };

export interface HeldLockParts {
  readonly nodes: readonly LockNode[];
  readonly hold: Hold;
  readonly times: HeldLockTimes;
  readonly number: number;
  /** When the question was sent to which a majority said yes, as `performance.now()` counts. */
  readonly confirmedAt: number;
}

/**
 * A lock that a majority of the servers granted, and that is renewed until it is released or lost. `performance.now()` alone
 * says how long it is good for: a wall clock can be set, on either side.
 */
export class HeldLock {
  /** Larger than that of every lock before it. */
  readonly number: number;
  readonly #parts: HeldLockParts;
  readonly #lost = new AbortController();
  #isHeld = true;
  /** As `performance.now()` counts. */
  #goodUntil = 0;
  #renewal: NodeJS.Timeout | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #released: Promise<void> | null = null;

  constructor(parts: HeldLockParts) {
    this.#parts = parts;
    this.number = parts.number;
    this.#confirm(parts.confirmedAt);
    this.#renewLater();
  }

  /** Aborts when the lock is lost, before another can hold it. */
  get signal(): AbortSignal {
    // A process that stood still may ask before its timers had their turn.
    if (this.#isHeld && performance.now() >= this.#goodUntil) this.#giveUp();
    return this.#lost.signal;
  }

  /** Idempotent; never throws. Takes no longer than the servers' time limits. */
  release(): Promise<void> {
    this.#stop();
    this.#released ??= this.#free();
    return this.#released;
  }

  #confirm(askedAt: number): void {
    this.#goodUntil = askedAt + this.#parts.times.giveUpMs;
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#giveUp(), Math.max(0, this.#goodUntil - performance.now()));
  }

  #giveUp(): void {
    const { giveUpMs } = this.#parts.times;
    this.#lose(`no majority of the lock servers has confirmed it for ${giveUpMs / 1000} s`);
  }

  #renewLater(): void {
    this.#renewal = setTimeout(() => void this.#renew(), this.#parts.times.renewMs);
  }

  async #renew(): Promise<void> {
    const { nodes, hold } = this.#parts;
    const askedAt = performance.now();
    const votes = nodes.map((node) => ({ node, vote: voteOf(node.renew(hold)) }));
    const verdict = await verdictOf(votes.map(({ vote }) => vote));
    if (!this.#isHeld) return;
    if (verdict.kind === "no") {
      this.#lose("the lock servers do not know it any more");
      return;
    }
    if (verdict.kind === "yes") {
      this.#confirm(askedAt);
      for (const { node, vote } of votes) void this.#rejoin(node, vote);
    }
    this.#renewLater();
  }

  /** A server that was away when the majority granted the lock, or lost it since, is to vote for it from now on. */
  async #rejoin(node: LockNode, vote: Promise<Vote>): Promise<void> {
    const { kind } = await vote;
    // Without the second question a server that answers late would keep keys that are free by then, for their whole life.
    if (kind === "no" && this.#isHeld) await voteOf(node.rejoin(this.#parts.hold));
  }

  /** The servers are told by the release only: until then nobody can take what this holder is about to stop. */
  #lose(why: string): void {
    this.#stop();
    const { keys } = this.#parts.hold;
    const what = keys.length === 1 ? `the lock on ${keys[0]}` : `the lock on ${keys.length} keys`;
    this.#lost.abort(
      new ReconcilerError("lock_lost", `${what} was lost: ${why}`, {
        path: "redis.lock_urls",
        hint: "what it protected is cancelled and planned again; look at the lock servers if it happens often",
      }),
    );
  }

  #stop(): void {
    this.#isHeld = false;
    clearTimeout(this.#watchdog);
    clearTimeout(this.#renewal);
  }

  async #free(): Promise<void> {
    const { nodes, hold } = this.#parts;
    await Promise.all(nodes.map((node) => voteOf(node.free(hold))));
  }
}
