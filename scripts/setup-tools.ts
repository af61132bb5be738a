// Makes sure that what the tests run beside Node is there: a Redis server, Prometheus with its promtool, Chromium, and kubectl. What is
// on the PATH is used; what is not is installed from Debian in one go, as root. Redis comes from redis-tools, which holds the
// server's program and starts no service. Runs before `npm test`, and with --storms before `npm run storms`, which fakes a clock.
import { spawnSync } from "node:child_process";
import { findFakeTime } from "./fake-time.ts";
import { findRedisServer } from "./redis-server.ts";

const installMs = 420_000;

interface Tool {
  readonly what: string;
  /** Debian's package that holds it. */
  readonly package: string;
  readonly isThere: () => boolean;
}

const tools: readonly Tool[] = [
  {
    what: "a Redis server of version 6.2 or newer",
    package: "redis-tools",
    isThere: () => findRedisServer() !== null,
  },
  {
    what: "promtool and prometheus",
    package: "prometheus",
    isThere: () => ["promtool", "prometheus"].every(runs),
  },
  { what: "Chromium", package: "chromium", isThere: () => runs("chromium") },
  // Debian 12's is of 2021 and knows no components.
  { what: "kubectl of version 1.27 or newer", package: "kubernetes-client", isThere: rendersManifests },
  ...(process.argv.includes("--storms")
    ? [{ what: "libfaketime", package: "libfaketime", isThere: () => findFakeTime() !== null }]
    : []),
];

const missing = tools.filter(({ isThere }) => !isThere());
if (missing.length > 0) {
  const problem = install(missing.map((tool) => tool.package));
  const stillMissing = missing.filter(({ isThere }) => !isThere());
  if (stillMissing.length > 0) {
    const names = stillMissing.map(({ what }) => what).join(", ");
    console.error(`The tests need what is not on the PATH: ${names}${problem}.
Install it and run the tests again: apt-get install ${stillMissing.map((tool) => tool.package).join(" ")} (Debian, Ubuntu).`);
    process.exitCode = 1;
  }
}

function runs(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore", timeout: 30_000 }).status === 0;
}

/** From 1.27 on kubectl has kustomize 5. */
function rendersManifests(): boolean {
  const { stdout } = spawnSync("kubectl", ["version", "--client", "--output", "json"], {
    encoding: "utf8",
    timeout: 30_000,
  });
  const [, major = "0"] = /"kustomizeVersion": "v(\d+)/.exec(stdout ?? "") ?? [];
  return Number(major) >= 5;
}

/** Why they could not be installed, as the end of a sentence; the empty text where every step worked. */
function install(packages: readonly string[]): string {
  if (process.getuid?.() !== 0) return ", and only root may install it";
  for (const args of [["update"], ["install", "--yes", "--no-install-recommends", ...packages]]) {
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
