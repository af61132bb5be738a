import { upstreamsOf } from "./assess-states.ts";
import { type Assessment, scheduleOf } from "./assessment.ts";
import { compileEdge, type EdgeJudge } from "./edges.ts";
import { Disposition, type Grid, isGapState, type ReasonName, reasonCode, State } from "./grid.ts";
import { versionAt } from "./observed.ts";
import type { Processor, RepairUnit } from "./pipeline.ts";
import type { CellFacts } from "./retry-policy.ts";
import { minuteOfDayAt } from "./wall-clock.ts";

const dayMs = 86_400_000;

/** Says of every gap where it stands, upstreams first: a gap downstream depends on where its upstream gaps stand. */
export function assessDispositions(assessment: Assessment, waiverExpired: Uint8Array): void {
  const { grid } = assessment;
  for (const index of grid.graph.order) {
    const processor = grid.pipeline.processors[index];
    if (processor !== undefined) disposeProcessor(assessment, processor, waiverExpired);
  }
}

function disposeProcessor(assessment: Assessment, processor: Processor, waiverExpired: Uint8Array): void {
  const { grid } = assessment;
  const base = processor.index * grid.axis.length;
  const gaps: number[] = [];
  const staleIsGap = processor.stale === "repair";
  for (let position = 0; position < grid.axis.length; position++) {
    if (isGapState(grid.states[base + position] ?? 0, staleIsGap)) gaps.push(position);
  }
  if (gaps.length === 0) return;
  const inFlight = inFlightOf(assessment, processor);
  const edges = processor.edges.map((edge) =>
    compileEdge(assessment, { ...grid, proceeds: assessment.proceeds }, processor, edge),
  );
  const held = processorHold(assessment, processor);
  const chain = processor.chronological ? newChain(assessment, processor) : null;
  for (const position of gaps) {
    const cell = base + position;
    const flight = inFlight[position];
    if (flight === Disposition.running || flight === Disposition.queued) set(grid, cell, flight, "", 1);
    else {
      disposeCell({
        assessment,
        processor,
        position,
        cell,
        edges,
        held,
        chain,
        waiverExpired: waiverExpired[cell] === 1,
      });
    }
    chain?.pass(position, cell);
  }
}

interface CellCase {
  readonly assessment: Assessment;
  readonly processor: Processor;
  readonly position: number;
  readonly cell: number;
  readonly edges: readonly EdgeJudge[];
  readonly held: ReasonName | null;
  readonly chain: Chain | null;
  readonly waiverExpired: boolean;
}

/** Unrepairable, quarantined, blocked, held, backing off, ready: the first that applies. */
function disposeCell(at: CellCase): void {
  const { assessment, processor, position, cell } = at;
  const { grid } = assessment;
  const unit = grid.pipeline.repairUnits[processor.repairUnit ?? -1];
  const day = grid.axis.first + position;
  const unrepairable = unrepairableReason(assessment, processor, unit, day, grid.states[cell] ?? 0);
  if (unrepairable !== null || unit === undefined) {
    set(grid, cell, Disposition.unrepairable, unrepairable ?? "no_repair", 0);
    return;
  }
  const facts = assessment.facts.cellFacts(processor.index, day);
  const isProbe = facts.quarantine !== null && mayProbe(assessment, processor, position, facts);
  if (facts.quarantine !== null && !isProbe) {
    set(grid, cell, Disposition.quarantined, facts.quarantine.cause, 0);
    return;
  }
  const verdicts = at.edges.map((judge) => judge(position));
  const open = verdicts.filter(({ satisfied }) => !satisfied);
  if (open.length > 0) {
    set(grid, cell, Disposition.blocked, "upstream", open.every(({ progressing }) => progressing) ? 1 : 0);
    return;
  }
  const stopper = at.chain?.stopper(position) ?? -1;
  if (stopper >= 0) {
    set(grid, cell, Disposition.blocked, "chronological", grid.progressing[stopper] ?? 0);
    return;
  }
  if (verdicts.some(({ degraded }) => degraded)) grid.degraded[cell] = 1;
  const hold = cellHold(at, day);
  if (hold !== null) set(grid, cell, Disposition.held, hold, 0);
  else if (!isProbe && !assessment.policy.ignoreBackoff && facts.notBefore > assessment.now)
    set(grid, cell, Disposition.backingOff, "backoff", 1);
  else set(grid, cell, Disposition.ready, isProbe ? "probe" : "", 1);
}

function set(grid: Grid, cell: number, disposition: number, reason: ReasonName, progressing: number): void {
  grid.dispositions[cell] = disposition;
  grid.reasons[cell] = reasonCode(reason);
  grid.progressing[cell] = progressing;
}

