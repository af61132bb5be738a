import { createHash } from "node:crypto";
import type { AddressInfo } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { redact } from "../core/redact.ts";
import { messageOf, ReconcilerError } from "../errors.ts";
import type { Clock, Ledger } from "../reconcile/ports.ts";
import { checkHost, listenAddress } from "./access.ts";
import { type ActionOptions, addActions, decisionPaths } from "./actions.ts";
import { EventStream } from "./event-stream.ts";
import { defaultLimits, harden, type HttpLimits, newServer } from "./hardening.ts";
import { addHealth } from "./health.ts";
import { LoopShare } from "./loop-share.ts";
import { openApiDocument } from "./openapi.ts";
import { addPage } from "./page-routes.ts";
import { isFailure, type ProblemDocument, problemOf, problemType, retrySeconds } from "./problem.ts";
import { addReads, type ReadOptions } from "./reads.ts";

export interface HttpServerOptions
  extends Omit<ReadOptions, "instance" | "loop" | "clock">,
    Omit<ActionOptions, "token" | "decisions" | "pipeline"> {
  /** `host:port`; the port 0 takes a free one. */
  readonly listen: string;
  /** Null leaves the actions out. */
  readonly token: string | null;
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, "decisions">;
  readonly metrics: { render(): Promise<{ readonly contentType: string; readonly text: string }> };
  /** What is away though it holds nothing up yet. */
  readonly partlyAway: () => readonly ReconcilerError[];
  /** Told of what a request failed with for a reason that is not the caller's. */
  readonly onFailure: (thrown: unknown, request: string) => void;
  readonly limits?: Partial<HttpLimits>;
}

/** Several Prometheus servers that look every few seconds. */
const scrapesPerMinute = 300;

export interface HttpServer {
  /** Where it listens, such as `http://127.0.0.1:8080`; `http://0.0.0.0:8080` is all interfaces. */
  readonly url: string;
  /** Ends the answers that go on, and listens no more. Idempotent; never throws. */
  close(): Promise<void>;
}

/**
 * Serves what a daemon knows, and takes what people decide.
 * @throws ReconcilerError `listen_failed`
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...defaultLimits, ...options.limits };
  const { live } = options;
  const { isLoopback } = listenAddress(options.listen);
  // Revisions start anew with each process.
  const { worker, pipeline } = live.standing();
  const instance = createHash("sha256").update(worker).digest("hex").slice(0, 12);
  const events = new EventStream({ live, instance, secrets: options.secrets, ...limits });
  const server = newServer(limits);
  server.addHook("onSend", (_request, _reply, payload, done) => {
    done(null, typeof payload === "string" ? redact(payload, options.secrets) : payload);
  });
  if (isLoopback) {
    server.addHook("onRequest", (request, _reply, done) => {
      checkHost(request);
      done();
    });
  }
  await harden(server, limits);
  answerProblems(server, options);
  addHealth(server, options);
  const loop = new LoopShare(options.clock);
  addReads(server, { ...options, instance, loop });
  addPage(server, options.token !== null, { ...options, loop });
  addEvents(server, events);
  addDescription(server);
  // Counted by itself: whoever reads the page too often must not make the alerts blind.
  server.get("/metrics", { config: { rateLimit: { max: scrapesPerMinute } } }, async (_request, reply) => {
    const { contentType, text } = await options.metrics.render();
    return reply.type(contentType).send(text);
  });
  const { token, ledger } = options;
  if (token !== null) {
    addActions(server, { ...options, token, pipeline, decisions: () => ledger.decisions() });
  }
  const url = await listen(server, options.listen);
  const unsubscribe = live.subscribe(() => {
    // Who watches would keep the process from ending, and finds another one at once.
    if (live.standing().isStopping) events.close();
  });
  return {
    url,
    async close() {
      unsubscribe();
      events.close();
      loop.close();
      await server.close();
    },
  };
}

function answerProblems(server: FastifyInstance, { onFailure, token }: HttpServerOptions): void {
  const answer = (reply: FastifyReply, problem: ProblemDocument) =>
    reply.code(problem.status).type(problemType).header("cache-control", "no-store").send(problem);
  server.setErrorHandler((thrown, request, reply) => {
    const problem = problemOf(thrown);
    if (isFailure(problem)) onFailure(thrown, `${request.method} ${request.routeOptions.url ?? ""}`);
    if (problem.status === 401) void reply.header("www-authenticate", "Bearer");
    if (problem.status === 503) void reply.header("retry-after", retrySeconds);
    return answer(reply, problem);
  });
  const actions = new Set(["reconcile", ...Object.values(decisionPaths)].map((path) => `/api/v1/${path}`));
  // Whoever guesses paths is counted too.
  server.setNotFoundHandler({ preHandler: server.rateLimit() }, (request, reply) => {
    const [path = ""] = request.url.split("?");
    if (!actions.has(path)) return answer(reply, problemOf(notFound(request)));
    if (token === null) return answer(reply, problemOf(actionsOff()));
    void reply.header("allow", "POST");
    return answer(reply, problemOf(notAllowed(request)));
  });
}

function notFound({ method }: FastifyRequest): ReconcilerError {
  return new ReconcilerError("not_found", `there is nothing at this path for ${method}`, {
    hint: "/ is the status page, /api/v1/openapi.json describes the API",
  });
}

function actionsOff(): ReconcilerError {
  return new ReconcilerError("actions_off", "this daemon takes no actions over HTTP", {
    hint: "give http.token_file in the config, or use the command line",
  });
}

function notAllowed({ method }: FastifyRequest): ReconcilerError {
  return new ReconcilerError("method_not_allowed", `expected POST, found ${method}`, {
    hint: "nothing changes by another method",
  });
}

function addEvents(server: FastifyInstance, events: EventStream): void {
  // Who asks for the headers alone would wait for the end of what has none.
  server.get("/api/v1/events", { exposeHeadRoute: false }, (request, reply) => {
    events.checkRoom();
    reply.hijack();
    const { raw } = reply;
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) raw.setHeader(name, value);
    raw.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // Or a proxy gathers what should be told at once.
      "x-accel-buffering": "no",
    });
    const last = request.headers["last-event-id"];
    events.add(raw, typeof last === "string" ? last : undefined);
  });
}

function addDescription(server: FastifyInstance): void {
  let document: ReturnType<typeof openApiDocument> | null = null;
  server.get("/api/v1/openapi.json", () => (document ??= openApiDocument()));
}

async function listen(server: FastifyInstance, address: string): Promise<string> {
  const { host, port } = listenAddress(address);
  try {
    const url = await server.listen({ host, port });
    // What it calls by the name of this machine may be all interfaces.
    const [bound] = server.addresses();
    return typeof bound === "object" ? urlOf(bound) : url;
  } catch (error) {
    await server.close();
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    throw new ReconcilerError(
      "listen_failed",
      isTaken
        ? `expected ${address} to be free, found that another process listens there`
        : `cannot listen at ${address}: ${messageOf(error)}`,
      {
        path: "http.listen",
        hint: "stop the other process, give another address, or leave http out to serve nothing",
        cause: error,
      },
    );
  }
}

/** Where it really listens: every interface is 0.0.0.0 or [::], and a port that was asked for as 0 is the one that it got. */
function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
