import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest first: the tests of the command as a process, or one of them is left alone at the end. */
class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification) => /\/test\/e2e\/|\/differential\./.test(moduleId);
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}

export default defineConfig({
  test: {
    setupFiles: ["test/seeded.ts"],
    environment: "node",
    include: ["test/**/*.test.ts"],
    // Processes, not threads: native database handles, signals and process.env stay with the file that uses them.
    pool: "forks",
    // The default leaves a core idle on two; most tests wait for processes, files and clocks.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    // For what hangs: what takes two seconds takes half a minute where others keep the machine busy.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What is polled for comes when it comes: the default of one second is a measure of the machine.
    expect: { poll: { timeout: 15_000 } },
    sequence: { sequencer: SlowestFirst },
    // A test that passes only sometimes is a fault to find, never to repeat until it passes.
    retry: 0,
    restoreMocks: true,
    unstubEnvs: true,
  },
});
