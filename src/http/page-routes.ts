import type { FastifyInstance, FastifyReply } from "fastify";
import { redact } from "../core/redact.ts";
import { ReconcilerError } from "../errors.ts";
import type { CellDocument } from "../reconcile/ports/cell-document.ts";
import type { LiveView } from "../reconcile/ports/live-view.ts";
import type { Work } from "./loop-share.ts";
import { loadPageAssets } from "./page/assets.ts";
import { type PageOptions, renderCellPage, renderPage, renderProblemPage } from "./page/page.ts";
import { parsePageQuery } from "./page/query.ts";
import { problemOf, retrySeconds } from "./problem.ts";
import { cellOf, cellsPerMinute, type ReadOptions } from "./reads.ts";
import { SharedAnswers } from "./shared-answers.ts";

/** Adds the status page with its own files, which are served from memory: no path of a request ever names a file. */
export function addPage(
  server: FastifyInstance,
  hasActions: boolean,
  { live, explain, loop, clock, secrets }: Omit<ReadOptions, "instance">,
): void {
  const options: PageOptions = { assets: loadPageAssets(), hasActions };
  const { style, icon, scripts } = options.assets;
  const pages = new SharedAnswers<Buffer>(live, loop, clock);
  const page = (reply: FastifyReply, text: string | Buffer) =>
    reply.type("text/html; charset=utf-8").header("cache-control", "no-store").send(text);
  /** Of the view when its turn comes. */
  const cellPage = function* (cell: CellDocument): Work<Buffer> {
    return yield* sentPage(renderCellPage(live.view(), cell, options), secrets);
  };
  const problemPage = (reply: FastifyReply, view: LiveView, thrown: unknown) => {
    if (!(thrown instanceof ReconcilerError)) throw thrown;
    const { status, detail, hint } = problemOf(thrown);
    if (status === 503) void reply.header("retry-after", retrySeconds);
    return page(reply.code(status), renderProblemPage(view, { message: detail, hint }, options));
  };

  for (const { path, contentType, body } of [style, icon, ...scripts]) {
    server.get(path, (_request, reply) =>
      reply.type(contentType).header("cache-control", "public, max-age=31536000, immutable").send(body),
    );
  }
  server.get("/", async (request, reply) => {
    const view = live.view();
    const query = parsePageQuery(new URL(request.url, "http://localhost").searchParams);
    const make = (now: LiveView) =>
      sentPage(renderPage({ view: now, plan: live.plan() }, query, options), secrets);
    try {
      return await page(reply, await pages.get(view, JSON.stringify(query), make));
    } catch (thrown) {
      return problemPage(reply, view, thrown);
    }
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
        return await page(reply, await loop.run(cellPage(cell)));
      } catch (thrown) {
        return problemPage(reply, view, thrown);
      }
    },
  );
}

/** As bytes, so that nobody looks for secrets in it once more for each who asks. */
function* sentPage(rendering: Generator<undefined, string>, secrets: readonly string[]): Work<Buffer> {
  const text = yield* rendering;
  yield;
  return Buffer.from(redact(text, secrets));
}
