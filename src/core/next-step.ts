import { type Assessment, scheduleOf } from "./assessment.ts";
import { waiverCovers } from "./decisions.ts";
import { dateAt, Disposition, type ReasonName, reasonName, State } from "./grid.ts";
import type { Processor } from "./pipeline.ts";
import { rootCauses } from "./root-causes.ts";
import { type EpochMs, formatInstant, instantOf } from "./wall-clock.ts";

/** What happens next to a cell, and when, as far as it is known. */
export interface NextStep {
  readonly text: string;
  readonly at: EpochMs | null;
}

export function describeNext(assessment: Assessment, processor: Processor, position: number): NextStep {
  const { grid } = assessment;
  const cell = processor.index * grid.axis.length + position;
  const disposition = grid.dispositions[cell] ?? Disposition.none;
  if (disposition === Disposition.none) return describeState(assessment, processor, position);
  const facts = assessment.facts.cellFacts(processor.index, grid.axis.first + position);
  const unit = grid.pipeline.repairUnits[processor.repairUnit ?? -1];
  const reason = reasonName(grid.reasons[cell] ?? 0);
  switch (disposition) {
    case Disposition.running:
      return { text: "a repair is running; its result is proven by the next query", at: null };
    case Disposition.queued:
      return { text: "a repair is queued", at: null };
    case Disposition.backingOff:
      return {
        text: `attempt ${facts.charged + 1} of ${unit?.maxAttempts ?? 1} follows at ${formatInstant(facts.notBefore)}`,
        at: facts.notBefore,
      };
    case Disposition.blocked:
      return { text: blockedText(assessment, processor, position, reason), at: null };
    case Disposition.ready:
      return { text: readyText(reason), at: assessment.now };
    case Disposition.quarantined:
      return {
        text: `${quarantineText(reason, unit?.maxAttempts ?? 1)}. Nothing more is tried until its inputs, its repair or its expectation change, or a person says: reconcile retry --processor ${processor.name} --start-date ${dateAt(grid.axis, position)} --end-date ${dateAt(grid.axis, position)}`,
        at: null,
      };
    case Disposition.unrepairable:
      return { text: unrepairableText(reason), at: null };
    default:
      return heldNext(assessment, processor, reason);
  }
}

function describeState(assessment: Assessment, processor: Processor, position: number): NextStep {
  const { grid } = assessment;
  const cell = processor.index * grid.axis.length + position;
  const { daysAfter, minuteOfDay } = processor.due;
  switch (grid.states[cell]) {
    case State.unknown:
      return { text: "nothing is opened, closed or repaired for it until its query works again", at: null };
    case State.complete:
      return { text: "nothing: it meets its expectation", at: null };
    case State.stale:
      return {
        text: "nothing: an upstream cell changed after it was made, which is reported; stale: repair would make it again",
        at: null,
      };
    case State.exempt:
      return { text: exemptText(assessment, processor, position), at: null };
    case State.pending: {
      const at = instantOf(grid.axis.first + position + daysAfter, minuteOfDay, grid.pipeline.timezone);
      return { text: `it is not due before ${formatInstant(at)}, or before its upstreams are`, at };
    }
    case State.unexpected:
      return { text: "nothing: rows on a date that is not scheduled are reported, never repaired", at: null };
    default:
      return { text: `nothing: ${scheduleOf(assessment, processor.index).name} has no such date`, at: null };
  }
}

function exemptText(assessment: Assessment, processor: Processor, position: number): string {
  const { grid, facts } = assessment;
  const day = grid.axis.first + position;
  const reason = reasonName(grid.reasons[processor.index * grid.axis.length + position] ?? 0);
  switch (reason) {
    case "bootstrap":
      return `nothing: the first ${processor.bootstrapDays} days of a season are not expected to be filled`;
    case "availability":
      return `nothing: it is available from ${processor.available.from ?? "the start"} to ${processor.available.to ?? "now"} only`;
    case "upstream_exempt":
      return "nothing: an upstream that it needs is exempt on this date and has no rows";
    default: {
      const waiver = facts.decisions.waivers.find((candidate) =>
        waiverCovers(candidate, processor.name, day),
      );
      const until = waiver?.expires == null ? "" : `, until ${waiver.expires}`;
      return `nothing: waived by ${waiver?.owner ?? "its owner"} (${waiver?.reason ?? "no reason given"})${until}`;
    }
  }
}

