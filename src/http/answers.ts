import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import { redact } from "../core/redact.ts";
import type { Work } from "./loop-share.ts";

const zip = promisify(gzip);
/** Below it the headers cost more than is saved. */
const zipBytesMin = 512;

/** A document as it is sent, made once for all who ask for the same. */
export interface SentDocument {
  /** Weak: it names what is said, whether zipped or not. */
  readonly etag: string;
  readonly plain: Buffer;
  readonly zipped: Buffer | null;
}

/** @param secrets texts that must not appear */
export function* sentDocument(
  document: unknown,
  etag: string,
  secrets: readonly string[],
): Work<SentDocument> {
  yield;
  const text = JSON.stringify(document);
  yield;
  const plain = Buffer.from(redact(text, secrets));
  return plain.length < zipBytesMin
    ? { etag, plain, zipped: null }
    : zip(plain, { level: 4 }).then((zipped) => ({ etag, plain, zipped }));
}

/** Answers 304 where the asker has it already. A browser keeps it, and asks each time whether it still holds. */
export function send(
  request: FastifyRequest,
  reply: FastifyReply,
  { etag, plain, zipped }: SentDocument,
): FastifyReply {
  if (hasAlready(request, etag)) return sendNothingNew(reply, etag);
  reply.headers(headersOf(etag)).type("application/json; charset=utf-8");
  if (zipped === null || !takesGzip(request.headers["accept-encoding"])) return reply.send(plain);
  return reply.header("content-encoding", "gzip").send(zipped);
}

/** Whether the asker has the document of that name. */
export function hasAlready({ headers }: FastifyRequest, etag: string): boolean {
  return isKnown(headers["if-none-match"], etag);
}

export function sendNothingNew(reply: FastifyReply, etag: string): FastifyReply {
  return reply.headers(headersOf(etag)).code(304).send();
}

function headersOf(etag: string) {
  return { etag, "cache-control": "no-cache", vary: "accept-encoding" };
}

function isKnown(header: string | undefined, etag: string): boolean {
  const known = (header ?? "").split(",").map((each) => each.trim());
  return known.includes(etag) || known.includes("*");
}

function takesGzip(header: string | string[] | undefined): boolean {
  return String(header ?? "")
    .split(",")
    .some((each) => /^\s*(gzip|\*)\s*(;\s*q=(0?\.\d*[1-9]\d*|1(\.0*)?))?\s*$/i.test(each));
}
