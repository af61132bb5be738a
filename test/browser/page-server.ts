import { decisionOf } from "../../src/core/decide.ts";
import { explainCell } from "../../src/core/explain.ts";
import { toDay } from "../../src/core/iso-date.ts";
import type { Decision } from "../../src/core/ledger-records.ts";
import { formatInstant } from "../../src/core/wall-clock.ts";
import { systemClock } from "../../src/adapters/inline/system-clock.ts";
import { type HttpServer, startHttpServer } from "../../src/http/server.ts";
import type { LiveDaemon } from "../../src/reconcile/ports/live-view.ts";
import { freePort } from "../support/free-port.ts";
import type { Moment } from "./moments.ts";

export const token = "correct-horse-battery";

/** The daemon's own server over one moment at a time, which the test changes; what people decide is kept. */
export class PageServer {
  readonly decisions: Decision[] = [];
  #moment: Moment;
  #server: HttpServer | null = null;
  /** Null before the first start; a second one listens at the same port. */
  #listen: string | null = null;
  readonly #listeners = new Set<() => void>();

  constructor(moment: Moment) {
    this.#moment = moment;
  }

  get base(): string {
    if (this.#server === null) throw new RangeError("the server is not started");
    return this.#server.url;
  }

  async start(): Promise<void> {
    this.#server = await startHttpServer({
      partlyAway: () => [],
      listen: (this.#listen ??= `127.0.0.1:${await freePort()}`),
      token,
      live: this.#live(),
      secrets: [],
      metrics: { render: () => Promise.resolve({ contentType: "text/plain", text: "" }) },
      clock: systemClock,
      ledger: { decisions: () => Promise.resolve(this.decisions) },
      explain: (assessment, processor, date) =>
        Promise.resolve({
          ...explainCell(assessment, processor, toDay(date) - assessment.grid.axis.first),
          schema_version: 1,
          pipeline: assessment.grid.pipeline.name,
          target: null,
          as_of: formatInstant(assessment.now),
          sql: "select game_date, count(*) as n\nfrom nba.predictions\ngroup by game_date",
          attempts: [],
        }),
      record: (request, id) => {
        const decision = decisionOf(request, Date.now(), id);
        this.decisions.push(decision);
        return Promise.resolve(decision);
      },
      onFailure: (thrown) => {
        throw thrown;
      },
    });
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    this.#server = null;
  }

  show(moment: Moment): void {
    this.#moment = moment;
    for (const listener of this.#listeners) listener();
  }

  #live(): LiveDaemon {
    return {
      standing: () => this.#moment.view,
      view: () => this.#moment.view,
      plan: () => this.#moment.plan,
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      cycleNow: () => undefined,
      heedDecisions: () => undefined,
      loopAgeMs: () => 0,
    };
  }
}
