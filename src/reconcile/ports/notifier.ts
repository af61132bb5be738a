import type { Bulletin, NewsKind } from "../../core/news.ts";

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

/** What became of one bulletin at one receiver. */
export interface Delivery {
  /** As the config names it: its URL is a secret. */
  readonly receiver: string;
  /** Of each event that it had. */
  readonly kinds: readonly NewsKind[];
  /** `failed` after all tries, `dropped` where too many waited or the process ended. */
  readonly outcome: "sent" | "failed" | "dropped";
  /** Why not; null where it was sent. */
  readonly message: string | null;
}

export interface DeliveryListener {
  /** Told of each bulletin once for each receiver, at its end; must not throw. */
  readonly onDelivery: (delivery: Delivery) => void;
}