function blockedText(
  assessment: Assessment,
  processor: Processor,
  position: number,
  reason: ReasonName,
): string {
  if (reason === "shared_repair")
    return "its repair fills other tables too, and one of those is not ready on this date";
  const roots = rootCauses(assessment, { processor, position });
  const named = roots
    .slice(0, 3)
    .map((root) => `${root.processor.name} ${dateAt(assessment.grid.axis, root.position)}`)
    .join(", ");
  const more = roots.length > 3 ? ` and ${roots.length - 3} more` : "";
  return named === "" ? "it waits for an upstream that has no rows" : `it waits for ${named}${more}`;
}

function readyText(reason: ReasonName): string {
  switch (reason) {
    case "probe":
      return "its inputs changed since it was given up, so it is tried once more";
    case "jobs_max":
      return "it is repaired as soon as one of the jobs outstanding ends (limits.jobs_max)";
    case "concurrency":
      return "it is repaired as soon as another run of the same repair ends (repair.concurrency)";
    case "pool":
      return "it is repaired as soon as its pool has a free slot (pools)";
    case "cells_per_cycle_max":
      return "it is repaired in the next cycle (limits.cells_per_cycle_max)";
    case "in_flight_overlap":
      return "it is repaired as soon as the run whose dates surround it ends";
    case "chronological":
      return "it is repaired after the earlier dates of its season";
    default:
      return "it is repaired by the next run";
  }
}

function quarantineText(reason: ReasonName, maxAttempts: number): string {
  switch (reason) {
    case "attempts_used_up":
      return `all ${maxAttempts} attempts are used up`;
    case "permanent_error":
      return "its repair said that trying again is of no use";
    case "made_worse":
      return "its repair left fewer rows or more violations than before";
    default:
      return "it was repaired and broke again 3 times in 7 days: something is fighting the repair";
  }
}

function unrepairableText(reason: ReasonName): string {
  switch (reason) {
    case "repair_does_not_replace":
      return "its repair adds rows to what is there (replaces: false), so only a date without rows is repaired";
    case "source_expired":
      return "its source keeps data no longer than source_retention; waive it, or fill it by hand";
    default:
      return "no repair is configured for it";
  }
}

function heldNext(assessment: Assessment, processor: Processor, reason: ReasonName): NextStep {
  const { facts, breakers, grid } = assessment;
  const circuit = facts.circuits[processor.repairUnit ?? -1];
  const only = (text: string): NextStep => ({ text, at: null });
  switch (reason) {
    case "age":
      return only("it is older than safety.auto_repair_max_age; run reconcile --once for its date");
    case "budget":
      return only("the repairs of the last 24 hours used up budgets.repairs_per_day; it goes on as they age");
    case "circuit":
      return {
        text: `the circuit of its repair is open (${circuit?.cause ?? "failures in a row"}); one date probes it from ${formatInstant(circuit?.probeAt ?? 0)} on, or reconcile release closes it now`,
        at: circuit?.probeAt ?? null,
      };
    case "mass_gap": {
      const why = breakers.massGaps[processor.index] ?? breakers.overallMassGap ?? "";
      return only(`${why}; repairs wait until the data is back or a person says: reconcile accept`);
    }
    case "schedule":
      return only(`its schedule is not believed: ${breakers.scheduleFaults.get(processor.schedule) ?? ""}`);
    case "paused":
      return only("a person paused its repairs; reconcile resume lets them go on");
    case "waiver_expired":
      return only(
        "the waiver that covered it has expired; renew it with reconcile waive, or take it back with unwaive",
      );
    case "repair_window":
      return only("its repair may start only in its windows");
    case "precondition":
      return only(
        `a precondition of its repair is not met: ${assessment.sight.unmetPreconditions.get(grid.pipeline.repairUnits[processor.repairUnit ?? -1]?.name ?? "") ?? ""}`,
      );
    default:
      return only("it is outside of what was selected");
  }
}
