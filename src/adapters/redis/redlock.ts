import { randomUUID } from "node:crypto";
import { messageOf, ReconcilerError } from "../../errors.ts";
import type { RedisConnection } from "./connection.ts";
import { createLockNode, type Hold, type LockNode } from "./lock-node.ts";
import { HeldLock, type HeldLockTimes } from "./held-lock.ts";
import { majorityOf, type Verdict, verdictOf, voteOf } from "./vote.ts";

export interface RedlockOptions {
  /**
   * Of independent servers, at least one and best an odd number: no replicas of each other. Opened for `locks`; they need
   * not be ready, but one that is not has no vote.
   */
  readonly connections: readonly RedisConnection[];
  /** What all keys begin with; locks of different keyspaces know nothing of each other. */
  readonly keyspace: string;
  /**
   * What the keys begin with by which servers that lost their memory are noticed; `keyspace` unless given. Keyspaces that share
   * it wait together for what may be held, instead of one after the other. Their `ttlMs` are to be equal.
   */
  readonly memory?: string;
  readonly times: HeldLockTimes;
}

/**
 * Locks over one or several independent Redis servers, by the Redlock algorithm: who has a majority of them holds.
 * docs/decisions/0009-redlock.md says why it is our own.
 */
export class Redlock {
  readonly #nodes: readonly LockNode[];
  readonly #times: HeldLockTimes;
  /** The largest number that this process knows of. */
  #lastNumber = 0;

  constructor({ connections, keyspace, memory = keyspace, times }: RedlockOptions) {
    this.#nodes = connections.map((connection) => createLockNode(connection, keyspace, memory));
    this.#times = times;
  }

  /**
   * Takes all of the keys or none, waiting for nobody; null where somebody holds one of them, or may hold it: a server that
   * lost its memory, or never had one, grants nothing for one `ttlMs`. The lock's `number` is at least a server's clock
   * in microseconds, and larger than every number before it that this process or a majority of the servers knows.
   * @param floor the lock's number is larger than this too; 0 unless given
   * @throws ReconcilerError `redis_unavailable` where no majority answers in time, `redis_unsuitable` or `redis_credentials`
   *   where that is because servers cannot carry locks or refuse this process: nothing is held then
   */
  async acquire(keys: readonly string[], floor = 0): Promise<HeldLock | null> {
    const hold: Hold = { keys, holder: randomUUID(), ttlMs: this.#times.ttlMs };
    // Before the question: by the time of the answer a part of the lock's life is over.
    const askedAt = performance.now();
    const candidates: number[] = [];
    this.#know(floor);
    const taken = await this.#ask(async (node) => {
      const answer = await node.take(hold);
      if (answer.taken) candidates.push(answer.number);
      else this.#know(answer.number);
      return answer.taken;
    });
    if (taken.kind === "yes") {
      // One more than the last, because another lock of this process may have been given the same number meanwhile.
      const number = this.#know(Math.max(...candidates, this.#lastNumber + 1));
      // The largest clock is that of one server, which the next holder's majority may lack: a majority has to know of it.
      const recorded = await this.#ask((node) => node.record(number));
      const elapsedMs = performance.now() - askedAt;
      if (recorded.kind === "yes" && elapsedMs < this.#times.giveUpMs) {
        return new HeldLock({ nodes: this.#nodes, hold, times: this.#times, number, confirmedAt: askedAt });
      }
      await this.#free(hold);
      throw recorded.kind === "yes" ? tooLate(elapsedMs, this.#times) : this.#unavailable(recorded);
    }
    await this.#free(hold);
    // Where two share out the servers between them, neither has a majority, and both come again.
    if (taken.kind === "no" || taken.answers >= majorityOf(this.#nodes.length)) return null;
    throw this.#unavailable(taken);
  }

  /**
   * The largest number that a lock of this keyspace was ever given, as far as this process or a majority of the servers
   * knows; 0 where there was none. Never falls.
   * @throws ReconcilerError as `acquire` does
   */
  async lastNumber(): Promise<number> {
    const verdict = await this.#ask(async (node) => {
      this.#know(await node.lastNumber());
      return true;
    });
    if (verdict.kind !== "yes") throw this.#unavailable(verdict);
    return this.#lastNumber;
  }

  #know(number: number): number {
    this.#lastNumber = Math.max(this.#lastNumber, number);
    return number;
  }

  #ask(question: (node: LockNode) => Promise<boolean>): Promise<Verdict> {
    return verdictOf(this.#nodes.map((node) => voteOf(question(node))));
  }

  async #free(hold: Hold): Promise<void> {
    await Promise.all(this.#nodes.map((node) => voteOf(node.free(hold))));
  }

  #unavailable(verdict: Verdict): ReconcilerError {
    const [servers, needed] = [this.#nodes.length, majorityOf(this.#nodes.length)];
    const { answers, error } = verdict.kind === "undecided" ? verdict : { answers: 0, error: null };
    const message = `expected ${needed} of ${servers} lock servers to answer, found ${answers}: ${messageOf(error)}`;
    const known = error instanceof ReconcilerError ? error : null;
    const goesOn =
      "nothing is locked, so nothing is repaired; it goes on by itself when enough of the servers are back";
    return new ReconcilerError(known?.code ?? "redis_unavailable", message, {
      path: "redis.lock_urls",
      // What does not come back by itself is for a person to mend.
      hint: known === null || known.code === "redis_unavailable" ? goesOn : (known.hint ?? goesOn),
      ...(known === null ? {} : { cause: known }),
    });
  }
}

function tooLate(elapsedMs: number, { giveUpMs }: HeldLockTimes): ReconcilerError {
  const message = `expected a lock within ${giveUpMs / 1000} s, for which it may be held, found it after ${(elapsedMs / 1000).toFixed(1)} s`;
  return new ReconcilerError("redis_unavailable", message, {
    path: "redis.lock_urls",
    hint: "the process or the network stood still: look for a lack of CPU or memory",
  });
}
