import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { type Assessment, positionsOf } from "../core/assessment.ts";
import type { IsoDate } from "../core/iso-date.ts";
import type { Processor } from "../core/pipeline.ts";
import { stepDocument } from "../core/repair-documents.ts";
import { formatInstant } from "../core/wall-clock.ts";
import { ReconcilerError } from "../errors.ts";
import type { Clock } from "../reconcile/ports.ts";
import type { CellDocument } from "../reconcile/ports/cell-document.ts";
import type { LiveDaemon, LiveSight, LiveView } from "../reconcile/ports/live-view.ts";
import { hasAlready, send, sendNothingNew, type SentDocument, sentDocument } from "./answers.ts";
import { type GridFilter, gridDocument } from "./grid-document.ts";
import type { LoopShare } from "./loop-share.ts";
import { checkSelection, dateOf, parsed } from "./parse.ts";
import type { PlanDocument } from "./plan-document.ts";
import { repairsDocument } from "./repairs-document.ts";
import { cellParams, gridQuery, planQuery } from "./request-schemas.ts";
import { SharedAnswers } from "./shared-answers.ts";

export interface ReadOptions {
  readonly live: LiveDaemon;
  readonly clock: Pick<Clock, "monotonic">;
  /** What answers may take of the event loop. */
  readonly loop: LoopShare;
  /** Names this process: each replica has revisions of its own. */
  readonly instance: string;
  /** Texts that must not appear in any answer. */
  readonly secrets: readonly string[];
  /** @throws ReconcilerError `usage` for a date that is not looked at; `ledger_*`, `warehouse_*` */
  readonly explain: (assessment: Assessment, processor: Processor, date: IsoDate) => Promise<CellDocument>;
}

/** Each cell costs a question to the ledger, which may be billed. */
export const cellsPerMinute = 120;

/** Adds what only tells. */
export function addReads(server: FastifyInstance, options: ReadOptions): void {
  const { live, instance, explain, secrets, loop, clock } = options;
  const documents = new SharedAnswers<SentDocument>(live, loop, clock);
  const etagOf = ({ revision }: LiveView) => `W/"${instance}-${revision}"`;
  /** Everybody who watches asks for the same at the same moment, and mostly has it already. */
  const answer = async (
    { request, reply, view }: { request: FastifyRequest; reply: FastifyReply; view: LiveView },
    key: string,
    documentOf: (view: LiveView, sight: LiveSight) => unknown,
  ) => {
    if (hasAlready(request, etagOf(view))) return sendNothingNew(reply, etagOf(view));
    const make = (now: LiveView) => sentDocument(documentOf(now, sightOf(now)), etagOf(now), secrets);
    return send(request, reply, await documents.get(view, key, make));
  };

  server.get("/api/v1/grid", async (request, reply) => {
    const query = parsed(gridQuery, request.query, "query");
    const view = live.view();
    const filter = filterOf(query, sightOf(view).assessment);
    return answer({ request, reply, view }, `grid ${JSON.stringify(filter)}`, (now, sight) =>
      gridDocument(now, sight, filter),
    );
  });

  server.get("/api/v1/repairs", async (request, reply) => {
    const view = live.view();
    // Before the first look nothing is known of the record, and an empty list would say that nothing runs.
    sightOf(view);
    return answer({ request, reply, view }, "repairs", repairsDocument);
  });

  server.get("/api/v1/plan", async (request, reply) => {
    const { limit } = parsed(planQuery, request.query, "query");
    const view = live.view();
    sightOf(view);
    const make = (now: LiveView) => {
      const plan = planOf(live, now, sightOf(now), limit);
      // It may be made later than the view, and of an older grid.
      return sentDocument(plan, `W/"${instance}-${now.revision}-${plan.as_of}"`, secrets);
    };
    return send(request, reply, await documents.get(view, `plan ${limit}`, make));
  });

  const limited = { config: { rateLimit: { max: cellsPerMinute } } };
  server.get("/api/v1/cells/:processor/:date", limited, async (request, reply) => {
    const { processor, date, assessment } = cellOf(live.view(), request.params);
    reply.header("cache-control", "no-store");
    return explain(assessment, processor, date);
  });
}

/**
 * The cell that a path names.
 * @throws ReconcilerError `not_looked_yet`, `not_found`, `request_invalid`
 */
export function cellOf(
  view: LiveView,
  path: unknown,
): { readonly assessment: Assessment; readonly processor: Processor; readonly date: IsoDate } {
  const params = parsed(cellParams, path, "path");
  const { assessment } = sightOf(view);
  const processor = assessment.compiled.byName.get(params.processor);
  const date = dateOf(params.date, "path.date");
  if (processor !== undefined && date !== null) return { assessment, processor, date };
  throw new ReconcilerError("not_found", `there is no processor "${params.processor}"`, {
    path: "path.processor",
    hint: "/api/v1/grid names every processor",
  });
}

/** @throws ReconcilerError `not_looked_yet` */
export function sightOf({ sight, cycleFailure }: LiveView): LiveSight {
  if (sight !== null) return sight;
  const why = cycleFailure === null ? "" : `: ${cycleFailure.message}`;
  throw new ReconcilerError("not_looked_yet", `the first look at the warehouse has not ended${why}`, {
    hint: cycleFailure?.hint ?? "ask again in some seconds",
  });
}

function filterOf(query: z.output<typeof gridQuery>, { grid }: Assessment): GridFilter {
  const { processor, phase, start_date, end_date } = query;
  checkSelection(
    grid.pipeline.processors,
    { names: processor, phases: phase },
    { names: "query.processor", phases: "query.phase" },
  );
  const [startDate, endDate] = [dateOf(start_date, "query.start_date"), dateOf(end_date, "query.end_date")];
  const { from, to } = positionsOf(grid.axis, startDate, endDate);
  if (from > to && (startDate ?? endDate) !== null) {
    throw new ReconcilerError(
      "request_invalid",
      "no date that is looked at is between start_date and end_date",
      {
        path: "query",
        hint: "both ends are included; /api/v1/grid without them says which dates there are",
      },
    );
  }
  return { processors: processor ?? null, phases: phase ?? null, startDate, endDate };
}

function planOf(live: LiveDaemon, view: LiveView, sight: LiveSight, limit: number): PlanDocument {
  const { asOf, steps } = live.plan();
  return {
    schema_version: 1,
    pipeline: view.pipeline,
    target: view.target,
    as_of: formatInstant(asOf ?? sight.assessment.now),
    stale: sight.isStale,
    seconds_to_convergence: sight.secondsToConvergence,
    steps_total: steps.length,
    steps: steps.slice(0, limit).map((step) => stepDocument(sight.assessment, step, null)),
  };
}
