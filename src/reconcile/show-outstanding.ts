import type { Assessment } from "../core/assessment.ts";
import { Disposition } from "../core/grid.ts";
import type { ReconcileContext } from "./context.ts";
import type { OutstandingRepair } from "./ports/repair-queue.ts";
import { inFlightOf } from "./running-jobs.ts";
import { plannedJob } from "./worker.ts";

/**
 * Has ready cells of jobs that are in the queue stand as queued or running, in an assessment that is only shown. The session of
 * a process that does not plan must not know of them: what it heard of the queue would be old when a job of its own looks at the
 * same cells, and the job would be given back.
 */
export function showOutstanding(
  context: ReconcileContext,
  { grid }: Assessment,
  jobs: readonly OutstandingRepair[],
): void {
  for (const job of jobs) {
    const planned = plannedJob(context, job);
    if (planned === null) continue;
    const { processors, days, state } = inFlightOf(context.compiled.pipeline, planned, job.state);
    for (const processor of processors) {
      const base = processor * grid.axis.length - grid.axis.first;
      for (const day of days) {
        if (day < grid.axis.first || day >= grid.axis.first + grid.axis.length) continue;
        if (grid.dispositions[base + day] === Disposition.ready)
          grid.dispositions[base + day] = Disposition[state];
      }
    }
  }
}