function unrepairableReason(
  assessment: Assessment,
  processor: Processor,
  unit: RepairUnit | undefined,
  day: number,
  state: number,
): ReasonName | null {
  if (unit === undefined) return "no_repair";
  if (state !== State.missing && !unit.replaces) return "repair_does_not_replace";
  if (processor.sourceRetentionMs !== null && assessment.now > day * dayMs + processor.sourceRetentionMs) {
    return "source_expired";
  }
  return null;
}

/** A quarantined cell gets one more try when the content of its own-date inputs changed since the last one. */
function mayProbe(assessment: Assessment, processor: Processor, position: number, facts: CellFacts): boolean {
  if (facts.lastInputs === null || assessment.now < facts.probeNotBefore) return false;
  const inputs = processor.edges.filter(({ window }) => window.kind === "same_date");
  return inputs
    .flatMap((edge) => upstreamsOf(assessment, edge))
    .some((upstream) => {
      const observed = assessment.sight.observed[upstream.index];
      const recorded = facts.lastInputs?.[upstream.name];
      if (observed === undefined || observed.failure !== null || recorded === undefined) return false;
      return recorded !== versionAt(observed, position);
    });
}

/** What holds every cell of a processor, the first that applies after the cell's own reasons. */
function processorHold(assessment: Assessment, processor: Processor): ReasonName | null {
  const { facts, breakers, now } = assessment;
  const { budgets, timezone, repairUnits } = assessment.compiled.pipeline;
  if (budgets.repairsPerDay !== null && facts.startsLast24h >= budgets.repairsPerDay) return "budget";
  if (facts.circuits[processor.repairUnit ?? -1]?.state === "open") return "circuit";
  if (breakers.overallMassGap !== null || breakers.massGaps[processor.index] !== null) return "mass_gap";
  if (breakers.scheduleFaults.has(processor.schedule)) return "schedule";
  const unit = repairUnits[processor.repairUnit ?? -1];
  if (unit === undefined) return null;
  if (assessment.sight.unmetPreconditions.has(unit.name)) return "precondition";
  const minute = minuteOfDayAt(now, timezone);
  const inWindow = ({ startMinute, endMinute }: RepairUnit["windows"][number]) =>
    startMinute <= endMinute
      ? minute >= startMinute && minute < endMinute
      : minute >= startMinute || minute < endMinute;
  return unit.windows.length > 0 && !unit.windows.some(inWindow) ? "repair_window" : null;
}

function cellHold(at: CellCase, day: number): ReasonName | null {
  const { assessment, processor, position } = at;
  const { selection } = assessment.grid;
  const selected =
    selection.processors.has(processor.index) && position >= selection.from && position <= selection.to;
  if (!selected) return "not_selected";
  const { maxAgeMs } = assessment.policy;
  if (maxAgeMs !== null && assessment.now - day * dayMs > maxAgeMs) return "age";
  if (assessment.facts.decisions.pausedBy(processor.name, day) !== null) return "paused";
  if (at.waiverExpired) return "waiver_expired";
  return at.held;
}

/** The codes of cells of this processor that are queued or running, by position. */
function inFlightOf(assessment: Assessment, processor: Processor): Uint8Array {
  const flags = new Uint8Array(assessment.grid.axis.length);
  for (const run of assessment.inFlight) {
    if (!run.processors.includes(processor.index)) continue;
    const code = run.state === "running" ? Disposition.running : Disposition.queued;
    for (const day of run.days) {
      const position = day - assessment.grid.axis.first;
      if (position < 0 || position >= flags.length) continue;
      flags[position] = flags[position] === Disposition.running ? Disposition.running : code;
    }
  }
  return flags;
}

/** A chronological processor's open dates, oldest first: what stops the chain in a season stops all that follows. */
interface Chain {
  /** The cell that stops the chain before this position; -1 where none does. */
  readonly stopper: (position: number) => number;
  readonly pass: (position: number, cell: number) => void;
}

function newChain(assessment: Assessment, processor: Processor): Chain {
  const { grid } = assessment;
  const schedule = scheduleOf(assessment, processor.index);
  const stoppers = new Map<number, number>();
  const seasonAt = (position: number) => schedule.season[position] ?? -1;
  const passesOver = (disposition: number | undefined) =>
    disposition === Disposition.ready ||
    (processor.onPoison === "continue" &&
      (disposition === Disposition.quarantined || disposition === Disposition.unrepairable));
  return {
    stopper: (position) => stoppers.get(seasonAt(position)) ?? -1,
    pass: (position, cell) => {
      const season = seasonAt(position);
      if (!stoppers.has(season) && !passesOver(grid.dispositions[cell])) stoppers.set(season, cell);
    },
  };
}
