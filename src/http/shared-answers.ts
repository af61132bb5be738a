import type { LiveDaemon, LiveView } from "../reconcile/ports/live-view.ts";
import type { Clock } from "../reconcile/ports.ts";
import type { LoopShare, Work } from "./loop-share.ts";

/** Nobody sees that an answer is so much older; the ages on a page go on from when it arrives. */
const keptMs = 1_000;
/** Of what is asked for in the same second. */
const keptMax = 20;

interface MadeAnswer<T> {
  readonly value: T;
  readonly revision: number;
  readonly madeAt: number;
}

/** The view that an answer is made of is taken when its turn comes. */
interface Progress {
  /** Of that view; null until then. */
  revision: number | null;
}

interface ComingAnswer<T> {
  readonly value: Promise<T>;
  readonly progress: Readonly<Progress>;
}

/**
 * Answers by what they show, with those of the last second. When something changes, everybody who has the page open asks for it
 * at once, and most look at the same: it is made once for all of them.
 */
export class SharedAnswers<T> {
  readonly #live: Pick<LiveDaemon, "view">;
  readonly #loop: LoopShare;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #made = new Map<string, MadeAnswer<T>>();
  readonly #coming = new Map<string, ComingAnswer<T>>();

  constructor(live: Pick<LiveDaemon, "view">, loop: LoopShare, clock: Pick<Clock, "monotonic">) {
    this.#live = live;
    this.#loop = loop;
    this.#clock = clock;
  }

  /**
   * The answer of the view, or of a later one.
   * @param key everything that decides what it shows, the view aside
   * @param make begun when its turn comes, with the view of that moment
   * @throws ReconcilerError `server_busy`; whatever making it throws
   */
  get({ revision }: LiveView, key: string, make: (view: LiveView) => Work<T>): Promise<T> {
    const now = this.#clock.monotonic();
    for (const [known, { madeAt }] of this.#made) if (now - madeAt >= keptMs) this.#made.delete(known);
    const made = this.#made.get(key);
    if (made?.revision === revision) return Promise.resolve(made.value);
    const coming = this.#coming.get(key);
    if (coming !== undefined && (coming.progress.revision ?? revision) === revision) return coming.value;
    return this.#begin(key, make);
  }

  #begin(key: string, make: (view: LiveView) => Work<T>): Promise<T> {
    const progress: Progress = { revision: null };
    const value = this.#loop.run(this.#work(make, progress)).then((made) => {
      this.#keep(key, made, progress);
      return made;
    });
    const coming = { value, progress };
    this.#coming.set(key, coming);
    const over = () => {
      // Somebody may have asked for a later one meanwhile.
      if (this.#coming.get(key) === coming) this.#coming.delete(key);
    };
    value.then(over, over);
    return value;
  }

  *#work(make: (view: LiveView) => Work<T>, progress: Progress): Work<T> {
    const view = this.#live.view();
    progress.revision = view.revision;
    return yield* make(view);
  }

  #keep(key: string, value: T, { revision }: Progress): void {
    if (revision === null) return;
    this.#made.delete(key);
    const [oldest] = this.#made.keys();
    if (oldest !== undefined && this.#made.size >= keptMax) this.#made.delete(oldest);
    this.#made.set(key, { value, revision, madeAt: this.#clock.monotonic() });
  }
}
