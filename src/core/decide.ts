import { ReconcilerError } from "../errors.ts";
import { type Assessment, positionsOf } from "./assessment.ts";
import { waiverCovers } from "./decisions.ts";
import { dateAt, Disposition, reasonName, State, meetsExpectation } from "./grid.ts";
import type { IsoDate } from "./iso-date.ts";
import type { Decision, DecisionKind } from "./ledger-records.ts";
import type { Processor } from "./pipeline.ts";
import { canRecompute } from "./staleness.ts";
import type { EpochMs } from "./wall-clock.ts";

/** What a person asks for, before it is decided. */
export interface DecisionRequest {
  readonly kind: DecisionKind;
  /** Null means every processor. */
  readonly processors: readonly string[] | null;
  /** Null means from the first or up to the last date; both ends included. */
  readonly startDate: IsoDate | null;
  readonly endDate: IsoDate | null;
  readonly actor: string;
  readonly reason: string;
  /** For `waive` only. */
  readonly waiver: Decision["waiver"];
}

/** What a decision would do if it were taken now. */
export interface DecisionPreview {
  readonly kind: DecisionKind;
  /** One sentence: what it does. */
  readonly effect: string;
  /** By processor in file order; only those that it does something to. */
  readonly touched: readonly TouchedProcessor[];
  /** What it does not do, though somebody may expect it. */
  readonly notes: readonly string[];
}

export interface TouchedProcessor {
  readonly processor: string;
  /** Ascending; empty where it is about the processor as a whole. */
  readonly dates: readonly IsoDate[];
  /** Why it is touched, for what is about the processor as a whole. */
  readonly detail: string | null;
}

/** Whether somebody who reads of it later has to be told why. */
export const needsReason: Readonly<Record<DecisionKind, boolean>> = {
  waive: true,
  unwaive: false,
  retry: false,
  release: true,
  accept: true,
  pause: true,
  resume: false,
  cancel: false,
  rebuild: true,
};

/** The decision as the ledger keeps it. */
export function decisionOf(request: DecisionRequest, now: EpochMs, id: string): Decision {
  return { ...request, id, at: now };
}

/**
 * What a decision would do to the cells as they stand.
 * @throws ReconcilerError `usage` where it is incomplete, or would do nothing
 */
export function previewDecision(assessment: Assessment, request: DecisionRequest): DecisionPreview {
  checkRequest(request);
  const effect = effects[request.kind];
  const processors = assessment.grid.pipeline.processors.filter(
    ({ name }) => request.processors === null || request.processors.includes(name),
  );
  const touched = processors.flatMap((processor) => effect.touch(assessment, processor, request) ?? []);
  if (touched.length === 0) {
    throw new ReconcilerError("usage", `nothing to ${request.kind}: ${effect.nothing}`, {
      hint: effect.hint,
    });
  }
  return {
    kind: request.kind,
    effect: effect.text(request),
    touched,
    notes: effect.notes?.(assessment, processors, request) ?? [],
  };
}

function checkRequest({ kind, processors, startDate, endDate, waiver }: DecisionRequest): void {
  if (startDate !== null && endDate !== null && endDate < startDate) {
    throw new ReconcilerError("usage", `the selection ends on ${endDate}, before it starts on ${startDate}`, {
      hint: "both ends are included; swap them",
    });
  }
  if (
    kind === "waive" &&
    (processors === null || startDate === null || endDate === null || waiver === null)
  ) {
    throw new ReconcilerError("usage", "expected processors, a first and a last date to waive", {
      hint: "a waiver without an end would hide what breaks later; name its range with --start-date and --end-date",
    });
  }
  if ((kind === "release" || kind === "accept") && (startDate !== null || endDate !== null)) {
    throw new ReconcilerError("usage", `${kind} is about processors as a whole, found dates`, {
      hint: "leave --start-date and --end-date out",
    });
  }
}

