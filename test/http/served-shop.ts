// A daemon in this process over a real DuckDB shop (test/commands/in-process.ts), served on a free port, with ticks by hand.
import { join } from "node:path";
import { createInlineCellLock } from "../../src/adapters/inline/cell-lock.ts";
import { type App, compose } from "../../src/compose.ts";
import { tellAll } from "../../src/compose/listeners.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { type HttpServer, type HttpServerOptions, startHttpServer } from "../../src/http/server.ts";
import { reconcileAlways } from "../../src/reconcile/daemon.ts";
import type { Coordination, DaemonOptions } from "../../src/reconcile/daemon-options.ts";
import type { LiveDaemon } from "../../src/reconcile/ports/live-view.ts";
import { makeShop, type Shop } from "../commands/in-process.ts";
import { inlineCoordination } from "../support/running-daemon.ts";

export const token = "correct-horse-battery";

export interface ServedShop {
  readonly shop: Shop;
  readonly app: App;
  readonly url: string;
  readonly live: LiveDaemon;
  readonly coordination: Coordination;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** With the token, unless other headers are given. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** A look at everything is due. */
  readonly tick: () => void;
  /** Resolves when the first look at everything has worked. */
  readonly firstLook: Promise<void>;
  /** Resolves when the next one has. */
  readonly looked: () => Promise<void>;
  /** Stops the daemon; the shop stays. */
  readonly stop: () => Promise<void>;
  /** Stops it, and removes the shop. */
  remove(): Promise<void>;
}

export interface ServedOptions {
  readonly shop?: Shop;
  readonly daemon?: Partial<DaemonOptions>;
  readonly http?: Partial<HttpServerOptions>;
}

const nothing = () => undefined;

export async function serveShop({
  shop: given,
  daemon = {},
  http = {},
}: ServedOptions = {}): Promise<ServedShop> {
  const shop = given ?? (await makeShop());
  const config = await loadConfig({ file: join(shop.folder, "pipeline.yaml"), target: null, env: {} });
  const app = await compose(config, { logging: { level: "silent", pretty: false } });
  const coordination: Coordination = daemon.coordination ?? inlineCoordination();
  const stop = new AbortController();
  let onTick: () => void = nothing;
  let waiting: (() => void)[] = [];
  const looked = () => new Promise<void>((resolve) => waiting.push(resolve));
  const firstLook = looked();
  let open: (of: { readonly server: HttpServer; readonly live: LiveDaemon }) => void = nothing;
  const opened = new Promise<Parameters<typeof open>[0]>((resolve) => (open = resolve));
  const running = reconcileAlways(
    { ...app.context, lock: createInlineCellLock() },
    {
      role: "all",
      mode: "observe",
      coordination,
      maxAgeMs: null,
      cycleTimeoutMs: 60_000,
      shutdownGraceMs: 10_000,
      ticks: {
        start(listener) {
          onTick = listener;
          return { stop: nothing };
        },
      },
      signal: stop.signal,
      ...daemon,
      listener: tellAll([
        {
          onCycle() {
            for (const resolve of waiting) resolve();
            waiting = [];
          },
        },
        daemon.listener ?? {},
      ]),
      show: {
        target: null,
        pricePerTibUsd: null,
        async open(live) {
          const server = await startHttpServer({
            partlyAway: () => [],
            listen: "127.0.0.1:0",
            token,
            live,
            secrets: [],
            metrics: app.metrics,
            clock: app.context.clock,
            ledger: app.context.ledger,
            explain: async (assessment, processor, date) =>
              (await app.explain(assessment, processor, date)).document,
            record: (request, id) => app.record(request, id),
            onFailure: (thrown) => {
              throw thrown;
            },
            ...http,
          });
          open({ server, live });
          return server;
        },
      },
    },
  );
  const ended = running.then(() => Promise.reject(new Error("the daemon ended before it was served")));
  const { server, live } = await Promise.race([opened, ended]);
  ended.catch(nothing);
  const { url } = server;
  const served: ServedShop = {
    shop,
    app,
    url,
    live,
    coordination,
    get: (path, headers = {}) => fetch(`${url}${path}`, { headers }),
    post: (path, body, headers = { authorization: `Bearer ${token}` }) =>
      fetch(`${url}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
    tick: () => onTick(),
    firstLook,
    looked,
    async stop() {
      stop.abort();
      await running;
      await app.close();
    },
    async remove() {
      await served.stop();
      await shop.warehouse.remove();
    },
  };
  return served;
}
