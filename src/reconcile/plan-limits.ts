import type { Pipeline } from "../core/pipeline.ts";
import type { PlanLimits } from "../core/plan.ts";

/** What a run may have outstanding that somebody waits for. */
export function runLimits({ limits }: Pipeline): PlanLimits {
  const { jobsMax, cellsPerCycleMax } = limits;
  return { jobsMax, cellsMax: cellsPerCycleMax, recentSlots: 0, slots: true };
}

/** What a daemon may: a long backlog must not keep today waiting. */
export function daemonLimits(pipeline: Pipeline): PlanLimits {
  return { ...runLimits(pipeline), recentSlots: Math.floor(pipeline.limits.jobsMax / 4) };
}
