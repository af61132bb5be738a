import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    setupFiles: ["test/seeded.ts"],
    environment: "node",
    include: ["test/**/*.test.ts"],
    // Processes, not threads: native database handles, signals and process.env stay with the file that uses them.
    pool: "forks",
    // The default leaves a core idle on two; most tests wait for processes and files.
    maxWorkers: "100%",
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A test that passes only sometimes is a fault to find, never to repeat until it passes.
    retry: 0,
    restoreMocks: true,
    unstubEnvs: true,
  },
});
