import type { Config } from "../config/config.ts";
import type { ReconcilerError } from "../errors.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";
import type { ReconcileContext } from "../reconcile/context.ts";
import type { Show } from "../reconcile/daemon-options.ts";
import { explainFully } from "../reconcile/explain-cell.ts";
import { recordDecision } from "../reconcile/record-decision.ts";

export interface HttpListener {
  readonly onListening: (url: string) => void;
  /** A request failed for a reason that is not the caller's. */
  readonly onRequestFailed: (thrown: unknown, request: string) => void;
}

export interface HttpParts {
  readonly context: ReconcileContext;
  readonly metrics: Pick<Metrics, "render">;
  readonly listener: HttpListener;
  /** What is away though it holds nothing up yet. */
  readonly partlyAway: () => readonly ReconcilerError[];
}

/** What shows a daemon over HTTP; null where the config says nothing of it. */
export function showOverHttp(
  config: Config,
  { context, metrics, listener, partlyAway }: HttpParts,
): Show | null {
  const { http, storage, target, secrets } = config;
  if (http === null) return null;
  return {
    target,
    pricePerTibUsd: storage.type === "bigquery" ? storage.pricePerTibUsd : null,
    async open(live) {
      // Loaded only where it is used: it would cost every command a part of a second.
      const { startHttpServer } = await import("../http/server.ts");
      const server = await startHttpServer({
        ...http,
        live,
        secrets,
        metrics,
        partlyAway,
        clock: context.clock,
        ledger: context.ledger,
        explain: async (assessment, processor, date) =>
          (await explainFully(context, assessment, processor, date, { target, secrets })).document,
        record: (request, id) => recordDecision(context, request, id),
        onFailure: listener.onRequestFailed,
      });
      listener.onListening(server.url);
      return server;
    },
  };
}
