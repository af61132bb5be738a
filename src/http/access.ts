import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { ReconcilerError } from "../errors.ts";

const loopbackNames = new Set(["localhost", "[::1]"]);

export interface ListenAddress {
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** Whether only this machine can reach it. */
  readonly isLoopback: boolean;
}

/** @param listen `host:port`, as the config has checked it */
export function listenAddress(listen: string): ListenAddress {
  const colon = listen.lastIndexOf(":");
  const name = listen.slice(0, colon);
  return {
    host: name.replace(/^\[|\]$/g, ""),
    port: Number(listen.slice(colon + 1)),
    isLoopback: isLoopbackName(name.toLowerCase()),
  };
}

/** All of 127.0.0.0/8 is this machine, and no name of the internet ends in digits. */
function isLoopbackName(name: string): boolean {
  return loopbackNames.has(name) || /^127(\.\d{1,3}){3}$/.test(name);
}

/**
 * Refuses requests to a loopback address that come under another name: a page on the internet can have its name resolve to
 * 127.0.0.1 and then reads, through the browser of somebody here, what only this machine may read.
 */
export function checkHost({ headers }: Pick<FastifyRequest, "headers">): void {
  const host = (headers.host ?? "").toLowerCase().replace(/:\d+$/, "");
  if (isLoopbackName(host)) return;
  throw new ReconcilerError(
    "host_refused",
    "expected the host localhost, 127.0.0.1 or [::1], found another one",
    {
      hint: "to be reached by another name, set http.listen to an address that is not a loopback one",
    },
  );
}

/** Checks the bearer token, in a time that does not depend on how much of it is right. */
export function tokenCheck(token: string): (request: Pick<FastifyRequest, "headers">) => void {
  const expected = digest(token);
  return ({ headers }) => {
    const [scheme, value, ...rest] = (headers.authorization ?? "").split(" ");
    const isBearer = scheme?.toLowerCase() === "bearer" && rest.length === 0;
    // Hashed, so that both have one length; compared whatever the scheme is.
    const isEqual = timingSafeEqual(digest(value ?? ""), expected);
    if (isBearer && isEqual) return;
    throw new ReconcilerError("unauthorized", "expected the header authorization: Bearer and the token", {
      hint: "the token is what the file holds that http.token_file names",
    });
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
