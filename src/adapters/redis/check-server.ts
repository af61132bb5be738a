import { ReconcilerError } from "../../errors.ts";
import type { RedisConnection } from "./connection.ts";

/** The first version in which all that locks and queue need is there. */
const versionMin = [6, 2] as const;

/**
 * Proves that the server can carry coordination: its version, that it throws nothing away when memory is short, that it
 * takes writes and is no cluster. Bounded by the connection's own time limits.
 * @throws ReconcilerError `redis_unsuitable`, `redis_credentials` or `redis_unavailable`
 */
export async function checkServer(connection: RedisConnection): Promise<void> {
  await connection.ready();
  let text: string;
  try {
    text = await connection.client.info();
  } catch (error) {
    throw connection.failure(error);
  }
  const info = new Map(
    text.split("\r\n").flatMap((line) => {
      const match = /^([a-z_]+):(.*)$/.exec(line);
      return match?.[1] === undefined ? [] : [[match[1], match[2] ?? ""] as const];
    }),
  );
  for (const { field, isGood, expected, hint } of requirements) {
    const found = info.get(field) ?? "";
    if (isGood(found)) continue;
    // In the midst of a failover its name may still lead to the old one: whoever asks again asks whom it leads to by then.
    if (field === "role") connection.client.disconnect(true);
    const message = `${connection.name}: expected ${expected}, found ${found === "" ? "none" : found}`;
    throw new ReconcilerError("redis_unsuitable", message, { path: "redis.url", hint });
  }
}

/** All that use a connection share its check. */
const checks = new WeakMap<RedisConnection, () => Promise<void>>();

/**
 * The check of the server behind a connection, made when it is asked for and anew once the connection was: the server may have
 * been away at the start, and another one may have taken its place.
 * @returns throws as `checkServer` does; asks nothing where it has passed
 */
export function checkOfConnection(connection: RedisConnection): () => Promise<void> {
  const known = checks.get(connection);
  if (known !== undefined) return known;
  let hasPassed = false;
  connection.client.on("ready", () => {
    hasPassed = false;
  });
  const check = async () => {
    if (hasPassed) return;
    await checkServer(connection);
    hasPassed = true;
  };
  checks.set(connection, check);
  return check;
}

interface Requirement {
  /** Of INFO, which unlike CONFIG every managed Redis answers. */
  readonly field: string;
  readonly isGood: (found: string) => boolean;
  readonly expected: string;
  readonly hint: string;
}

const requirements: readonly Requirement[] = [
  {
    field: "redis_version",
    isGood: isRecent,
    expected: `Redis ${versionMin.join(".")} or newer`,
    hint: "upgrade the server; Valkey and managed services of that version or newer do as well",
  },
  {
    field: "redis_mode",
    isGood: (found) => found === "standalone",
    expected: "a single server or the primary of a Sentinel group (redis_mode standalone)",
    hint: "a cluster spreads keys over servers, which a lock must not be; use a server of its own for gap-reconciler",
  },
  {
    field: "role",
    isGood: (found) => found === "master",
    expected: "a primary (role master)",
    hint: "a replica refuses writes: name its primary, or the Sentinels that know it",
  },
  {
    field: "maxmemory_policy",
    isGood: (found) => found === "noeviction",
    expected: "maxmemory-policy noeviction",
    hint: "with any other policy the server silently drops locks and jobs when memory is short: set `maxmemory-policy noeviction`",
  },
];

function isRecent(found: string): boolean {
  const [major = 0, minor = 0] = found.split(".").map(Number);
  return major > versionMin[0] || (major === versionMin[0] && minor >= versionMin[1]);
}
