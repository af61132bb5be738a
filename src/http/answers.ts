import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import { redact } from "../core/redact.ts";

const zip = promisify(gzip);
/** Below it the headers cost more than is saved. */
const zipBytesMin = 512;

/** A document as it is sent, made once for all who ask for the same. */
export interface SentDocument {
  /** Weak: it names what is said, whether zipped or not. */
  readonly etag: string;
  readonly text: string;
  readonly zipped: Buffer | null;
}

/** @param secrets texts that must not appear */
export async function sentDocument(
  document: unknown,
  etag: string,
  secrets: readonly string[],
): Promise<SentDocument> {
  const text = redact(JSON.stringify(document), secrets);
  const isWorthIt = text.length >= zipBytesMin;
  return { etag, text, zipped: isWorthIt ? await zip(text, { level: 4 }) : null };
}

/** Answers 304 where the asker has it already. A browser keeps it, and asks each time whether it still holds. */
export function send(request: FastifyRequest, reply: FastifyReply, document: SentDocument): FastifyReply {
  reply.headers({ etag: document.etag, "cache-control": "no-cache", vary: "accept-encoding" });
  if (isKnown(request.headers["if-none-match"], document.etag)) return reply.code(304).send();
  reply.type("application/json; charset=utf-8");
  if (document.zipped === null || !takesGzip(request.headers["accept-encoding"]))
    return reply.send(document.text);
  return reply.header("content-encoding", "gzip").send(document.zipped);
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
