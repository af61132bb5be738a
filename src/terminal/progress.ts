import { clearScreenDown, cursorTo, moveCursor } from "node:readline";
import type { Assessment } from "../core/assessment.ts";
import { Disposition, type Grid, isSelected } from "../core/grid.ts";
import { type IsoDate, toDay } from "../core/iso-date.ts";
import type { RepairEnd, RepairStart } from "../core/ledger-records.ts";
import { messageOf } from "../errors.ts";
import { formatInstant } from "../core/wall-clock.ts";
import type { RunListener, RunProgress } from "../reconcile/once-options.ts";
import type { Terminal } from "./terminal.ts";
import { counted, formatCount, formatDates, formatSeconds } from "../presentation/numbers.ts";
import { displayWidth, painter, truncate } from "./text.ts";

export interface ProgressOptions extends Terminal {
  /** Shows nothing at all. */
  readonly quiet: boolean;
  /** Takes what would be a line of text, where the stream is for programs; null where people read it. */
  readonly log: ((progress: RunProgress) => void) | null;
  /** What is drawn is taken away when it aborts, so that what is said of a stop stands alone; later it is drawn below. */
  readonly signal?: AbortSignal;
  /** Milliseconds that never go back; the default is this process's clock. */
  readonly monotonic?: () => number;
}

/** What is asked of the stream that progress is written to. */
export type ProgressStream = NodeJS.WritableStream & { readonly columns?: number };

export interface Progress
  extends Omit<RunListener, "onCycleStarted" | "onRecorded" | "onRunning" | "onSurveysNotKept"> {
  /** Writes a line of somebody else, such as a log, above what is drawn. */
  readonly writeAbove: (text: string) => void;
  /** Takes away what is drawn and stops the clock. Idempotent. */
  readonly stop: () => void;
}

const redrawMs = 200;
const lineEveryMs = 10_000;
const runsShownMax = 6;
/** Before so many runs ended, their pace says nothing about the time left. */
const endsForPaceMin = 3;

/**
 * Shows a run while it goes on: on a terminal a bar with the time left and the running jobs, redrawn in place; elsewhere a
 * line every 10 seconds at most, or what the log makes of it. Nothing of it stays on the terminal after `stop`.
 */
export function createProgress(stream: ProgressStream, options: ProgressOptions): Progress {
  const monotonic = options.monotonic ?? (() => performance.now());
  const state = newState(monotonic());
  // A run that is over sooner needs no line between its start and its summary.
  let lastLineAt = state.startedAt;
  const region = createRegion(stream);
  let stopped = false;
  const width = () => Math.max(20, (stream.columns ?? options.columns) - 1);

  const draw = () => region.draw(liveLines(state, monotonic(), { ...options, columns: width() }));
  const show = () => {
    if (stopped || options.quiet) return;
    if (options.interactive) draw();
    else if (state.total > 0 && monotonic() - lastLineAt >= lineEveryMs) {
      lastLineAt = monotonic();
      if (options.log === null) stream.write(`${plainLine(state, lastLineAt)}\n`);
      else options.log(progressOf(state, lastLineAt));
    }
  };
  const timer = setInterval(show, options.interactive ? redrawMs : lineEveryMs);
  // Progress alone must not keep a process that is done.
  timer.unref();
  const writeAbove = (text: string) => {
    region.clear();
    stream.write(text);
    if (options.interactive && !options.quiet && !stopped) draw();
  };
  /** Without a terminal the log says it. */
  const say = (text: string) => {
    if (options.interactive && !options.quiet && !stopped) writeAbove(`${text}\n`);
  };
  const onAbort = () => region.clear();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  return {
    onCycle: () => show(),
    onPlanned: (assessment) => {
      observe(state, assessment);
      show();
    },
    onStarted: (start) => {
      state.waitingFor = null;
      state.running.set(start.repairId, { start, at: monotonic() });
      show();
    },
    onEnded: (end) => {
      ended(state, end);
      show();
    },
    // The signal was answered already.
    onStopping: () => undefined,
    onWaiting: (until) => {
      state.waitingFor = until === null ? "for what runs elsewhere" : `until ${formatInstant(until)}`;
      show();
    },
    onAsking: () =>
      say("another process plans, or may: it is asked for these repairs, and its workers do them"),
    onDegraded: (thrown) =>
      say(thrown === null ? "redis is back" : `waiting, nothing new begins: ${messageOf(thrown)}`),
    writeAbove,
    stop: () => {
      stopped = true;
      clearInterval(timer);
      options.signal?.removeEventListener("abort", onAbort);
      region.clear();
    },
  };
}

interface ProgressState {
  readonly startedAt: number;
  /** What the run is about; null before its first look. */
  grid: Grid | null;
  readonly running: Map<string, { readonly start: RepairStart; readonly at: number }>;
  /** Cells that this run repaired. */
  repaired: number;
  /** Cells that are still worked on, or wait for such ones. */
  left: number;
  total: number;
  runs: number;
  failures: number;
  lastFailure: string | null;
  /** In words; null while something goes on. */
  waitingFor: string | null;
}

function newState(startedAt: number): ProgressState {
  return {
    startedAt,
    grid: null,
    running: new Map(),
    repaired: 0,
    left: 0,
    total: 0,
    runs: 0,
    failures: 0,
    lastFailure: null,
    waitingFor: null,
  };
}

