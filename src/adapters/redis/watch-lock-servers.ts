import type { ReconcilerError } from "../../errors.ts";
import { checkOfConnection } from "./check-server.ts";
import type { RedisConnection } from "./connection.ts";

/** One of several lock servers does not count any more, or does again. */
export interface LockServerNews {
  /** Without credentials. */
  readonly name: string;
  /** Why it does not count: it is away, refuses this process, or cannot carry locks; null where it counts again. */
  readonly failure: ReconcilerError | null;
  /** How many do not count now, this one included. */
  readonly failing: number;
}

export interface LockServersListener {
  /** Told when it changes; must not throw. */
  readonly onLockServer: (news: LockServerNews) => void;
}

export interface LockServersWatch {
  /** Why each of those does not count that do not. */
  failures(): readonly ReconcilerError[];
  close(): void;
}

/** Longer than a connection needs to be made anew after a mere break. */
const lookMs = 5_000;

/**
 * Tells of each lock server that does not count. While a majority does, locks go on, and nobody would notice that the next server to
 * fail ends that.
 * @param everyMs how often is looked, for the first time after as long
 */
export function watchLockServers(
  connections: readonly RedisConnection[],
  { onLockServer }: LockServersListener,
  everyMs = lookMs,
): LockServersWatch {
  const failing = new Map<string, ReconcilerError>();
  const look = async (connection: RedisConnection): Promise<void> => {
    const { name } = connection;
    const failure = await failureOf(connection);
    if ((failure !== null) === failing.has(name)) return;
    if (failure === null) failing.delete(name);
    else failing.set(name, failure);
    onLockServer({ name, failure, failing: failing.size });
  };
  const timer = setInterval(() => {
    for (const connection of connections) void look(connection);
  }, everyMs);
  return { failures: () => [...failing.values()], close: () => clearInterval(timer) };
}

/** Null where its vote counts. */
async function failureOf(connection: RedisConnection): Promise<ReconcilerError | null> {
  if (connection.client.status !== "ready") return connection.failure(new Error("there is no connection"));
  try {
    await checkOfConnection(connection)();
    return null;
  } catch (error) {
    return connection.failure(error);
  }
}
