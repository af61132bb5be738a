import type { Pipeline } from "../../core/pipeline.ts";
import { labelValues } from "../metric-catalog.ts";
import type { Instruments } from "./instruments.ts";

/**
 * Makes every series of counters and histograms before there is anything to count, so that the first event is an increase
 * from 0 and not a series that was not there.
 */
export function setInitialValues(instruments: Instruments, pipeline: Pipeline): void {
  for (const outcome of labelValues.cycle_outcome) instruments.add("cycles_total", { outcome }, 0);
  for (const look of labelValues.look) {
    instruments.add("scan_bytes_total", { look }, 0);
    instruments.zero("scan_duration_seconds", { look });
  }
  for (const reason of labelValues.scan_error) instruments.add("scan_errors_total", { reason }, 0);
  for (const { name: repair } of pipeline.repairUnits) {
    for (const outcome of labelValues.repair_outcome)
      instruments.add("repairs_total", { repair, outcome }, 0);
    instruments.zero("repair_duration_seconds", { repair });
  }
  for (const { name: processor } of pipeline.processors) {
    instruments.add("reopened_gaps_total", { processor }, 0);
  }
  for (const severity of labelValues.severity) instruments.zero("freshness_seconds", { severity });
  for (const event of labelValues.notified) {
    for (const outcome of labelValues.notification_outcome)
      instruments.add("notifications_total", { event, outcome }, 0);
  }
  instruments.zero("cycle_duration_seconds", {});
  instruments.add("repairs_unrecorded_total", {}, 0);
  instruments.add("locks_lost_total", {}, 0);
  instruments.add("fence_refusals_total", {}, 0);
  instruments.add("ledger_failures_total", {}, 0);
  instruments.add("stalled_consumers_total", {}, 0);
  instruments.add("unreadable_jobs_total", {}, 0);
  instruments.add("redis_wipes_total", {}, 0);
  instruments.add("surveys_not_kept_total", {}, 0);
  instruments.set("leader", {}, 0);
  instruments.set("lock_servers_failing", {}, 0);
  instruments.set("coordination_degraded", {}, 0);
  instruments.set("running_jobs", {}, 0);
}