/** What can still be done: gaps that somebody is working on, and those that only wait for these. */
function observe(state: ProgressState, { grid }: Assessment): void {
  const { processors, from, to } = grid.selection;
  let left = 0;
  for (const processor of processors) {
    const base = processor * grid.axis.length;
    for (let cell = base + from; cell <= base + to; cell++) {
      if (grid.dispositions[cell] !== Disposition.none && grid.progressing[cell] === 1) left++;
    }
  }
  state.grid = grid;
  state.left = left;
  state.total = Math.max(state.total, state.repaired + left);
}

function ended(state: ProgressState, end: RepairEnd): void {
  state.running.delete(end.repairId);
  state.runs++;
  const repaired = end.cells.filter(
    ({ processor, date, outcome }) => outcome === "repaired" && isOwn(state.grid, processor, date),
  ).length;
  state.repaired += repaired;
  state.left = Math.max(0, state.left - repaired);
  if (end.outcome === "repaired" || end.outcome === "skipped") return;
  state.failures++;
  const why = end.errorCode === null ? "" : ` (${end.errorCode})`;
  state.lastFailure = `${end.repair} ${formatDates(end.dates)}: ${end.outcome.replace("_", " ")}${why}`;
}

/** A process that shares the work may do some of others' too. */
function isOwn(grid: Grid | null, processor: string, date: IsoDate): boolean {
  const index = grid?.pipeline.processors.find(({ name }) => name === processor)?.index;
  if (grid === null || index === undefined) return true;
  return isSelected(grid.selection, index, toDay(date) - grid.axis.first);
}

/** Seconds left by the pace so far; null while there is too little to go by. */
function secondsLeft(state: ProgressState, now: number): number | null {
  if (state.runs < endsForPaceMin || state.repaired === 0) return null;
  return ((now - state.startedAt) / 1000 / state.repaired) * state.left;
}

function liveLines(state: ProgressState, now: number, options: Terminal): readonly string[] {
  const paint = painter(options.color);
  if (state.total === 0) return [paint("dim", truncate("looking at the warehouse …", options.columns))];
  const text = ` ${countsText(state, now)}`;
  const barWidth = Math.min(30, options.columns - displayWidth(text));
  const share = state.total === 0 ? 0 : state.repaired / state.total;
  const filled = Math.round(share * barWidth);
  const bar =
    barWidth < 5 ? "" : paint("green", "█".repeat(filled)) + paint("dim", "░".repeat(barWidth - filled));
  const lines = [
    `${bar}${truncate(bar === "" ? text.trimStart() : text, options.columns - (bar === "" ? 0 : barWidth))}`,
  ];
  const runs = [...state.running.values()];
  for (const { start, at } of runs.slice(0, runsShownMax)) {
    const took = formatSeconds(Math.floor((now - at) / 1000));
    lines.push(truncate(`  ${start.repair}  ${formatDates(start.dates)}  ${took}`, options.columns));
  }
  if (runs.length > runsShownMax) lines.push(`  … and ${formatCount(runs.length - runsShownMax)} more`);
  if (runs.length === 0 && state.waitingFor !== null)
    lines.push(truncate(`  waiting ${state.waitingFor}`, options.columns));
  if (state.lastFailure !== null) {
    const failure = truncate(
      `  ${counted(state.failures, "failure")}, the last: ${state.lastFailure}`,
      options.columns,
    );
    lines.push(paint("yellow", failure));
  }
  return lines;
}

function progressOf(state: ProgressState, now: number): RunProgress {
  const { repaired, total, running, failures } = state;
  return { repaired, total, running: running.size, failures, secondsLeft: secondsLeft(state, now) };
}

function plainLine(state: ProgressState, now: number): string {
  const running = state.running.size === 0 ? "" : `, ${counted(state.running.size, "job")} running`;
  const failures = state.failures === 0 ? "" : `, ${counted(state.failures, "failure")}`;
  return `${countsText(state, now)}${running}${failures}`;
}

function countsText(state: ProgressState, now: number): string {
  const left = secondsLeft(state, now);
  const eta = left === null || state.left === 0 ? "" : `, about ${formatSeconds(Math.ceil(left))} left`;
  return `${formatCount(state.repaired)} of ${counted(state.total, "cell")} repaired${eta}`;
}

interface Region {
  readonly draw: (lines: readonly string[]) => void;
  readonly clear: () => void;
}

/**
 * Lines at the end of the terminal that are drawn over. Before each line is cleared, the cursor is put back to where the
 * first one started; it is never hidden, so that nothing has to be restored if the process is killed.
 */
function createRegion(stream: NodeJS.WritableStream): Region {
  let drawn = 0;
  const clear = () => {
    if (drawn === 0) return;
    // Ctrl-C leaves its `^C` where the cursor stood.
    cursorTo(stream, 0);
    moveCursor(stream, 0, -drawn);
    clearScreenDown(stream);
    drawn = 0;
  };
  return {
    clear,
    draw: (lines) => {
      clear();
      stream.write(`${lines.join("\n")}\n`);
      drawn = lines.length;
    },
  };
}
