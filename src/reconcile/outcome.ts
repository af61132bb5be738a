import { type Assessment, scheduleOf } from "../core/assessment.ts";
import { type Content, contentAt, isWorse, type RefusedDate } from "../core/audit.ts";
import { Changing, Disposition, State, stateName } from "../core/grid.ts";
import { type Day, fromDay, type IsoDate, toDay } from "../core/iso-date.ts";
import type { CellOutcome, Outcome, RepairEnd, RepairStart } from "../core/ledger-records.ts";
import { rowsAt, versionAt } from "../core/observed.ts";
import type { Processor, RepairUnit } from "../core/pipeline.ts";
import { seasonAt } from "../core/schedule.ts";
import { inputsOfRun, inputVersions, outdatesOf } from "../core/staleness.ts";
import { assertNever } from "../errors.ts";
import type { RunResult } from "./ports/executor.ts";

/** What the check before a run saw. */
export interface CellsBefore {
  readonly season: string | null;
  readonly cells: ReadonlyMap<string, CellSeen>;
}

interface CellSeen {
  readonly state: string;
  /** Whether the run is to fill it: a gap, or a cell that is carried forward. */
  readonly isOpen: boolean;
  readonly isGap: boolean;
  readonly rows: number;
  /** Null on a date that no grid has. */
  readonly content: Content | null;
  /** What tells its content from another, as far as the profile shows it. */
  readonly version: string;
  /** As `inputVersions` has them. */
  readonly inputs: Readonly<Record<string, string>>;
}

export function cellsBefore(
  assessment: Assessment,
  processors: readonly Processor[],
  days: readonly Day[],
): CellsBefore {
  const cells = new Map<string, CellSeen>();
  for (const processor of processors) {
    for (const day of days) cells.set(key(processor, day), seenAt(assessment, processor, day));
  }
  const [first] = processors;
  const schedule = first === undefined ? undefined : scheduleOf(assessment, first.index);
  const position = (days[0] ?? 0) - assessment.grid.axis.first;
  const season = schedule?.seasons[seasonAt(schedule, position)];
  return { season: season === undefined || season.name === "" ? null : season.name, cells };
}

export interface EndInput {
  readonly start: RepairStart;
  readonly before: CellsBefore;
  readonly result: RunResult;
  readonly unit: RepairUnit;
  readonly processors: readonly Processor[];
  /** Assessed from the observation after the run. */
  readonly after: Assessment;
  /** Whether that observation could be made. */
  readonly verified: boolean;
  readonly lostLock: boolean;
  /** Whether this process is stopping. */
  readonly stopped: boolean;
  /** Who cancelled the run, and why; null where nobody did. */
  readonly cancelledBy: string | null;
  readonly endedAt: number;
}

/**
 * What is recorded of a run. A cell is repaired if and only if the query says so, whatever the job said; only cells that
 * were open and still are can be charged.
 */
export function endOf(input: EndInput): RepairEnd {
  const { start, result } = input;
  // A look that the stop left no time for proves as little as a run that it ended.
  const isCutShort = result.kind === "cancelled" || !input.verified;
  const stopped = isCutShort && !input.lostLock && input.stopped;
  const cells = stopped ? repairedCells(input) : allCells(input);
  const worst = cells.find(({ outcome }) => outcome !== "repaired")?.outcome;
  const failure = failureOf(input);
  return {
    repairId: start.repairId,
    repair: start.repair,
    processors: start.processors,
    dates: start.dates,
    attempt: start.attempt,
    startedAt: start.startedAt,
    endedAt: input.endedAt,
    outcome: stopped ? "failed" : (worst ?? "repaired"),
    systemic: result.kind === "failed" ? result.systemic : null,
    errorCode: failure.code,
    message: failure.message,
    logTail: result.logTail,
    cells,
  };
}

function allCells(input: EndInput): CellOutcome[] {
  return input.processors.flatMap((processor) =>
    input.start.dates.flatMap((date) => {
      const day = toDay(date);
      const before = input.before.cells.get(key(processor, day));
      if (before === undefined || !before.isOpen) return [];
      const outcome = cellOutcome(input, processor, day, date, before);
      // A date that was only carried forward is as it was where the run did not work.
      const isUntouched = before.state === stateName(State.complete) && outcome.outcome !== "repaired";
      return isUntouched ? [] : [outcome];
    }),
  );
}

/** A stop is nobody's fault: what was filled before it counts, the rest is as if it had not been tried. */
function repairedCells(input: EndInput): CellOutcome[] {
  return allCells(input).filter(({ outcome }) => outcome === "repaired");
}

function cellOutcome(
  input: EndInput,
  processor: Processor,
  day: Day,
  date: CellOutcome["date"],
  before: CellSeen,
): CellOutcome {
  const after = seenAt(input.after, processor, day);
  const isRepaired =
    input.verified &&
    (wasWhole(before) ? isMadeAgain(input, processor, date, before, after) : isFilled(after));
  const moved = Object.entries(before.inputs).some(([name, version]) => after.inputs[name] !== version);
  const outcome: Outcome = isRepaired ? "repaired" : unrepairedOutcome(input, moved);
  const isKnown = before.content !== null && after.content !== null;
  const worse = input.verified && !isRepaired && isKnown && isWorse(before.content, after.content);
  return {
    processor: processor.name,
    date,
    outcome,
    charged: isCharged(input, outcome) && !isHeldByEarlier(input, date),
    worse: worse && outcome !== "lost_lock",
    stateBefore: before.state,
    stateAfter: after.state,
    rowsBefore: before.rows,
    rowsAfter: after.rows,
    batchDates: input.start.dates.length,
    repairHash: input.unit.hash,
    expectationHash: processor.expect.hash,
    inputs: isRepaired ? inputsMade(input, processor, day, before) : before.inputs,
    outdates: isRepaired ? outdatesOf(input.after, processor, day, filledBy(input)) : {},
    notBefore: notBefore(input),
  };
}

