import { isConverged } from "../../core/assess.ts";
import type { Assessment } from "../../core/assessment.ts";
import { breakersOf } from "../../core/breaker-document.ts";
import { gridTotals, type ProcessorTotals } from "../../core/grid-totals.ts";
import { toDay } from "../../core/iso-date.ts";
import type { Pipeline } from "../../core/pipeline.ts";
import { strayRowsOf } from "../../core/stray-rows.ts";
import { secondsToConvergence } from "../../core/time-to-converge.ts";
import { type EpochMs, instantOf, localDayAt } from "../../core/wall-clock.ts";
import { labelValues } from "../metric-catalog.ts";
import type { Instruments } from "./instruments.ts";

/**
 * Sets every gauge that is about the grid. What has no value, such as the limit of a budget that there is not, is left as it
 * was: clear them all before.
 * @param isTrusted false where the last cycle failed: then nothing is called converged
 */
export function setGridGauges(instruments: Instruments, assessment: Assessment, isTrusted: boolean): void {
  const { grid } = assessment;
  for (const totals of gridTotals(assessment)) {
    setInfo(instruments, grid.pipeline, totals);
    setCounts(instruments, totals);
    setAges(instruments, totals, grid.now);
    setStrays(instruments, assessment, totals);
  }
  setBreakers(instruments, assessment);
  setWaiverExpiries(instruments, assessment);
  setBudgets(instruments, assessment);
  instruments.set("converged", {}, isTrusted && isConverged(assessment) ? 1 : 0);
  const seconds = secondsToConvergence(assessment);
  if (seconds !== null) instruments.set("convergence_estimate_seconds", {}, seconds);
}

function setInfo(instruments: Instruments, pipeline: Pipeline, { processor }: ProcessorTotals): void {
  const { name, phase, severity, owner, repairUnit } = processor;
  const repair = pipeline.repairUnits[repairUnit ?? -1]?.name ?? "";
  const labels = { processor: name, phase: phase ?? "", severity, owner: owner ?? "", repair };
  instruments.set("processor_info", labels, 1);
}

function setCounts(instruments: Instruments, totals: ProcessorTotals): void {
  const { states, exempt, gaps, behindPoison, overdue } = totals;
  const { name: processor, phase } = totals.processor;
  for (const state of labelValues.state) {
    instruments.set("cells", { processor, phase: phase ?? "", state }, states[state]);
  }
  for (const reason of labelValues.exempt_reason) {
    instruments.set("exempt_cells", { processor, reason }, exempt.get(reason) ?? 0);
  }
  for (const disposition of labelValues.disposition) {
    instruments.set("gaps", { processor, disposition }, gaps.get(disposition) ?? 0);
  }
  instruments.set("stopped_chain_gaps", { processor }, behindPoison);
  instruments.set("overdue_cells", { processor }, overdue);
}

function setStrays(instruments: Instruments, assessment: Assessment, { processor }: ProcessorTotals): void {
  const found = strayRowsOf(assessment, processor);
  for (const kind of labelValues.stray_kind) {
    const rows = found === null ? 0 : found[strayFields[kind]];
    if (rows !== null) instruments.set("stray_rows", { processor: processor.name, kind }, rows);
  }
}

const strayFields = {
  without_date: "withoutDate",
  after_today: "afterToday",
  before_schedule: "beforeSchedule",
} as const;

function setAges(instruments: Instruments, totals: ProcessorTotals, now: EpochMs): void {
  const { processor, openSince, dueSince } = totals;
  const secondsSince = (since: EpochMs | null) => (since === null ? 0 : Math.max(0, (now - since) / 1000));
  instruments.set("oldest_gap_age_seconds", { processor: processor.name }, secondsSince(openSince));
  instruments.set("oldest_gap_overdue_seconds", { processor: processor.name }, secondsSince(dueSince));
}

function setBreakers(instruments: Instruments, assessment: Assessment): void {
  const { name, processors, schedules, repairUnits } = assessment.grid.pipeline;
  const subjects = {
    mass_gap: [{ name }, ...processors],
    schedule: schedules,
    circuit: repairUnits,
  };
  for (const kind of labelValues.breaker) {
    for (const { name: subject } of subjects[kind]) {
      instruments.set("breaker_open", { kind, subject }, 0);
    }
  }
  for (const { kind, subject } of breakersOf(assessment)) {
    instruments.set("breaker_open", { kind, subject }, 1);
  }
}

/** A waiver holds through its last date; its end is the midnight after it. */
function setWaiverExpiries(instruments: Instruments, { facts, grid, now }: Assessment): void {
  const { timezone, processors } = grid.pipeline;
  const today = localDayAt(now, timezone);
  for (const { name: processor } of processors) {
    const lastDays = facts.decisions.waivers
      .filter((waiver) => waiver.processors.includes(processor))
      .flatMap(({ expires }) => (expires === null ? [] : toDay(expires)))
      .filter((day) => day >= today);
    if (lastDays.length === 0) continue;
    const endsAt = instantOf(Math.min(...lastDays) + 1, 0, timezone);
    instruments.set("waiver_expiry_timestamp_seconds", { processor }, endsAt / 1000);
  }
}

function setBudgets(instruments: Instruments, { facts, grid }: Assessment): void {
  const { scanBytesPerDay, repairsPerDay } = grid.pipeline.budgets;
  instruments.set("scan_budget_used_bytes", {}, facts.scanBytesLast24h);
  instruments.set("repair_budget_used", {}, facts.startsLast24h);
  if (scanBytesPerDay !== null) instruments.set("scan_budget_limit_bytes", {}, scanBytesPerDay);
  if (repairsPerDay !== null) instruments.set("repair_budget_limit", {}, repairsPerDay);
}
