import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type DecisionPreview, type DecisionRequest, needsReason, previewDecision } from "../core/decide.ts";
import { type DecisionDocument, decisionDocument } from "../core/decision-document.ts";
import { type Decision, type DecisionKind, decisionKinds } from "../core/ledger-records.ts";
import type { LiveDaemon, LiveSight } from "../reconcile/ports/live-view.ts";
import { tokenCheck } from "./access.ts";
import { decisionRequest, isSameDecision } from "./decision-request.ts";
import { conflict, decisionIdOf, Idempotency } from "./idempotency.ts";
import { parsed } from "./parse.ts";
import { sightOf } from "./reads.ts";
import { cycleBody, idempotencyKey, plainBody, reasonedBody, waiveBody } from "./request-schemas.ts";

export interface ActionOptions {
  readonly live: LiveDaemon;
  readonly pipeline: string;
  readonly token: string;
  /** Keeps it in the ledger; the same id is kept once. @throws ReconcilerError `ledger_*`, `warehouse_*` */
  readonly record: (request: DecisionRequest, id: string) => Promise<Decision>;
  /** All that is on record. @throws ReconcilerError `ledger_*` */
  readonly decisions: () => Promise<readonly Decision[]>;
}

/** What a decision does, or would do. */
export interface DecisionResult {
  readonly schema_version: 1;
  readonly dry_run: boolean;
  /** One sentence. */
  readonly effect: string;
  /** The cells as the daemon saw them last; empty where the decision had been recorded before. */
  readonly touched: DecisionPreview["touched"];
  readonly notes: readonly string[];
  /** Null where nothing was recorded. */
  readonly decision: DecisionDocument | null;
}

/** What asking for a cycle does. */
export interface CycleResult {
  readonly schema_version: 1;
  readonly dry_run: boolean;
  readonly effect: string;
}

/** Where each decision is taken, below /api/v1/. */
export const decisionPaths: Readonly<Record<DecisionKind, string>> = {
  waive: "waivers",
  unwaive: "unwaive",
  retry: "retry",
  release: "release",
  accept: "accept",
  pause: "pause",
  resume: "resume",
  cancel: "cancel",
  rebuild: "rebuild",
};

/** What each decision has to be told. */
export const decisionBody = (kind: DecisionKind) =>
  kind === "waive" ? waiveBody : needsReason[kind] ? reasonedBody : plainBody;

/** Decisions are few; whoever sends more is a program that has gone wrong, or guesses tokens: those are counted too. */
const actionsPerMinute = 60;

/** Adds what people decide. Without a token there is none of it. */
export function addActions(server: FastifyInstance, options: ActionOptions): void {
  const { live } = options;
  const check = tokenCheck(options.token);
  const known = new Idempotency();
  const guarded = {
    // By itself it would count after the check, and only those who have the token.
    config: { rateLimit: false } as const,
    // Before the body is read.
    onRequest: [
      server.rateLimit({ max: actionsPerMinute }),
      (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
        check(request);
        done();
      },
    ],
  };
  for (const kind of decisionKinds) {
    server.post(`/api/v1/${decisionPaths[kind]}`, guarded, async (request) => {
      const body = parsed(decisionBody(kind), request.body, "body");
      const sight = sightOf(live.view());
      const wanted = decisionRequest(kind, body, sight.assessment.compiled.pipeline);
      if (body.dry_run === true) return resultOf(previewDecision(sight.assessment, wanted), null);
      const key = keyOf(request);
      if (key === null) return decide(options, sight, wanted, randomUUID());
      return known.once(key, JSON.stringify([kind, body]), () => decideOnce(options, sight, wanted, key));
    });
  }
  server.post("/api/v1/reconcile", guarded, async (request, reply) => {
    const body = parsed(cycleBody, request.body, "body");
    if (body.dry_run === true) return cycleResult(true);
    const begin = () => {
      live.cycleNow();
      return Promise.resolve(cycleResult(false));
    };
    const key = keyOf(request);
    void reply.code(202);
    return key === null ? begin() : known.once(key, JSON.stringify(["reconcile", body]), begin);
  });
}

/** @throws ReconcilerError `request_invalid` for one that is too long, or not printable */
function keyOf({ headers }: FastifyRequest): string | null {
  const key = headers["idempotency-key"];
  return key === undefined ? null : parsed(idempotencyKey, key, "headers.idempotency-key");
}

/** As `decide`, where another process, or this one before it was started anew, may have done the same already. */
async function decideOnce(
  options: ActionOptions,
  sight: LiveSight,
  request: DecisionRequest,
  key: string,
): Promise<DecisionResult> {
  const id = decisionIdOf(options.pipeline, key);
  const before = (await options.decisions()).find((decision) => decision.id === id);
  if (before === undefined) return decide(options, sight, request, id);
  if (!isSameDecision(before, request)) throw conflict();
  return {
    schema_version: 1,
    dry_run: false,
    effect: "it was recorded before, and nothing more was done",
    touched: [],
    notes: [],
    decision: decisionDocument(before),
  };
}

async function decide(
  { live, record }: ActionOptions,
  { assessment }: LiveSight,
  request: DecisionRequest,
  id: string,
): Promise<DecisionResult> {
  const preview = previewDecision(assessment, request);
  const decision = await record(request, id);
  live.heedDecisions();
  return resultOf(preview, decision);
}

function resultOf({ effect, touched, notes }: DecisionPreview, decision: Decision | null): DecisionResult {
  return {
    schema_version: 1,
    dry_run: decision === null,
    effect,
    touched,
    notes,
    decision: decision === null ? null : decisionDocument(decision),
  };
}

function cycleResult(isDryRun: boolean): CycleResult {
  const effect =
    "the process that plans looks at everything as soon as no cycle goes on, and repairs what it finds";
  return { schema_version: 1, dry_run: isDryRun, effect };
}
