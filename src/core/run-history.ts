import type { Day } from "./iso-date.ts";
import type { LedgerFacts } from "./ledger-facts.ts";
import { memoByIdentity } from "./memo.ts";
import type { HistoryRun, RunHistoryObservation } from "./observation.ts";
import type { Pipeline, RunHistorySpec } from "./pipeline.ts";
import type { EpochMs } from "./wall-clock.ts";

/** A run of somebody else, as the run history tells of it. */
export interface RunElsewhere {
  /** Index of the processor. */
  readonly processor: number;
  readonly day: Day;
  readonly startedAt: EpochMs;
  /** From then on it is taken for dead. */
  readonly limitAt: EpochMs;
  readonly runId: string | null;
}

export interface RunsElsewhere {
  /** At most one of a cell: the one that started last. */
  readonly running: readonly RunElsewhere[];
  /** Said to be running for longer than they may: they count for nothing, and somebody should know of them. */
  readonly stale: readonly RunElsewhere[];
}

/** What the run history calls a processor. */
export function nameInHistory(spec: RunHistorySpec, processor: string): string {
  return spec.names[processor] ?? processor;
}

/**
 * The runs of others that may be under way, by processor in file order, then newest first. Runs of ours are none, and
 * neither is what a person said to be dead by a `retry` since.
 */
export function runsElsewhere(
  { runHistory: spec, processors }: Pipeline,
  history: RunHistoryObservation | null,
  facts: LedgerFacts,
  now: EpochMs,
): RunsElsewhere {
  if (spec === null || history === null) return { running: [], stale: [] };
  const open = openRuns(history.runs);
  const running: RunElsewhere[] = [];
  const stale: RunElsewhere[] = [];
  for (const { index, name } of processors) {
    const taken = new Set<Day>();
    for (const { day, startedAt, runId } of open.get(nameInHistory(spec, name)) ?? []) {
      if (facts.isOwnRun(index, day, startedAt)) continue;
      if (facts.rules(index, day).retriedAt > startedAt) continue;
      const run = { processor: index, day, startedAt, limitAt: startedAt + spec.runningMaxMs, runId };
      if (run.limitAt <= now) stale.push(run);
      else if (!taken.has(day)) {
        taken.add(day);
        running.push(run);
      }
    }
  }
  return { running, stale };
}

/** The runs without an end, each once, by the history's name of their processor; newest first. */
const openRuns = memoByIdentity((runs: readonly HistoryRun[]) => {
  const cells = new Map<string, HistoryRun[]>();
  for (const run of runs) {
    const key = `${run.day}/${run.name}`;
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, [run]);
    else cell.push(run);
  }
  const open = new Map<string, HistoryRun[]>();
  for (const cell of cells.values()) {
    for (const run of cell.filter((candidate, place) => isOpen(candidate, place, cell))) {
      const own = open.get(run.name) ?? [];
      open.set(run.name, own);
      own.push(run);
    }
  }
  for (const own of open.values()) own.sort((a, b) => b.startedAt - a.startedAt);
  return open;
});

/** A run without a row that ends it; nor did a later run of the cell come to an end, which none would beside it. */
function isOpen(run: HistoryRun, place: number, cell: readonly HistoryRun[]): boolean {
  if (run.kind !== "running") return false;
  return !cell.some((other, otherPlace) => {
    if (isSameRun(run, other)) return other.kind !== "running" || otherPlace < place;
    return (other.kind === "ended" || other.kind === "failed") && other.startedAt >= run.startedAt;
  });
}

function isSameRun(one: HistoryRun, other: HistoryRun): boolean {
  if (one.runId !== null || other.runId !== null) return one.runId === other.runId;
  return one.startedAt === other.startedAt;
}
