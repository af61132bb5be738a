import { randomUUID } from "node:crypto";
import type { RedisConnection } from "./connection.ts";
import { keyPrefix } from "./server.ts";

/**
 * What became of a server's memory since the last look: `first` is the first look of this process, `wiped` means that the
 * server is up and has forgotten everything. A server that is merely away throws instead.
 */
export type MemoryState = "first" | "kept" | "wiped";

export interface EpochKey {
  /** @throws ReconcilerError `redis_unavailable` where the server does not answer within the connection's time limit */
  look(): Promise<MemoryState>;
}

/** A key with a random value, set where it is absent. Its value changes when and only when the server was wiped. */
export function createEpochKey(connection: RedisConnection, pipeline: string): EpochKey {
  const key = `${keyPrefix(pipeline)}epoch`;
  let known: string | null = null;
  return {
    async look() {
      const value = await read(connection, key);
      const state = known === null ? "first" : known === value ? "kept" : "wiped";
      known = value;
      return state;
    },
  };
}

/** In one transaction, so that a wipe cannot come between the two and leave nothing to read. */
async function read(connection: RedisConnection, key: string): Promise<string> {
  try {
    const results = await connection.client.multi().set(key, randomUUID(), "NX").get(key).exec();
    const [error, value] = results?.[1] ?? [];
    if (typeof value === "string") return value;
    throw error ?? new Error("no value was stored");
  } catch (error) {
    throw connection.failure(error);
  }
}
