import { type IncomingMessage, request as plainRequest } from "node:http";
import { type RequestOptions as TlsOptions, request as tlsRequest } from "node:https";

/** Of an answer this much is kept unless the call says otherwise; what follows is taken off the wire and dropped. */
const bodyBytesMax = 64 * 1024;

export interface HttpCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly signal: AbortSignal;
  /** Told of each part of the answer as it comes. */
  readonly onBody?: (chunk: Uint8Array) => void;
  /** Of the answer this much is kept; 64 KiB unless given. */
  readonly bodyBytesMax?: number;
  /** The only authorities to trust, as PEM; the public ones unless given. */
  readonly ca?: string;
}

export interface HttpAnswer {
  readonly status: number;
  header(name: string): string | null;
  /** Its beginning, at most as much as the call wanted. */
  readonly body: string;
}

/** What went wrong before a whole answer was here, by how far it came. */
export class HttpCallError extends Error {
  readonly stage: "connect" | "tls" | "answer";
  readonly code: string;

  constructor(stage: HttpCallError["stage"], code: string, message: string, cause: unknown) {
    super(message, { cause });
    this.name = "HttpCallError";
    this.stage = stage;
    this.code = code;
  }
}

/**
 * One request on a connection of its own, without redirects and without time limits but the signal's. Not `fetch`: that one
 * gives up after five minutes without an answer, and a repair that answers when it is done may take longer. A connection of
 * its own, because one that the server closed meanwhile would look like a repair whose answer was lost.
 * @throws HttpCallError · TypeError where the URL or a header cannot be sent · the signal's reason
 */
export function callHttp(call: HttpCall): Promise<HttpAnswer> {
  const url = new URL(call.url);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new TypeError(`expected a URL of http or https, found ${url.protocol}`);
  }
  const options: TlsOptions = {
    method: call.method,
    agent: false,
    headers: headersOf(call),
    signal: call.signal,
    ...(call.ca === undefined ? {} : { ca: call.ca }),
  };
  return new Promise((resolve, reject) => {
    let connected = false;
    const fail = (error: Error): void => {
      reject(call.signal.aborted ? error : toCallError(error, connected));
    };
    const outgoing = (url.protocol === "https:" ? tlsRequest : plainRequest)(url, options);
    outgoing.on("error", fail);
    outgoing.on("socket", (socket) => {
      // A long silence is normal while a repair runs; a dead peer must be noticed all the same.
      socket.setKeepAlive(true, 30_000);
      socket.on(url.protocol === "https:" ? "secureConnect" : "connect", () => {
        connected = true;
      });
    });
    outgoing.on("response", (incoming) => {
      readBody(incoming, call).then(
        (body) => resolve(answerOf(incoming, body)),
        (error: unknown) => fail(error instanceof Error ? error : new Error(String(error))),
      );
    });
    outgoing.end(call.body ?? undefined);
  });
}

function headersOf(call: HttpCall): Record<string, string> {
  if (call.body === null) return { ...call.headers };
  return { ...call.headers, "content-length": String(Buffer.byteLength(call.body)) };
}

async function readBody(incoming: IncomingMessage, call: HttpCall): Promise<string> {
  const bytesMax = call.bodyBytesMax ?? bodyBytesMax;
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    call.onBody?.(chunk);
    if (bytes < bytesMax) kept.push(chunk.subarray(0, bytesMax - bytes));
    bytes += chunk.length;
  }
  return Buffer.concat(kept).toString("utf8");
}

function answerOf(incoming: IncomingMessage, body: string): HttpAnswer {
  return {
    status: incoming.statusCode ?? 0,
    header: (name) => {
      const value = incoming.headers[name];
      return (Array.isArray(value) ? value[0] : value) ?? null;
    },
    body,
  };
}

const tlsCodes = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|EPROTO)/;

function toCallError(error: Error & { code?: string }, connected: boolean): HttpCallError {
  const code = error.code ?? "UNKNOWN";
  const text = error.message === "" ? code : error.message;
  if (tlsCodes.test(code)) return new HttpCallError("tls", code, text, error);
  return new HttpCallError(connected ? "answer" : "connect", code, text, error);
}
