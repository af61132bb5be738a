import { type Assessment, type Breakers, scheduleOf } from "./assessment.ts";
import { closedCircuit } from "./breaker.ts";
import { waiverCovers } from "./decisions.ts";
import { dueAt } from "./due.ts";
import { emptyCell } from "./empty-cell.ts";
import { dateAt, Disposition, isPoison, type ReasonName, reasonName, State } from "./grid.ts";
import { toDay } from "./iso-date.ts";
import type { Processor } from "./pipeline.ts";
import { probeNow, quarantineNext } from "./quarantine.ts";
import { directBlockers, rootCauses } from "./root-causes.ts";
import { type EpochMs, formatInstant } from "./wall-clock.ts";

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
      if (reason === "elsewhere") return elsewhereNext(assessment, processor, position);
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
      if (reason === "probe") return { text: probeNow(assessment, processor, position), at: assessment.now };
      return { text: readyTexts[reason] ?? "it is repaired by the next run", at: assessment.now };
    case Disposition.quarantined:
      return quarantineNext(assessment, processor, position);
    case Disposition.unrepairable:
      return { text: unrepairableTexts[reason] ?? reason, at: null };
    default:
      return heldNext(assessment, processor, position, reason);
  }
}

function elsewhereNext({ elsewhere, grid }: Assessment, processor: Processor, position: number): NextStep {
  const date = dateAt(grid.axis, position);
  const run = elsewhere.running.find(
    (candidate) => candidate.processor === processor.index && candidate.day === grid.axis.first + position,
  );
  if (run === undefined) return { text: "it is running elsewhere", at: null };
  const which = run.runId === null ? "it runs" : `run ${run.runId} is under way`;
  const limit = formatInstant(run.limitAt);
  return {
    text: `${which} elsewhere since ${formatInstant(run.startedAt)}, as the run history says; at ${limit} it is taken for dead (run_history.running_max), or now if a person says: reconcile retry --processor ${processor.name} --start-date ${date} --end-date ${date}`,
    at: run.limitAt,
  };
}

function describeState(assessment: Assessment, processor: Processor, position: number): NextStep {
  const { grid } = assessment;
  const cell = processor.index * grid.axis.length + position;
  const state: number = grid.states[cell] ?? State.unscheduled;
  const empty = emptyCell(assessment, processor, position);
  switch (state) {
    case State.unknown:
      return {
        text:
          empty === null
            ? "nothing is opened, closed or repaired for it until its query works again"
            : `${empty.text}; nothing is opened, closed or repaired for it until that is known`,
        at: null,
      };
    case State.complete:
      return {
        text: `nothing: ${empty?.text ?? "it meets its expectation"}${pointlessText(assessment, processor, position)}`,
        at: null,
      };
    case State.stale:
      return {
        text: "nothing by itself: an input changed after it was computed, and not by a repair of this pipeline. reconcile rebuild --stale computes it again; stale: repair always does",
        at: null,
      };
    case State.exempt:
      return { text: exemptText(assessment, processor, position), at: null };
    case State.pending: {
      if (empty?.verdict.kind === "awaited")
        return { text: `${empty.text}: it waits for that cell`, at: null };
      const at = dueAt(assessment.compiled, assessment.sight, processor.index, position);
      if (!Number.isFinite(at)) {
        return {
          text: "it is not due yet: it reads up to a date that its schedule does not have yet",
          at: null,
        };
      }
      return { text: `it is not due before ${formatInstant(at)}`, at };
    }
    case State.unexpected:
      return {
        text: "nothing: rows on a date that is not scheduled are reported; with off_schedule: gap its repair would take them away",
        at: null,
      };
    default:
      return {
        text: `nothing: the schedule ${scheduleOf(assessment, processor.index).name} has no such date`,
        at: null,
      };
  }
}

function exemptText(assessment: Assessment, processor: Processor, position: number): string {
  const { grid } = assessment;
  const reason = reasonName(grid.reasons[processor.index * grid.axis.length + position] ?? 0);
  if (reason === "bootstrap") {
    return `nothing: the first ${processor.bootstrapDays} days of a season are not expected to be filled`;
  }
  if (reason === "availability") {
    const { from, to } = processor.available;
    return `nothing: it is available from ${from ?? "the start"} to ${to ?? "now"} only`;
  }
  if (reason === "upstream_exempt") {
    return "nothing: an upstream that it needs is exempt on this date and has no rows";
  }
  const waiver = waiverInForce(assessment, processor, position);
  if (waiver === undefined) return "nothing: it is waived";
  const until = waiver.expires === null ? "" : `, until ${waiver.expires}`;
  return `nothing: waived by ${waiver.owner} (${waiver.reason})${until}`;
}

/** Waived data that came all the same: somebody should take the waiver back, before it hides that it is lost. */
function pointlessText(assessment: Assessment, processor: Processor, position: number): string {
  const waiver = waiverInForce(assessment, processor, position);
  if (waiver === undefined) return "";
  const where = waiver.source === "config" ? "in the config" : "by a decision";
  return `, so that the waiver of ${waiver.owner} ${where} is pointless for it`;
}

function waiverInForce({ grid, facts, sight }: Assessment, processor: Processor, position: number) {
  return facts.decisions.waivers.find(
    (candidate) =>
      waiverCovers(candidate, processor.name, grid.axis.first + position) &&
      (candidate.expires === null || sight.today <= toDay(candidate.expires)),
  );
}

