import type { FastifyInstance, FastifyReply } from "fastify";
import { ReconcilerError } from "../errors.ts";
import { loadPageAssets } from "./page/assets.ts";
import { type PageOptions, renderCellPage, renderPage, renderProblemPage } from "./page/page.ts";
import { parsePageQuery } from "./page/query.ts";
import { RecentPages } from "./page/recent-pages.ts";
import { problemOf } from "./problem.ts";
import { cellOf, cellsPerMinute, type ReadOptions } from "./reads.ts";

/** Adds the status page with its own files, which are served from memory: no path of a request ever names a file. */
export function addPage(
  server: FastifyInstance,
  hasActions: boolean,
  { live, explain }: Pick<ReadOptions, "live" | "explain">,
): void {
  const options: PageOptions = { assets: loadPageAssets(), hasActions };
  const { style, icon, scripts } = options.assets;
  const recent = new RecentPages(() => performance.now());
  const page = (reply: FastifyReply, text: string) =>
    reply.type("text/html; charset=utf-8").header("cache-control", "no-store").send(text);

  for (const { path, contentType, body } of [style, icon, ...scripts]) {
    server.get(path, (_request, reply) =>
      reply.type(contentType).header("cache-control", "public, max-age=31536000, immutable").send(body),
    );
  }
  server.get("/", (request, reply) => {
    const { searchParams } = new URL(request.url, "http://localhost");
    const view = live.view();
    const make = () => renderPage({ view, plan: live.plan() }, parsePageQuery(searchParams), options);
    return page(reply, recent.page(`${view.revision} ${request.url}`, make));
  });

  const limited = { config: { rateLimit: { max: cellsPerMinute } } };
  server.get<{ readonly Params: { readonly processor: string; readonly date: string } }>(
    "/cells/:processor/:date",
    limited,
    async ({ params }, reply) => {
      const view = live.view();
      try {
        const { processor, date, assessment } = cellOf(view, params);
        const cell = await explain(assessment, processor, date);
        return await page(reply, renderCellPage(view, cell, options));
      } catch (thrown) {
        if (!(thrown instanceof ReconcilerError)) throw thrown;
        const { status, detail, hint } = problemOf(thrown);
        return page(reply.code(status), renderProblemPage(view, { message: detail, hint }, options));
      }
    },
  );
}
