import { Redis, type RedisOptions } from "ioredis";
import { ReconcilerError } from "../../errors.ts";
import { isReplicaReply, redisFailure } from "./failures.ts";
import type { RedisServer } from "./server.ts";

/**
 * What a connection is for. `locks` gives up fast, because a lock that is told late is none; `commands` takes its time
 * and waits for nothing that is not there; `blocking` is for consumers that wait on the server, so that nothing limits a call.
 */
export type ConnectionPurpose = "locks" | "commands" | "blocking";

export interface RedisConnection {
  /** The server's, without credentials. */
  readonly name: string;
  readonly client: Redis;
  /**
   * Resolves when the server takes commands. Who asks while another waits waits with it, and not for longer.
   * @throws ReconcilerError `redis_credentials`, or `redis_unavailable` at the first failure and after `readyMs` at the
   * latest. The connection goes on trying all the same, until it is closed.
   */
  ready(): Promise<void>;
  /** The error that a failed call of `client` is to be reported as. */
  failure(error: unknown): ReconcilerError;
  /** Idempotent; never throws. What has no answer yet fails. */
  close(): void;
}

/** How long a connection that is asked whether it is ready may take. */
const readyMs = 3000;

/**
 * With the library's defaults a dead server hangs its caller for more than 8 seconds: commands wait in a queue for the
 * connection, and are sent again when it is back, whoever still wants them.
 */
const failFast = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
} as const;

const purposes: Readonly<Record<ConnectionPurpose, RedisOptions>> = {
  // Longer than a busy process may need to come to an answer that has arrived, and much shorter than a lock's life. A socket on
  // which nothing came back is given up, so that a healed network is found again within seconds.
  locks: { ...failFast, commandTimeout: 1000, connectTimeout: 1000, socketTimeout: 3000 },
  commands: { ...failFast, commandTimeout: 2000, connectTimeout: 2000, socketTimeout: 5000 },
  blocking: { maxRetriesPerRequest: null, connectTimeout: 2000, socketTimeout: 5000 },
};

/** Opens a connection, which from now on is made again by itself whenever it breaks. Never throws. */
export function openConnection(server: RedisServer, purpose: ConnectionPurpose): RedisConnection {
  let isClosed = false;
  const client = new Redis({
    ...purposes[purpose],
    ...server.options,
    replyMapping: "legacy",
    // Of copies that a library makes of this client too, which nobody else could end.
    retryStrategy: (attempt) => (isClosed ? null : Math.min(attempt * 50, 500)),
    // After a failover the name or the Sentinels lead to another server; the connection to the old one may stay whole.
    reconnectOnError: (error) => isReplicaReply(error.message),
  });
  let lastError: unknown = null;
  // Without a listener the library prints every failed attempt.
  client.on("error", (error: unknown) => {
    lastError = error;
  });
  client.on("close", () => {
    lastError ??= new Error("the connection broke");
  });
  client.on("ready", () => {
    lastError = null;
  });
  // Shared by all that wait at a moment, each of which would have listeners of its own.
  let waiting: Promise<void> | null = null;
  // Why there is no connection; what a call fails with meanwhile does not say.
  const failure = (error: unknown): ReconcilerError =>
    error instanceof ReconcilerError ? error : redisFailure(lastError ?? error, server);
  return {
    name: server.name,
    client,
    failure,
    ready: () =>
      (waiting ??= whenReady(client, failure).finally(() => {
        waiting = null;
      })),
    close() {
      isClosed = true;
      lastError = new Error("the connection was closed");
      client.disconnect();
    },
  };
}

function whenReady(client: Redis, failure: (error: unknown) => ReconcilerError): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error: unknown): void => {
      clearTimeout(timer);
      client.off("ready", onReady).off("error", settle).off("end", onEnd);
      if (error === null) resolve();
      else reject(failure(error));
    };
    const onReady = (): void => settle(null);
    const onEnd = (): void => settle(new Error("the connection was closed"));
    const timer = setTimeout(() => settle(new Error(`no answer within ${readyMs / 1000} s`)), readyMs);
    client.on("ready", onReady).on("error", settle).on("end", onEnd);
    if (client.status === "ready") onReady();
    // No event will come any more.
    if (client.status === "end") onEnd();
  });
}
