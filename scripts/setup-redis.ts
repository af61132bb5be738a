// Makes sure that there is a Redis server for the tests: uses one that is on the PATH, and otherwise installs Debian's, as
// root. It takes redis-tools, which holds the server's program and starts no service. Runs before `npm test`.
import { spawnSync } from "node:child_process";
import { findRedisServer } from "./redis-server.ts";

const installMs = 240_000;

if (findRedisServer() === null) {
  const problem = install();
  if (findRedisServer() === null) {
    console.error(`The tests need a Redis server of version 6.2 or newer, and there is none on the PATH${problem}.
Install one and run the tests again: apt-get install redis-server (Debian, Ubuntu), brew install redis (macOS).`);
    process.exitCode = 1;
  }
}

/** Why it could not be installed, as the end of a sentence; the empty text where every step worked. */
function install(): string {
  if (process.getuid?.() !== 0) return ", and only root may install one";
  for (const args of [["update"], ["install", "--yes", "--no-install-recommends", "redis-tools"]]) {
    const { status, error, stderr } = spawnSync("apt-get", args, {
      encoding: "utf8",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      stdio: ["ignore", "ignore", "pipe"],
      timeout: installMs,
    });
    if (status !== 0) {
      const why = error?.message ?? stderr.trim().split("\n").at(-1) ?? "";
      return `; \`apt-get ${args.join(" ")}\` failed: ${why}`;
    }
  }
  return "";
}
