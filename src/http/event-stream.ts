import type { ServerResponse } from "node:http";
import { redact } from "../core/redact.ts";
import { ReconcilerError } from "../errors.ts";
import type { LiveDaemon, LiveView } from "../reconcile/ports/live-view.ts";
import { type LiveEvent, newsOf, viewEvent } from "./live-events.ts";

export interface EventStreamOptions {
  readonly live: LiveDaemon;
  /** Names this process in the ids of events: each replica counts for itself. */
  readonly instance: string;
  readonly watchersMax: number;
  readonly beatMs: number;
  /** Texts that must not appear. */
  readonly secrets: readonly string[];
}

/** Changes within it are told together. */
const gatherMs = 250;
/** Events that a watcher who comes back can still be told. */
const keptMax = 256;
/** What a watcher may leave unread before it is dropped; it comes back and is told the rest. */
const unreadBytesMax = 256 * 1024;
/** How long events are kept for those who come back, after the last watcher has left. */
const lingerMs = 60_000;

/** Tells everybody who watches what changes, as server-sent events. Nothing is done for it while nobody watches. */
export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #watchers = new Set<ServerResponse>();
  readonly #kept: { readonly number: number; readonly text: string }[] = [];
  #lastNumber = 0;
  #told: LiveView | null = null;
  #unsubscribe: (() => void) | null = null;
  #gathering: NodeJS.Timeout | null = null;
  #beating: NodeJS.Timeout | null = null;
  #lingering: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** @throws ReconcilerError `too_many_watchers` */
  checkRoom(): void {
    const { watchersMax } = this.#options;
    if (!this.#isClosed && this.#watchers.size < watchersMax) return;
    throw new ReconcilerError(
      "too_many_watchers",
      this.#isClosed ? "the daemon stops" : `${watchersMax} watch already`,
      { hint: "try again in a minute, or ask for /api/v1/grid from time to time" },
    );
  }

  /**
   * Answers with events until either side ends it.
   * @param lastEventId of the last event that the watcher was told; what came since is told first, as far as it is kept
   */
  add(response: ServerResponse, lastEventId: string | undefined): void {
    this.#watchers.add(response);
    response.once("close", () => this.#left(response));
    this.#begin();
    response.write("retry: 3000\n\n");
    const missed = lastEventId === undefined ? null : this.#since(lastEventId);
    if (lastEventId !== undefined && missed === null) response.write("event: reset\ndata: {}\n\n");
    if (missed !== null) for (const { text } of missed) response.write(text);
    else response.write(this.#textOf(this.#lastNumber, viewEvent(this.#now())));
  }

  /** Ends all answers; nobody is let in any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const response of this.#watchers) response.end();
    this.#watchers.clear();
    this.#end();
  }

  #begin(): void {
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    this.#lingering = null;
    if (this.#unsubscribe !== null) return;
    const { live, beatMs } = this.#options;
    this.#told = live.view();
    this.#unsubscribe = live.subscribe(() => {
      this.#gathering ??= setTimeout(() => this.#tellChanges(), gatherMs);
    });
    this.#beating = setInterval(() => this.#beat(), beatMs);
  }

  /** For who has just come: of what the others are about to be told it is told at once, or it would take its newer page for old. */
  #now(): LiveView {
    return this.#gathering === null && this.#told !== null ? this.#told : this.#options.live.view();
  }

  #left(response: ServerResponse): void {
    if (!this.#watchers.delete(response) || this.#watchers.size > 0) return;
    // A page that is loaded anew leaves and comes back.
    this.#lingering ??= setTimeout(() => this.#end(), lingerMs).unref();
  }

  #end(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    for (const timer of [this.#gathering, this.#beating, this.#lingering])
      if (timer !== null) clearTimeout(timer);
    [this.#gathering, this.#beating, this.#lingering] = [null, null, null];
    this.#told = null;
    this.#kept.length = 0;
  }

  /** Comments keep proxies from closing what is silent; asking keeps a process that does not plan looking. */
  #beat(): void {
    this.#tellChanges();
    this.#send(": beat\n\n");
  }

  #tellChanges(): void {
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    this.#gathering = null;
    const before = this.#told;
    const view = this.#options.live.view();
    if (before === null || view.revision === before.revision) return;
    this.#told = view;
    for (const event of newsOf(before, view)) {
      const number = ++this.#lastNumber;
      const text = this.#textOf(number, event);
      this.#kept.push({ number, text });
      if (this.#kept.length > keptMax) this.#kept.shift();
      this.#send(text);
    }
  }

  #send(text: string): void {
    for (const response of this.#watchers) {
      if (response.writableLength > unreadBytesMax) response.destroy();
      else response.write(text);
    }
  }

  /** Null where some of it is not kept any more, or the id is another process's. */
  #since(lastEventId: string): readonly { readonly text: string }[] | null {
    const [instance, text = ""] = lastEventId.split("/");
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    const isOurs = instance === this.#options.instance && number <= this.#lastNumber;
    const first = this.#kept[0]?.number ?? this.#lastNumber + 1;
    return isOurs && number >= first - 1 ? this.#kept.filter((kept) => kept.number > number) : null;
  }

  #textOf(number: number, { event, data }: LiveEvent): string {
    const { instance, secrets } = this.#options;
    return `id: ${instance}/${number}\nevent: ${event}\ndata: ${redact(JSON.stringify(data), secrets)}\n\n`;
  }
}
