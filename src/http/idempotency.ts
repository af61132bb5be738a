import { createHash } from "node:crypto";
import { ReconcilerError } from "../errors.ts";

interface Remembered {
  /** A hash of what was asked for, so that another request under the same key is found out. */
  readonly request: string;
  readonly answer: Promise<unknown>;
}

/** So many keys are remembered, as an answer may name every cell; of older ones the ledger knows the decision. */
const keysMax = 100;

/** What was answered to requests that came with an Idempotency-Key, so that the same one again does nothing again. */
export class Idempotency {
  readonly #known = new Map<string, Remembered>();

  /**
   * Does the work, or answers what it answered before. Work that fails is forgotten: it may be asked for again.
   * @param request what is asked for, the same text for the same
   * @throws ReconcilerError `idempotency_conflict`, and what the work throws
   */
  once<T>(key: string, request: string, work: () => Promise<T>): Promise<unknown> {
    const known = this.#known.get(key);
    const hash = createHash("sha256").update(request).digest("hex");
    if (known !== undefined) {
      if (known.request !== hash) throw conflict();
      return known.answer;
    }
    const answer = work();
    this.#known.set(key, { request: hash, answer });
    answer.catch(() => this.#known.delete(key));
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size > keysMax) this.#known.delete(oldest);
    return answer;
  }
}

export function conflict(): ReconcilerError {
  return new ReconcilerError(
    "idempotency_conflict",
    "expected the request that this Idempotency-Key came with before, found another one",
    { path: "headers.idempotency-key", hint: "take a new key for a new request" },
  );
}

/** The id of the decision that a key stands for, in every process and after every restart. */
export function decisionIdOf(pipeline: string, key: string): string {
  const hex = createHash("sha256")
    .update(JSON.stringify([pipeline, key]))
    .digest("hex");
  // As a UUID of version 8, whose bits are the program's own.
  const variant = "89ab"[Number.parseInt(hex.slice(16, 17), 16) % 4];
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
