import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { explainCell } from "../../src/core/explain.ts";
import { parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import { loadPageAssets } from "../../src/http/page/assets.ts";
import { renderCellPage, renderPage } from "../../src/http/page/page.ts";
import { parsePageQuery } from "../../src/http/page/query.ts";
import type { Moment } from "./moments.ts";

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Serves the page of one moment at a time, which the test changes. */
export class PageServer {
  #moment: Moment;
  #server: Server | null = null;
  #port = 0;
  readonly #watchers = new Set<ServerResponse>();
  readonly #options = { assets: loadPageAssets(), hasActions: true };

  constructor(moment: Moment) {
    this.#moment = moment;
  }

  get base(): string {
    return `http://localhost:${this.#port}`;
  }

  /** On the port that it had before, if it was started before. */
  async start(): Promise<void> {
    const server = createServer((request, response) =>
      this.#answer(new URL(request.url ?? "/", this.base), response),
    );
    await new Promise<void>((resolve) => server.listen(this.#port, "localhost", resolve));
    const address = server.address();
    this.#port = isPort(address) ? address.port : 0;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())));
    this.#server = null;
  }

  show(moment: Moment): void {
    this.#moment = moment;
    for (const watcher of this.#watchers) watcher.write(this.#event());
  }

  #event(): string {
    return `event: view\ndata: {"revision":${this.#moment.view.revision}}\n\n`;
  }

  #answer({ pathname, searchParams }: URL, response: ServerResponse): void {
    const { assets } = this.#options;
    const asset = [assets.style, assets.icon, ...assets.scripts].find(({ path }) => path === pathname);
    if (asset !== undefined) {
      response.writeHead(200, { "content-type": asset.contentType }).end(asset.body);
    } else if (pathname === "/api/v1/events") {
      this.#watchers.add(response.writeHead(200, { "content-type": "text/event-stream" }));
      response.on("close", () => this.#watchers.delete(response));
      response.write(`retry: 200\n\n${this.#event()}`);
    } else {
      response.writeHead(200, {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
      });
      response.end(this.#page(pathname, searchParams));
    }
  }

  #page(pathname: string, parameters: URLSearchParams): string {
    const { view } = this.#moment;
    const [, name = "", date = ""] = /^\/cells\/([^/]+)\/([^/]+)$/.exec(pathname) ?? [];
    const processor = view.sight?.assessment.compiled.byName.get(name);
    if (view.sight === null || processor === undefined) {
      return renderPage(this.#moment, parsePageQuery(parameters), this.#options);
    }
    const { assessment } = view.sight;
    const explanation = explainCell(
      assessment,
      processor,
      toDay(parseIsoDate(date)) - assessment.grid.axis.first,
    );
    const document = {
      ...explanation,
      schema_version: 1 as const,
      pipeline: view.pipeline,
      target: null,
      as_of: "",
      sql: "select 1",
      attempts: [],
    };
    return renderCellPage(view, document, this.#options);
  }
}

function isPort(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}
