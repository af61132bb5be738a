import { type CompiledPipeline, scheduleOf } from "../core/assessment.ts";
import { upstreamsOf } from "../core/assess-states.ts";
import { Disposition } from "../core/grid.ts";
import { type Day, fromDay } from "../core/iso-date.ts";
import type { PlannedJob } from "../core/plan.ts";
import type { Processor } from "../core/pipeline.ts";
import { staleReadings } from "../core/staleness.ts";
import { type PositionRange, windowAt } from "../core/windows.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import type { ProfileResult } from "./ports.ts";
import type { RunResult } from "./ports/executor.ts";
import type { Session } from "./session.ts";

/** A run, as far as its cells are looked at. */
export interface Proven {
  readonly context: ReconcileContext;
  readonly session: Session;
  readonly job: PlannedJob;
  /** Those that it fills. */
  readonly processors: readonly Processor[];
  /** Ends what runs. */
  readonly signal: AbortSignal;
}

/** The reason of an abort by which a person cancels a run; its message names the person. */
export class RepairCancelled extends Error {}

/** How often, at first and at most, the query is asked whether an accepted run has arrived. */
const proofPollMs = { first: 500, max: 15_000 };
const verifyAttempts = 3;
/** How long a process that is to end waits for the look that proves what its run has done. */
const lastLookMs = 5_000;

/**
 * What is looked at before and after a run: the processors that it fills, their same-date upstreams, those that tell whether
 * an empty date of them is complete, and those of whose empty dates they tell it.
 */
export function observedWith(compiled: CompiledPipeline, filled: readonly Processor[]): readonly Processor[] {
  const { references } = compiled.judging;
  const referredTo = (index: number) =>
    Object.values(references[index] ?? {}).flatMap((reference) => reference?.processor ?? []);
  const referring = compiled.pipeline.processors.filter(({ index }) =>
    referredTo(index).some((processor) => filled.includes(processor)),
  );
  const upstreams = filled.flatMap(({ edges }) =>
    edges
      .filter(({ window }) => window.kind === "same_date")
      .flatMap((edge) => upstreamsOf({ compiled }, edge)),
  );
  return [
    ...new Set([...filled, ...upstreams, ...filled.flatMap(({ index }) => referredTo(index)), ...referring]),
  ];
}

/**
 * Observes the cells and their same-date upstreams, and tells the session.
 * @throws ReconcilerError `warehouse_*`, `interrupted` where the signal aborts; the session knows nothing new then
 */
export async function look(run: Proven, days: readonly Day[], signal: AbortSignal): Promise<ProfileResult> {
  const [from, to] = [days[0] ?? 0, days.at(-1) ?? 0];
  const result = await run.context.warehouse.profile({
    processors: observedWith(run.context.compiled, run.processors),
    range: { start: fromDay(from), end: fromDay(to) },
    signal,
  });
  run.session.merge(result, from, to);
  return result;
}

/**
 * Observes what the cells read of other dates, as far as a change of it would outdate them: a month its days, a balance the date
 * before. One query for each range of dates that differs.
 * @throws ReconcilerError as `look`
 */
export async function lookAtOtherDates(
  run: Proven,
  days: readonly Day[],
  signal: AbortSignal,
): Promise<void> {
  for (const { upstreams, range } of otherDates(run, days)) {
    const result = await run.context.warehouse.profile({
      processors: upstreams,
      range: { start: fromDay(range.from), end: fromDay(range.to) },
      signal,
    });
    run.session.merge(result, range.from, range.to);
  }
}

function otherDates(run: Proven, days: readonly Day[]) {
  const assessment = run.session.assess(run.job.id);
  const { axis } = assessment.sight;
  const ranges = new Map<string, { range: PositionRange; upstreams: Set<Processor> }>();
  for (const processor of run.processors) {
    const own = scheduleOf(assessment, processor.index);
    for (const { upstream, window } of staleReadings(assessment, processor)) {
      if (window.kind === "same_date") continue;
      const read = days
        .map((day) => windowAt(window, scheduleOf(assessment, upstream.index), own, day - axis.first))
        .filter(({ from, to }) => from <= to);
      if (read.length === 0) continue;
      const from = axis.first + Math.min(...read.map((range) => range.from));
      const to = axis.first + Math.max(...read.map((range) => range.to));
      const known = ranges.get(`${from}/${to}`) ?? { range: { from, to }, upstreams: new Set() };
      ranges.set(`${from}/${to}`, known);
      known.upstreams.add(upstream);
    }
  }
  return [...ranges.values()].map(({ range, upstreams }) => ({ range, upstreams: [...upstreams] }));
}

/**
 * Asks the warehouse what is there now; for a run that was only accepted, again and again until every cell is complete
 * or its time is up. False where the warehouse did not answer: then nothing is proven.
 * @param deadline on the monotonic clock
 * @param over aborts where the run was ended before its time
 */
export async function verify(
  run: Proven,
  days: readonly Day[],
  result: RunResult,
  deadline: number,
  over: AbortSignal,
): Promise<boolean> {
  const { clock } = run.context;
  let wait = proofPollMs.first;
  for (;;) {
    const seen = await lookPatiently(run, days);
    if (result.kind !== "accepted" || over.aborted) return seen;
    const left = deadline - clock.monotonic();
    if (left <= 0 || (seen && isFilled(run, days))) return seen;
    await clock.sleep(Math.min(wait, left), over);
    wait = Math.min(wait * 2, proofPollMs.max);
  }
}

/** Whether the run was ended because its process is to end, and not by a person. */
export function isProcessEnding({ signal }: Pick<Proven, "signal">): boolean {
  return signal.aborted && !(signal.reason instanceof RepairCancelled);
}

async function lookPatiently(run: Proven, days: readonly Day[]): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    if (await isSeen(run, days)) return true;
    if (attempt === verifyAttempts || isProcessEnding(run)) return false;
    await run.context.clock.sleep(1000 * 2 ** (attempt - 1), run.signal);
  }
}

/** A warehouse that cannot be read leaves the run unproven; its end is recorded all the same. */
async function isSeen(run: Proven, days: readonly Day[]): Promise<boolean> {
  const limit = limitOnceEnding(run);
  try {
    const result = await look(run, days, limit.signal);
    return run.processors.every(({ name }) => result.processors.get(name)?.kind === "observed");
  } catch (error) {
    if (error instanceof ReconcilerError) return false;
    throw error;
  } finally {
    limit.end();
  }
}

/** Never aborts as long as the process goes on. */
function limitOnceEnding(run: Proven): { readonly signal: AbortSignal; readonly end: () => void } {
  const [limit, ended] = [new AbortController(), new AbortController()];
  const begin = (): void => {
    if (!isProcessEnding(run)) return;
    void run.context.clock.sleep(lastLookMs, ended.signal).then(() => limit.abort());
  };
  run.signal.addEventListener("abort", begin, { once: true, signal: ended.signal });
  begin();
  return { signal: limit.signal, end: () => ended.abort() };
}

function isFilled(run: Proven, days: readonly Day[]): boolean {
  const { grid } = run.session.assess(run.job.id);
  return run.processors.every(({ index }) =>
    days.every(
      (day) => grid.dispositions[index * grid.axis.length + day - grid.axis.first] === Disposition.none,
    ),
  );
}