interface Effect {
  readonly text: (request: DecisionRequest) => string;
  readonly touch: (
    assessment: Assessment,
    processor: Processor,
    request: DecisionRequest,
  ) => TouchedProcessor | null;
  /** Why there may be nothing. */
  readonly nothing: string;
  readonly hint: string;
  readonly notes?: (
    assessment: Assessment,
    processors: readonly Processor[],
    request: DecisionRequest,
  ) => readonly string[];
}

const effects: Readonly<Record<DecisionKind, Effect>> = {
  waive: {
    text: waiveText,
    touch: cellsWhere(({ grid }, cell) => {
      const state: number = grid.states[cell] ?? State.unscheduled;
      return state !== State.unscheduled && state !== State.unexpected;
    }),
    nothing: "no date of the selection is scheduled",
    hint: "see which dates there are with reconcile status",
    notes: waiveNotes,
  },
  unwaive: {
    text: () => "these cells are no longer waived: what is not complete becomes a gap",
    touch: cellsWhere(({ facts, grid }, _cell, processor, position) =>
      facts.decisions.waivers.some(
        (waiver) =>
          waiver.source === "ledger" && waiverCovers(waiver, processor.name, grid.axis.first + position),
      ),
    ),
    nothing: "no waiver that was recorded by a command covers the selection",
    hint: "waivers of the config are taken back there",
    notes: unwaiveNotes,
  },
  retry: {
    text: () => "their attempts so far no longer count: the next run tries them again at once",
    touch: cellsWhere(({ grid, facts }, cell, processor, position) => {
      const disposition: number = grid.dispositions[cell] ?? Disposition.none;
      if (disposition === Disposition.quarantined || disposition === Disposition.backingOff) return true;
      if (reasonName(grid.reasons[cell] ?? 0) === "elsewhere") return true;
      const { charged } = facts.cellFacts(processor.index, grid.axis.first + position);
      return disposition !== Disposition.none && charged > 0;
    }),
    nothing: "no gap of the selection is quarantined, backs off, runs elsewhere or has attempts that count",
    hint: "see where gaps stand with reconcile status",
  },
  release: {
    text: () => "the circuits of these repairs close: they run again at once",
    touch: ({ grid, facts }, processor) => {
      const circuit = facts.circuits[processor.repairUnit ?? -1];
      if (circuit === undefined || circuit.state === "closed") return null;
      const repair = grid.pipeline.repairUnits[processor.repairUnit ?? -1]?.name ?? "";
      const detail = `the circuit of ${repair} is ${circuit.state.replace("_", "-")}: ${circuit.cause}`;
      return { processor: processor.name, dates: [], detail };
    },
    nothing: "no circuit of the selection is open",
    hint: "see what is held, and why, with reconcile status",
  },
  accept: {
    text: () => "what is seen now is believed: repairs go on, and the next cycle makes it the baseline",
    touch: ({ breakers }, processor) => {
      const doubt = breakers.scheduleChanges.get(processor.schedule)?.doubt ?? null;
      const detail =
        breakers.massGaps[processor.index] ??
        breakers.overallMassGap ??
        (doubt === null ? null : `${doubt}; nothing will be expected on these dates`);
      return detail === null ? null : { processor: processor.name, dates: [], detail };
    },
    nothing: "nothing speaks against what is seen of the selection",
    hint: "accept is for a mass gap, or a schedule that lost many dates; a schedule with a hole needs its dates, or a larger expect.max_gap",
  },
  pause: {
    text: () => "no repair of these cells starts until resume; runs that are under way go on",
    touch: cellsWhere(
      ({ grid, facts }, cell, processor, position) =>
        grid.states[cell] !== State.unscheduled &&
        facts.decisions.pausedBy(processor.name, grid.axis.first + position) === null,
    ),
    nothing: "all of the selection is paused already, or none of its dates is scheduled",
    hint: "reconcile resume lets it go on",
  },
  resume: {
    text: () => "repairs of these cells go on",
    touch: cellsWhere(
      ({ grid, facts }, cell, processor, position) =>
        grid.states[cell] !== State.unscheduled &&
        facts.decisions.pausedBy(processor.name, grid.axis.first + position) !== null,
    ),
    nothing: "nothing of the selection is paused",
    hint: "see what is held, and why, with reconcile status",
  },
  cancel: {
    text: () =>
      "the runs of these cells are asked to stop; the cells are tried again later, unless they are paused",
    touch: cellsWhere(({ inFlight, grid }, _cell, processor, position) =>
      inFlight.some(
        (run) => run.processors.includes(processor.index) && run.days.includes(grid.axis.first + position),
      ),
    ),
    nothing: "no repair of the selection is running",
    hint: "see what is running with reconcile status",
  },
  rebuild: {
    text: () => "these stale cells become gaps: the next run computes them again, and what that outdates",
    touch: cellsWhere(
      (assessment, cell, processor) =>
        assessment.grid.states[cell] === State.stale && canRecompute(assessment, processor),
    ),
    nothing: "no stale cell of the selection has a repair that replaces what is there",
    hint: "see which cells are stale with reconcile status; a stale cell that is a gap is computed again anyway",
  },
};

