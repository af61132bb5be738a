import { Redis, type RedisOptions } from "ioredis";
import { ReconcilerError } from "../../errors.ts";
import { redisFailure } from "./failures.ts";
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
   * Resolves when the server takes commands.
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
const readyMs = 2000;

/**
 * With the library's defaults a dead server hangs its caller for more than 8 seconds: commands wait in a queue for the
 * connection, and are sent again when it is back, whoever still wants them.
 */
const failFast = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  retryStrategy: (attempt: number) => Math.min(attempt * 50, 500),
} as const;

const purposes: Readonly<Record<ConnectionPurpose, RedisOptions>> = {
  // A socket on which nothing came back is given up, so that a healed network is found again within seconds.
  locks: { ...failFast, commandTimeout: 200, connectTimeout: 300, socketTimeout: 2000 },
  commands: { ...failFast, commandTimeout: 2000, connectTimeout: 2000, socketTimeout: 5000 },
  blocking: { maxRetriesPerRequest: null, connectTimeout: 2000, retryStrategy: failFast.retryStrategy },
};

/** Opens a connection, which from now on is made again by itself whenever it breaks. Never throws. */
export function openConnection(server: RedisServer, purpose: ConnectionPurpose): RedisConnection {
  const client = new Redis({ ...purposes[purpose], ...server.options, replyMapping: "legacy" });
  let lastError: unknown = null;
  // Without a listener the library prints every failed attempt.
  client.on("error", (error: unknown) => {
    lastError = error;
  });
  client.on("ready", () => {
    lastError = null;
  });
  // What a call fails with while there is no connection says nothing; why there is none does.
  const failure = (error: unknown): ReconcilerError =>
    redisFailure(client.status === "ready" ? error : (lastError ?? error), server);
  return {
    name: server.name,
    client,
    failure,
    ready: () => whenReady(client, server, () => lastError),
    close: () => client.disconnect(),
  };
}

function whenReady(client: Redis, server: RedisServer, lastError: () => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    if (client.status === "ready") {
      resolve();
      return;
    }
    const settle = (error: unknown): void => {
      clearTimeout(timer);
      client.off("ready", onReady).off("error", settle).off("end", onEnd);
      if (error === null) resolve();
      else reject(redisFailure(error, server));
    };
    const onReady = (): void => settle(null);
    const onEnd = (): void => settle(new Error("the connection is closed"));
    const timer = setTimeout(
      () => settle(lastError() ?? new Error(`no answer within ${readyMs / 1000} s`)),
      readyMs,
    );
    client.on("ready", onReady).on("error", settle).on("end", onEnd);
    // Closed before: no event will come any more.
    if (client.status === "end") onEnd();
  });
}
