import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** What goes wrong with a call. */
export type ApiFault =
  /** Refused; nothing is done. */
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: string }
  /** No answer, ever; nothing is done. */
  | { readonly kind: "hang" }
  /** The connection ends; nothing is done. */
  | { readonly kind: "cut" }
  /** Everything is done; the connection ends in the midst of the answer. */
  | { readonly kind: "lost" }
  /** Everything is done; no answer, ever. */
  | { readonly kind: "mute" }
  /** Everything is done; the answer is 500. */
  | { readonly kind: "broken" };

export interface FaultRule {
  /** The name of the calls that it meets. */
  readonly call: string;
  /** Met by paths that match it alone; by all unless given. */
  readonly path?: RegExp;
  /** How many calls it lets through before. */
  readonly skip?: number;
  /** How often; always unless given. */
  readonly times?: number;
  readonly fault: ApiFault;
}

export interface ApiRequest {
  /** What the groups of the route's pattern found. */
  readonly path: readonly string[];
  readonly search: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** A status with a JSON body, or a text with 200. */
export type ApiReply = { readonly status: number; readonly body: object } | string;

export interface Route {
  readonly name: string;
  readonly method: string;
  readonly pattern: RegExp;
  handle(request: ApiRequest): ApiReply;
}

export interface ApiServerOptions {
  readonly routes: readonly Route[];
  /** How this API says no. */
  readonly errorBody: (status: number, message: string) => object;
  /** Put into every refusal and every unread answer, so that a test can see that it goes no further. */
  readonly secret: string;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface ApiServer {
  readonly url: string;
  /** The names of the calls so far. */
  readonly calls: readonly string[];
  /** Rules added first come first; each call meets one of them at most. */
  addFault(rule: FaultRule): void;
  stop(): Promise<void>;
}

/** An HTTP server on 127.0.0.1 that speaks an API and fails as it is told. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const rules: { readonly rule: FaultRule; skip: number; left: number }[] = [];
  const calls: string[] = [];
  const take = (call: string, path: string): ApiFault | null => {
    const met = rules.find(
      ({ rule, left }) => left > 0 && rule.call === call && (rule.path?.test(path) ?? true),
    );
    if (met === undefined) return null;
    if (met.skip > 0) {
      met.skip -= 1;
      return null;
    }
    met.left -= 1;
    return met.rule.fault;
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(options, request, response, (call, path) => {
      calls.push(call);
      return take(call, path);
    });
  };
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    calls,
    addFault: (rule) =>
      void rules.push({ rule, skip: rule.skip ?? 0, left: rule.times ?? Number.POSITIVE_INFINITY }),
    stop: () => close(server),
  };
}

async function answer(
  { routes, errorBody, secret }: ApiServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  faultOf: (call: string, path: string) => ApiFault | null,
): Promise<void> {
  const body = await bodyOf(request);
  const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
  const route = routes.find(({ method, pattern }) => method === request.method && pattern.test(pathname));
  if (route === undefined) {
    const message = `this server has no ${request.method} ${pathname}`;
    return reply(response, { status: 501, body: errorBody(501, message) });
  }
  const fault = faultOf(route.name, pathname);
  if (fault?.kind === "hang") return;
  if (fault?.kind === "cut") return void response.destroy();
  if (fault?.kind === "status") {
    if (fault.retryAfter !== undefined) response.setHeader("retry-after", fault.retryAfter);
    const message = `refused, and ${secret} is a secret`;
    return reply(response, { status: fault.status, body: errorBody(fault.status, message) });
  }
  const path = (route.pattern.exec(pathname) ?? []).slice(1).map(decodeURIComponent);
  const done = route.handle({ path, search: searchParams, headers: request.headers, body });
  if (fault?.kind === "lost") {
    response.writeHead(200, { "content-length": "1000" });
    return void response.write(secret, () => response.destroy());
  }
  if (fault?.kind === "mute") return;
  if (fault?.kind === "broken") return reply(response, { status: 500, body: errorBody(500, "broken") });
  reply(response, done);
}

function reply(response: ServerResponse, made: ApiReply): void {
  if (typeof made === "string") return void response.end(made);
  response.writeHead(made.status, { "content-type": "application/json" });
  response.end(JSON.stringify(made.body));
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? null : JSON.parse(text);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
