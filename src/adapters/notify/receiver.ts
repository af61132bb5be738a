import type { Bulletin, News, NewsKind } from "../../core/news.ts";
import type { Clock } from "../../reconcile/ports.ts";
import type { Delivery, DeliveryListener } from "../../reconcile/ports/notifier.ts";
import { bodyOf, idOf, type NotifyFormat, type Sender } from "./bodies.ts";
import { post, type Webhook } from "./webhook.ts";

/** So many bulletins wait for a receiver; the oldest goes when there are more. */
const waitingMax = 100;
/** Waits after the first, second, … try; with no further one the bulletin is given up. */
const retryMs = [1_000, 5_000, 30_000, 120_000, 300_000] as const;

export interface ReceiverSpec extends Webhook {
  /** What logs call it: its URL is a secret. */
  readonly name: string;
  readonly format: NotifyFormat;
  readonly events: readonly NewsKind[];
}

export interface ReceiverOptions extends DeliveryListener {
  readonly sender: Sender;
  readonly clock: Clock;
}

/** One receiver with its own queue and its own patience: one that is away keeps no other waiting. */
export class Receiver {
  readonly #spec: ReceiverSpec;
  readonly #options: ReceiverOptions;
  readonly #waiting: Bulletin[] = [];
  readonly #end = new AbortController();
  #sending: Promise<void> | null = null;

  constructor(spec: ReceiverSpec, options: ReceiverOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  /** Takes what the receiver wants of a bulletin; returns at once. */
  send(bulletin: Bulletin): void {
    const news = bulletin.news.filter(({ kind }) => this.#spec.events.includes(kind));
    if (news.length === 0) return;
    const wanted: Bulletin = { ...bulletin, news };
    if (this.#end.signal.aborted) return this.#over(wanted, "dropped", "the process is ending");
    this.#waiting.push(wanted);
    const oldest = this.#waiting.length > waitingMax ? this.#waiting.shift() : undefined;
    if (oldest !== undefined) this.#over(oldest, "dropped", `more than ${waitingMax} waited`);
    this.#sending ??= this.#sendAll();
  }

  /** Resolves when nothing waits any more; never rejects. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  /** Tries nothing more; what waits is dropped. Idempotent. */
  abort(): void {
    this.#end.abort();
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#deliver(next);
    }
    this.#sending = null;
  }

  async #deliver(bulletin: Bulletin): Promise<void> {
    const { sender, clock } = this.#options;
    const { signal } = this.#end;
    const body = bodyOf(this.#spec.format, sender, bulletin);
    let message = "the process is ending";
    for (const waitMs of [...retryMs, null]) {
      if (signal.aborted) return this.#over(bulletin, "dropped", message);
      const result = await post(this.#spec, idOf(sender, bulletin), body, signal);
      if (result.kind === "sent") return this.#over(bulletin, "sent", null);
      if (!signal.aborted) message = result.message;
      if (!result.retryable) break;
      if (waitMs !== null) await clock.sleep(Math.max(waitMs, result.retryAfterMs ?? 0), signal);
    }
    this.#over(bulletin, "failed", message);
  }

  #over({ news }: Bulletin, outcome: Delivery["outcome"], message: string | null): void {
    const kinds = news.map(({ kind }: News) => kind);
    this.#options.onDelivery({ receiver: this.#spec.name, kinds, outcome, message });
  }
}
