import { defineConfig } from "vitest/config";

/** Minutes of faults over several daemons, one storm after the other: `npm run storms`, no part of `npm test`. */
export default defineConfig({
  test: {
    environment: "node",
    include: ["test/storms/**/*.storm.ts"],
    pool: "forks",
    fileParallelism: false,
    globalSetup: ["test/storms/undisturbed.ts"],
    // What a storm waits for has limits of its own, which say what was waited for.
    testTimeout: 480_000,
    hookTimeout: 60_000,
    retry: 0,
  },
});