/** Whether nothing was wrong with the cell but what it was computed from. */
function wasWhole({ state }: CellSeen): boolean {
  return state === "stale" || state === "complete";
}

/**
 * What the run is to answer for is not on record yet: a cell that it filled can still look outdated by an earlier repair, or
 * as if it were to be carried forward once more.
 */
function isFilled(after: CellSeen): boolean {
  return wasWhole(after) || (!after.isGap && after.state !== stateName(State.unknown));
}

/**
 * A cell that was whole before and after cannot be told by what it lacks: its run must have ended well and, where that can be
 * seen, have written. SQL repairs do both or nothing, and may copy their time of writing from what they read.
 */
function isMadeAgain(
  { result, unit }: EndInput,
  processor: Processor,
  date: IsoDate,
  before: CellSeen,
  after: CellSeen,
): boolean {
  if (!wasWhole(after)) return false;
  const hasChanged = after.version !== before.version;
  if (result.kind === "accepted") return hasChanged;
  if (result.kind !== "succeeded" || result.refused?.some((refused) => refused.date === date)) return false;
  return hasChanged || processor.writtenAtColumn === null || unit.action.kind === "sql";
}

/** Whether the run filled a cell, and so from what it changed itself. */
function inputsMade(
  input: EndInput,
  processor: Processor,
  day: Day,
  { inputs }: CellSeen,
): CellOutcome["inputs"] {
  const position = day - input.after.grid.axis.first;
  return inputsOfRun(input.after, processor, position, { before: inputs, filled: filledBy(input) });
}

function filledBy({ unit, start }: EndInput): (processor: number, day: Day) => boolean {
  const days = new Set(start.dates.map(toDay));
  return (processor, day) => unit.processors.includes(processor) && days.has(day);
}

function unrepairedOutcome(input: EndInput, moved: boolean): Outcome {
  const { result } = input;
  if (input.lostLock || (result.kind === "failed" && result.classification === "fenced")) return "lost_lock";
  if (moved) return "inputs_moved";
  switch (result.kind) {
    case "succeeded":
      return "ineffective";
    case "accepted":
    case "timed_out":
      return "timed_out";
    case "cancelled":
      return input.cancelledBy === null ? "lost_lock" : "failed";
    case "failed":
      // Which date of several the error is about is not known, so it is looked for by halving first.
      return result.classification === "permanent" && input.start.dates.length === 1
        ? "failed_permanently"
        : "failed";
    default:
      return assertNever(result, "run result");
  }
}

function isCharged({ result }: EndInput, outcome: Outcome): boolean {
  if (outcome === "repaired" || outcome === "lost_lock" || outcome === "inputs_moved") return false;
  if (result.kind === "cancelled") return false;
  return !(result.kind === "failed" && result.classification === "systemic");
}

/** A date that was left as it was because of an earlier one has done nothing wrong itself. */
function isHeldByEarlier({ result }: EndInput, date: IsoDate): boolean {
  const refused = result.kind === "succeeded" ? (result.refused ?? []) : [];
  return refused.some((entry) => entry.date === date && entry.after !== undefined);
}

function notBefore({ result, endedAt }: EndInput): number | null {
  return result.kind === "failed" && result.retryAfterMs !== null ? endedAt + result.retryAfterMs : null;
}

function failureOf(input: EndInput): { code: string | null; message: string | null } {
  const { result } = input;
  if (!input.verified)
    return { code: "not_verified", message: "the warehouse did not answer, so nothing is proven" };
  switch (result.kind) {
    case "succeeded":
      return refusedText(result.refused ?? [], input.start.dates.length);
    case "accepted":
      return { code: null, message: result.handle === null ? null : `accepted as ${result.handle}` };
    case "timed_out":
      return { code: "timed_out", message: result.message };
    case "cancelled":
      if (input.lostLock) return { code: "lost_lock", message: "stopped, as its lock was lost" };
      return { code: "cancelled", message: input.cancelledBy ?? "stopped before it ended" };
    case "failed":
      return { code: result.errorCode, message: result.message };
    default:
      return assertNever(result, "run result");
  }
}

/** So many dates are named: a message is one line. */
const refusedNamedMax = 40;

/** What a run left as it was: it is the reason why its dates are still open. */
function refusedText(
  refused: readonly RefusedDate[],
  dates: number,
): { code: string | null; message: string | null } {
  if (refused.length === 0) return { code: null, message: null };
  const named = refused.slice(0, refusedNamedMax).map(({ date, reason }) => `${date}: ${reason}`);
  const more = refused.length - named.length;
  const which = dates === 1 ? "not published" : `${refused.length} of ${dates} dates not published`;
  const message = `${which}; ${named.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
  return { code: "not_published", message };
}

function seenAt(assessment: Assessment, processor: Processor, day: Day): CellSeen {
  const { grid, sight } = assessment;
  const position = day - grid.axis.first;
  const cell = processor.index * grid.axis.length + position;
  const observed = sight.observed[processor.index];
  const isGap = grid.dispositions[cell] !== Disposition.none;
  return {
    state: stateName(grid.states[cell] ?? 0),
    isOpen: isGap || grid.changing[cell] === Changing.carried,
    isGap,
    rows: observed === undefined ? 0 : rowsAt(observed, position),
    content: contentAt(assessment, processor, day),
    version: observed === undefined ? "" : versionAt(observed, position),
    inputs: inputVersions(assessment, processor, position),
  };
}

function key(processor: Processor, day: Day): string {
  return `${processor.name}/${fromDay(day)}`;
}
