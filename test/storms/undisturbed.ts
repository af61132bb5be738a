// Once per run of the storms: the tables as one process leaves them that nothing disturbs.
import type { TestProject } from "vitest/node";
import { reconcile } from "../support/cli.ts";
import { type Digests, startLeague } from "./league.ts";

declare module "vitest" {
  export interface ProvidedContext {
    readonly undisturbed: Digests;
  }
}

export default async function provideUndisturbed(project: TestProject): Promise<void> {
  const league = await startLeague();
  try {
    await league.configure(null);
    const run = await reconcile(["--once", "--quiet"], {
      cwd: league.folder,
      env: league.env,
      patienceMs: 300_000,
    });
    if (run.code !== 0)
      throw new Error(
        `expected an undisturbed run to converge, found ${run.code ?? run.signal}: ${run.stderr}`,
      );
    project.provide("undisturbed", await league.digests());
  } finally {
    await league.remove();
  }
}
