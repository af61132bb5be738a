import { redact } from "../../core/redact.ts";
import { messageOf, ReconcilerError } from "../../errors.ts";
import type { RedisServer } from "./server.ts";

/** What the first word of an error reply means, where the server refuses who asks rather than what is asked. */
const credentialReplies: ReadonlySet<string> = new Set(["WRONGPASS", "NOAUTH", "NOPERM"]);

/** The error reply of a server that takes no write; version 6 tells it from within a script. */
const outOfMemory = /^OOM |-OOM /;
const memoryHint =
  "it has reached its maxmemory, and drops nothing, as it should: give it more, or find out whose keys fill it (redis-cli --bigkeys); jobs and locks are a few megabytes";

/** The error reply of a replica to a write; version 6 tells it from within a script. */
const readOnly = /^READONLY |-READONLY /;

/** Whether a server refused a write because it is no primary any more. */
export function isReplicaReply(message: string): boolean {
  return readOnly.test(message);
}

/** How OpenSSL and Node call a certificate that they do not trust. */
const certificateCodes: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/**
 * The error that users see for whatever the client library threw. The library's own error is no cause of it: it carries
 * the failed command with its arguments, which for AUTH are the credentials.
 */
export function redisFailure(error: unknown, server: RedisServer): ReconcilerError {
  if (error instanceof ReconcilerError) return error;
  const message = redact(messageOf(error) || codeOf(error), server.secrets);
  if (credentialReplies.has(message.split(" ")[0] ?? "")) {
    return new ReconcilerError("redis_credentials", `${server.name} refused the credentials: ${message}`, {
      path: "redis",
      hint: "check redis.username and redis.password_file; the user needs the keys, the channel and the commands of locks and a queue (~gap-reconciler:* &gap-reconciler:* +@all -@dangerous +info)",
    });
  }
  return new ReconcilerError("redis_unavailable", `${server.name} cannot be used: ${message}`, {
    path: "redis",
    hint: outOfMemory.test(message) ? memoryHint : hintOf(codeOf(error), server.tls),
  });
}

function hintOf(code: string, tls: boolean): string {
  if (certificateCodes.has(code)) {
    return "its certificate is not trusted: name the authority that signed it (redis.ca_file), and the host as the certificate does";
  }
  // A server without TLS does not answer the first message of a client with TLS, nor the other way round.
  return tls
    ? "check that the server runs, can be reached from here and speaks TLS on this port; if it does not, use redis://"
    : "check that the server runs and can be reached from here; if it expects TLS, use rediss://";
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
