import { z } from "zod";
import { type DecisionKind, decisionKinds } from "../core/ledger-records.ts";
import { decisionBody, decisionPaths } from "./actions.ts";
import {
  cellAnswer,
  cycleAnswer,
  decisionAnswer,
  gridAnswer,
  healthAnswer,
  planAnswer,
  problemAnswer,
  readyAnswer,
  repairsAnswer,
  viewEventAnswer,
} from "./answer-schemas.ts";
import { cycleBody } from "./request-schemas.ts";

type Json = Readonly<Record<string, unknown>>;

const answers = {
  Grid: gridAnswer,
  Cell: cellAnswer,
  Repairs: repairsAnswer,
  Plan: planAnswer,
  ViewEvent: viewEventAnswer,
  Decision: decisionAnswer,
  Cycle: cycleAnswer,
  Health: healthAnswer,
  Ready: readyAnswer,
  Problem: problemAnswer,
} as const;

const summaries: Readonly<Record<DecisionKind, string>> = {
  waive: "Say that gaps will not be filled: they are exempt.",
  unwaive: "Take back what was waived by a decision.",
  retry: "Give quarantined gaps new attempts.",
  release: "Close the circuit of a repair that works again.",
  accept: "Believe what a breaker refuses to believe.",
  pause: "Start no repair of these cells.",
  resume: "Let paused repairs go on.",
  cancel: "Ask running repairs to stop.",
  rebuild: "Compute stale cells again",
};

const date = { type: "string", format: "date" };
const many = (name: string, description: string) =>
  parameter(name, { type: "array", items: { type: "string" } }, description);

/** What the API is, for programs that write clients: OpenAPI 3.1. */
export function openApiDocument(): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "gap-reconciler",
      version: "1",
      description:
        "What a daemon knows of its pipeline, and what people decide about it. Fields may be added to answers, and none is ever changed.",
    },
    paths: { ...reads(), ...actions() },
    components: {
      schemas: Object.fromEntries(Object.entries(answers).map(([name, schema]) => [name, schemaOf(schema)])),
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function reads(): Json {
  const limit = parameter(
    "limit",
    { type: "integer", minimum: 0, maximum: 10_000, default: 1000 },
    "Steps at most.",
  );
  return {
    "/healthz": { get: probe("Whether the loop turns; 503 where it does not.", "Health") },
    "/readyz": {
      get: probe("Whether the ledger is up; 503 where it is not, or the daemon stops.", "Ready"),
    },
    "/metrics": {
      get: {
        summary: "Metrics for Prometheus.",
        responses: { 200: { description: "As text.", content: { "text/plain": {} } } },
      },
    },
    "/api/v1/grid": {
      get: {
        ...reading("Every cell, its state and what stands between a gap and its repair.", "Grid"),
        parameters: [
          many("processor", "Only this one; may be repeated."),
          many("phase", "Only processors of this phase; may be repeated."),
          parameter("start_date", date, "First date, included."),
          parameter("end_date", date, "Last date, included."),
        ],
      },
    },
    "/api/v1/cells/{processor}/{date}": {
      get: {
        ...reading("Everything about one cell, as `reconcile explain` tells it.", "Cell"),
        parameters: [inPath("processor", { type: "string" }), inPath("date", date)],
      },
    },
    "/api/v1/repairs": { get: reading("Repairs that run, wait and ended.", "Repairs") },
    "/api/v1/plan": {
      get: {
        ...reading("All repairs that would run if each worked, in their order.", "Plan"),
        parameters: [limit],
      },
    },
    "/api/v1/events": {
      get: {
        summary: "What changes, as server-sent events: `view`, `repair_started`, `repair_ended`, `reset`.",
        description:
          "A `view` says how things stand, and comes first and with every change (data: ViewEvent). `repair_started` and `repair_ended` have the documents of /api/v1/repairs. With Last-Event-ID what was missed is told first; `reset` says that it is not known any more.",
        responses: {
          200: {
            description: "A stream without an end.",
            content: { "text/event-stream": { schema: { type: "string" } } },
          },
          ...problems,
        },
      },
    },
  };
}

function actions(): Json {
  const decisions = decisionKinds.map((kind): readonly [string, Json] => [
    `/api/v1/${decisionPaths[kind]}`,
    { post: action(summaries[kind], decisionBody(kind), 200, "Decision") },
  ]);
  return {
    "/api/v1/reconcile": { post: action("Begin a cycle now.", cycleBody, 202, "Cycle") },
    ...Object.fromEntries(decisions),
  };
}

const problems = {
  default: {
    description: "Why not, with a code of docs/errors.md.",
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  },
};

function reading(summary: string, answer: keyof typeof answers): Json {
  return { summary, responses: { 200: answerOf(answer), ...problems } };
}

/** Good or bad, the answer has one form, and is no problem document. */
function probe(summary: string, answer: keyof typeof answers): Json {
  return { summary, responses: { 200: answerOf(answer), 503: answerOf(answer) } };
}

function action(summary: string, body: z.ZodType, status: number, answer: keyof typeof answers): Json {
  return {
    summary,
    description: "Absent where the daemon has no token configured.",
    security: [{ token: [] }],
    parameters: [
      {
        name: "Idempotency-Key",
        in: "header",
        schema: { type: "string", minLength: 1, maxLength: 255 },
        description:
          "The same request with the same key does nothing again, in any replica and after a restart.",
      },
    ],
    requestBody: { required: true, content: { "application/json": { schema: schemaOf(body) } } },
    responses: { [status]: answerOf(answer), ...problems },
  };
}

function answerOf(name: keyof typeof answers): Json {
  return {
    description: "As asked.",
    content: { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } },
  };
}

function parameter(name: string, schema: Json, description: string): Json {
  return { name, in: "query", schema, description };
}

function inPath(name: string, schema: Json): Json {
  return { name, in: "path", required: true, schema };
}

function schemaOf(schema: z.ZodType): Json {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}
