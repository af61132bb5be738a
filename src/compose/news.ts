import type { Config } from "../config/config.ts";
import type { DaemonListener } from "../reconcile/daemon-options.ts";
import { Newsroom } from "../reconcile/newsroom.ts";
import type { Clock, Ledger } from "../reconcile/ports.ts";
import { type NewsListener, tellAll } from "./listeners.ts";

/** Of a process that ends, for what it has still to tell; a receiver that is away must not hold it up. */
const graceMs = 5_000;

export interface NewsOptions {
  readonly ledger: Pick<Ledger, "since">;
  readonly clock: Clock;
  /** Is told all that it would be told without news. */
  readonly listener: DaemonListener & NewsListener;
}

export interface OpenNews {
  /** What the daemon is to tell. */
  readonly listener: DaemonListener;
  /** Waits a few seconds for what is still to be told. Never throws. */
  close(): Promise<void>;
}

/** Tells the config's receivers what a daemon's cycles saw begin. */
export async function openNews(config: Config, options: NewsOptions): Promise<OpenNews> {
  const { ledger, clock, listener } = options;
  const { notify, pipeline, target } = config;
  if (notify.length === 0) return { listener, close: () => Promise.resolve() };
  // Loaded only where it is used: it would cost every command a part of a second.
  const { createNotifier } = await import("../adapters/notify/notifier.ts");
  const sender = { pipeline: pipeline.name, target };
  const notifier = createNotifier(notify, { sender, clock, onDelivery: listener.onDelivery });
  const newsroom = new Newsroom({ ledger, notifier, onFailure: listener.onNewsFailed });
  return {
    listener: tellAll([listener, newsroom]),
    async close() {
      const over = new AbortController();
      const deadline = clock.sleep(graceMs, over.signal);
      await Promise.race([newsroom.settled(), deadline]);
      await notifier.close({ deadline });
      over.abort();
    },
  };
}
