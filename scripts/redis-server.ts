// Where a Redis server for the tests is, if there is one.
import { spawnSync } from "node:child_process";

export interface RedisServerProgram {
  readonly program: string;
  /** What the program is to believe that it was called. */
  readonly argv0: string;
}

/** Debian's redis-tools holds the server too, under the name of a checker: one program, which acts as what it is called. */
const programs: readonly RedisServerProgram[] = [
  { program: "redis-server", argv0: "redis-server" },
  { program: "valkey-server", argv0: "valkey-server" },
  { program: "redis-check-rdb", argv0: "redis-server" },
];

/** The first server on the PATH that is at least version 6.2; null where there is none. */
export function findRedisServer(): RedisServerProgram | null {
  return programs.find(isRecentServer) ?? null;
}

function isRecentServer({ program, argv0 }: RedisServerProgram): boolean {
  const { stdout } = spawnSync(program, ["--version"], { argv0, encoding: "utf8", timeout: 5000 });
  const [, major = "0", minor = "0"] = /\bserver v=(\d+)\.(\d+)/.exec(stdout ?? "") ?? [];
  return Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 2);
}