function blockedText(
  assessment: Assessment,
  processor: Processor,
  position: number,
  reason: ReasonName,
): string {
  if (reason === "shared_repair")
    return "its repair fills other tables too, and one of those is not ready on this date";
  const poison = reason === "chronological" ? poisonBefore(assessment, processor, position) : null;
  if (poison !== null)
    return `nothing repairs it: ${poison} was given up, and on_poison: stop holds up all later dates of its season; mend or waive that date, or set on_poison: continue`;
  const roots = rootCauses(assessment, { processor, position });
  const named = roots
    .slice(0, 3)
    .map((root) => `${root.processor.name} ${dateAt(assessment.grid.axis, root.position)}`)
    .join(", ");
  const more = roots.length > 3 ? ` and ${roots.length - 3} more` : "";
  return named === "" ? "it waits for an upstream that has no rows" : `it waits for ${named}${more}`;
}

/** The cell that was given up and stops the chain of this one; null where the chain waits for something else. */
function poisonBefore(assessment: Assessment, processor: Processor, position: number): string | null {
  const { grid } = assessment;
  const [stop] = directBlockers(assessment, { processor, position });
  if (stop === undefined) return null;
  const disposition = grid.dispositions[stop.processor.index * grid.axis.length + stop.position];
  return isPoison(disposition) ? `${stop.processor.name} ${dateAt(grid.axis, stop.position)}` : null;
}

type Texts = Partial<Record<ReasonName, string>>;

const readyTexts: Texts = {
  jobs_max: "it is repaired as soon as one of the jobs outstanding ends (limits.jobs_max)",
  concurrency: "it is repaired as soon as another run of the same repair ends (repair.concurrency)",
  warehouse_file:
    "it is repaired as soon as the warehouse is free for it: a command has a warehouse that is one file to itself",
  pool: "it is repaired as soon as its pool has a free slot (pools)",
  cells_per_cycle_max: "it is repaired in the next cycle (limits.cells_per_cycle_max)",
  in_flight_overlap: "it is repaired as soon as the run whose dates surround it ends",
  chronological: "it is repaired after the earlier dates of its season",
};

const unrepairableTexts: Texts = {
  no_repair: "no repair is configured for it",
  repair_does_not_replace:
    "its repair adds rows to what is there (replaces: false), so only a date without rows is repaired",
  source_expired: "its source keeps data no longer than source_retention; waive it, or fill it by hand",
};

const heldTexts: Texts = {
  age: "it is older than safety.auto_repair_max_age; run reconcile --once for its date",
  budget:
    "the last 24 hours used up budgets.repairs_per_day or budgets.scan_bytes_per_day; it goes on as what was spent ages",
  repair_window: "its repair may start only in its windows",
  not_selected: "it is outside of what was selected",
};

function heldNext(
  assessment: Assessment,
  processor: Processor,
  position: number,
  reason: ReasonName,
): NextStep {
  const { facts, breakers, grid } = assessment;
  if (reason === "paused") return { text: pausedText(assessment, processor, position), at: null };
  if (reason === "waiver_expired") return { text: expiredText(assessment, processor, position), at: null };
  if (reason === "circuit") {
    const circuit = facts.circuits[processor.repairUnit ?? -1] ?? closedCircuit;
    const probe = `one date probes it from ${formatInstant(circuit.probeAt)} on`;
    return {
      text: `the circuit of its repair is open (${circuit.cause}); ${probe}, or reconcile release closes it now`,
      at: circuit.probeAt,
    };
  }
  if (reason === "mass_gap") {
    const why = breakers.massGaps[processor.index] ?? breakers.overallMassGap ?? "";
    return {
      text: `${why}; repairs wait until the data is back or a person says: reconcile accept`,
      at: null,
    };
  }
  if (reason === "schedule") {
    return { text: doubtText(breakers, processor.schedule), at: null };
  }
  if (reason === "precondition") {
    const unit = grid.pipeline.repairUnits[processor.repairUnit ?? -1]?.name ?? "";
    const statement = assessment.sight.unmetPreconditions.get(unit) ?? "";
    return { text: `a precondition of its repair is not met: ${statement}`, at: null };
  }
  return { text: heldTexts[reason] ?? reason, at: null };
}

function doubtText({ scheduleFaults, scheduleChanges }: Breakers, schedule: string): string {
  const why = `its schedule is not believed: ${scheduleFaults.get(schedule) ?? ""}`;
  const isChange = (scheduleChanges.get(schedule)?.doubt ?? null) !== null;
  return isChange
    ? `${why}. Repairs wait until these dates return, or a person says with reconcile accept that they left the schedule`
    : `${why}. Repairs wait until the schedule has these dates, or its expect.max_gap allows the hole`;
}

function pausedText({ facts, grid }: Assessment, processor: Processor, position: number): string {
  const pause = facts.decisions.pausedBy(processor.name, grid.axis.first + position);
  const who = pause === null ? "a person" : `${pause.actor} (${pause.reason}) at ${formatInstant(pause.at)}`;
  return `its repairs are paused by ${who}; reconcile resume lets them go on`;
}

function expiredText({ facts, grid }: Assessment, processor: Processor, position: number): string {
  const day = grid.axis.first + position;
  const waiver = facts.decisions.waivers.findLast((candidate) =>
    waiverCovers(candidate, processor.name, day),
  );
  const whose =
    waiver === undefined
      ? "the waiver that covered it has expired"
      : `the waiver of ${waiver.owner} (${waiver.reason}) expired after ${waiver.expires}`;
  return `${whose}; renew it with reconcile waive, or take it back with unwaive`;
}
