import type { DaemonConfig } from "./config.ts";
import type { Loaded } from "./loaded.ts";
import { cronDefault } from "./schema/leaves.ts";

/** How the always-on process works. A cron that never comes is told where it stands, not by the daemon when it starts. */
export async function resolveDaemon({ document, tree, issues }: Loaded): Promise<DaemonConfig> {
  const { cron, cycle_timeout: cycleTimeoutMs, shutdown_grace: shutdownGraceMs, mode } = document.daemon;
  if (cron !== cronDefault && !(await isCron(cron))) {
    issues.addAt(tree, ["daemon", "cron"], {
      expected:
        "cron fields with a time that comes: minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-7",
    });
  }
  return { cron, cycleTimeoutMs, shutdownGraceMs, mode };
}

/** Whoever reads it later is asked. Loaded only where there is something to ask: every command comes by here. */
async function isCron(text: string): Promise<boolean> {
  const { validate } = await import("node-cron");
  return validate(text);
}
