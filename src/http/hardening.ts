import type { Socket } from "node:net";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import { fastify, type FastifyInstance } from "fastify";
import { type ErrorCode, ReconcilerError } from "../errors.ts";
import { problemOf, problemType } from "./problem.ts";

/** What one caller may cost. */
export interface HttpLimits {
  /** For a whole request to arrive. */
  readonly requestMs: number;
  readonly bodyBytesMax: number;
  /** From one address, which may be a proxy's: a page that is open asks up to once a second while repairs run. */
  readonly requestsPerMinute: number;
  readonly connectionsMax: number;
  readonly watchersMax: number;
  /** How often those who watch are told that nothing happened. */
  readonly beatMs: number;
}

export const defaultLimits: HttpLimits = {
  requestMs: 15_000,
  bodyBytesMax: 64 * 1024,
  requestsPerMinute: 6_000,
  connectionsMax: 1_000,
  watchersMax: 250,
  beatMs: 15_000,
};

/** A server that answers nothing yet, and that no caller can keep busy for long. */
export function newServer({ requestMs, bodyBytesMax, connectionsMax }: HttpLimits): FastifyInstance {
  const server = fastify({
    bodyLimit: bodyBytesMax,
    requestTimeout: requestMs,
    keepAliveTimeout: 10_000,
    // A connection that is kept for a next request must not keep the process.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200 },
    http: {
      headersTimeout: requestMs,
      maxHeaderSize: 16 * 1024,
      connectionsCheckingInterval: Math.min(1_000, requestMs),
    },
    clientErrorHandler: refuseConnection,
    // An address that is none reaches no route, and so not what answers for them.
    frameworkErrors: (thrown, _request, { raw }) => {
      const problem = problemOf(thrown);
      raw.writeHead(problem.status, { "content-type": problemType, "x-content-type-options": "nosniff" });
      raw.end(JSON.stringify(problem));
    },
  });
  server.server.maxConnections = connectionsMax;
  server.removeContentTypeParser("text/plain");
  return server;
}

const refusals: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ["request_timeout", "408 Request Timeout"],
  HPE_HEADER_OVERFLOW: ["request_too_large", "431 Request Header Fields Too Large"],
};

/** What is no request, or did not arrive in time, has no route that could answer it. */
function refuseConnection(error: { readonly code?: string }, socket: Socket): void {
  if (!socket.writable) return;
  const [code, text] = refusals[error.code ?? ""] ?? (["request_invalid", "400 Bad Request"] as const);
  const problem = { ...problemOf(new ReconcilerError(code, text)), status: Number(text.slice(0, 3)) };
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${text}\r\nconnection: close\r\ncontent-type: ${problemType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Adds the headers that keep a browser from being used against the page, and a bound for how much one address may ask. */
export async function harden(server: FastifyInstance, { requestsPerMinute }: HttpLimits): Promise<void> {
  await server.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // Whether there is TLS before it, only who put it there knows.
    strictTransportSecurity: false,
    xFrameOptions: { action: "deny" },
    referrerPolicy: { policy: "no-referrer" },
  });
  await server.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: "1 minute",
    // Addresses that are remembered.
    cache: 5_000,
    errorResponseBuilder: (_request, { max, after }) =>
      new ReconcilerError("rate_limited", `expected at most ${max} requests a minute from one address`, {
        hint: `try again in ${after}`,
      }),
  });
}
