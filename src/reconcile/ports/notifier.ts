import type { Bulletin } from "../../core/news.ts";

/** Tells people what happened, on channels that may be slow or away. */
export interface Notifier {
  /**
   * Takes a bulletin for every receiver that wants any of it, and returns at once: a receiver that is away costs the caller
   * nothing. What a receiver cannot be told in the end is reported and dropped. Never throws.
   */
  send(bulletin: Bulletin): void;
  /** Waits until `deadline` resolves for what is still to be told, and drops the rest. Idempotent; never throws. */
  close(options: { readonly deadline: Promise<void> }): Promise<void>;
}