type CellTest = (assessment: Assessment, cell: number, processor: Processor, position: number) => boolean;

/** The cells of the requested range for which a test holds. */
function cellsWhere(test: CellTest): Effect["touch"] {
  return (assessment, processor, { startDate, endDate }) => {
    const { axis } = assessment.grid;
    const { from, to } = positionsOf(axis, startDate, endDate);
    const dates: IsoDate[] = [];
    for (let position = from; position <= to; position++) {
      if (test(assessment, processor.index * axis.length + position, processor, position))
        dates.push(dateAt(axis, position));
    }
    return dates.length === 0 ? null : { processor: processor.name, dates, detail: null };
  };
}

function waiveText({ waiver }: DecisionRequest): string {
  const expires = waiver?.expires ?? null;
  const until = expires === null ? "until it is taken back" : `up to and with ${expires}`;
  const downstream =
    waiver?.downstream === "proceed"
      ? "what depends on them runs on what there is"
      : "what depends on them is exempt too";
  return `what is not complete of these cells is no gap, ${until}; ${downstream}`;
}

function waiveNotes(
  assessment: Assessment,
  processors: readonly Processor[],
  request: DecisionRequest,
): readonly string[] {
  const { grid } = assessment;
  const { from, to } = positionsOf(grid.axis, request.startDate, request.endDate);
  let [complete, gaps] = [0, 0];
  for (const { index } of processors) {
    for (let position = from; position <= to; position++) {
      const cell = index * grid.axis.length + position;
      const state: number = grid.states[cell] ?? State.unscheduled;
      if (meetsExpectation(state ?? 0)) complete++;
      if (grid.dispositions[cell] !== Disposition.none) gaps++;
    }
  }
  const notes = [gaps === 1 ? "1 of them is a gap now" : `${gaps} of them are gaps now`];
  if (complete > 0) notes.push(`${complete} of them are complete and stay so: a waiver hides no data`);
  const last = dateAt(grid.axis, grid.axis.length - 1);
  if (request.endDate !== null && request.endDate > last) {
    notes.push(`dates after ${last} are covered too, once they are scheduled`);
  }
  return notes;
}

function unwaiveNotes(
  { facts, grid }: Assessment,
  processors: readonly Processor[],
  { startDate, endDate }: DecisionRequest,
): readonly string[] {
  const { from, to } = positionsOf(grid.axis, startDate, endDate);
  const inConfig = processors.filter((processor) => {
    const base = processor.index * grid.axis.length;
    return facts.decisions.waivers.some((waiver) => {
      if (waiver.source !== "config" || !waiver.processors.includes(processor.name)) return false;
      for (let position = from; position <= to; position++) {
        const isWaived =
          grid.states[base + position] === State.exempt &&
          reasonName(grid.reasons[base + position] ?? 0) === "waived";
        if (isWaived && waiverCovers(waiver, processor.name, grid.axis.first + position)) return true;
      }
      return false;
    });
  });
  return inConfig.map(({ name }) => `${name} stays waived where the config says so`);
}
