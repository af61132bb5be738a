import { metricsOf, type ProcessorObservation, type Profile } from "../../core/observation.ts";
import type { Day } from "../../core/iso-date.ts";
import type { Processor } from "../../core/pipeline.ts";
import { type ErrorCode, messageOf, ReconcilerError } from "../../errors.ts";
import type { ResultColumns } from "./columns.ts";
import type { DayCounts } from "./day-counts.ts";
import { eachOf } from "./each-of.ts";
import { pick } from "./pick.ts";
import { fixedColumns } from "./profile-arm.ts";
import { failureCodeOf, QueryError } from "./query-error.ts";
import { Unobservable } from "./source.ts";

/** More arms in one statement cost a warehouse's planner more than they save. */
const armsPerStatement = 50;

export interface ProfileRun {
  /** Builds the arm of one processor alone. @throws what tells that it cannot be observed. */
  check(processor: Processor): void;
  /**
   * Runs one statement with an arm for each; metrics are padded to `width`. By column: the arm, the day, then numbers; in the
   * order of arm and day.
   */
  run(chunk: readonly Processor[], width: number, timeoutMs: number): Promise<ResultColumns | PartialAnswer>;
  /** Of one statement. After a timeout its processors are asked one by one, within twice this time together. */
  readonly timeoutMs: number;
  readonly statementsAtOnce: number;
  /** The days that a processor is profiled on; rows of other days are only counted. */
  daysOf(processor: Processor): readonly { readonly from: Day; readonly to: Day }[];
}

/** A statement that did not see all of some processors. */
export interface PartialAnswer {
  readonly rows: ResultColumns;
  /** Those of which it did not, and why. */
  readonly refused: ReadonlyMap<Processor, QueryError>;
  /** Those of which that is only known once they are asked alone. */
  readonly doubtful: readonly Processor[];
}

export interface Profiled {
  readonly processors: Map<string, ProcessorObservation>;
  /** Rows on other days, of the processors that were observed. */
  readonly outside: ReadonlyMap<string, DayCounts>;
}

/**
 * Profiles each processor; one that cannot be is `failed`, with the others observed all the same.
 * @throws ReconcilerError `interrupted` when called off; the outage where there was one and nothing at all could be read.
 */
export async function profileAll(processors: readonly Processor[], run: ProfileRun): Promise<Profiled> {
  const found = new Map<string, ProcessorObservation>();
  const outside = new Map<string, DayCounts>();
  const outages: ReconcilerError[] = [];
  const able: Processor[] = [];
  for (const processor of processors) {
    // Built once alone: what is missing, or not one whole expression, is known before anything runs.
    const failure = failureOf(() => run.check(processor));
    if (failure === null) able.push(processor);
    else found.set(processor.name, failure);
  }
  await eachOf(chunksOf(able), run.statementsAtOnce, (chunk) =>
    profileChunk(chunk, { run, found, outside, outages }, run.timeoutMs),
  );
  const [outage] = outages;
  if (outage !== undefined && ![...found.values()].some(({ kind }) => kind === "observed")) throw outage;
  return { processors: found, outside };
}

/** What one statement profiles each. */
export function chunksOf<T>(all: readonly T[]): readonly (readonly T[])[] {
  const chunks: (readonly T[])[] = [];
  for (let start = 0; start < all.length; start += armsPerStatement) {
    chunks.push(all.slice(start, start + armsPerStatement));
  }
  return chunks;
}

interface Progress {
  readonly run: ProfileRun;
  readonly found: Map<string, ProcessorObservation>;
  readonly outside: Map<string, DayCounts>;
  readonly outages: ReconcilerError[];
}

const noneRefused = { refused: new Map<Processor, QueryError>(), doubtful: [] };

/** On an error each half is asked alone, down to the one processor that is at fault. */
async function profileChunk(
  chunk: readonly Processor[],
  progress: Progress,
  timeoutMs: number,
): Promise<void> {
  const { run, found, outages } = progress;
  try {
    const width = widthOf(chunk);
    const answer = await run.run(chunk, width, timeoutMs);
    const { rows, refused, doubtful } = "refused" in answer ? answer : { ...noneRefused, rows: answer };
    for (const [processor, whole] of splitByArm(rows, chunk, width)) {
      const refusal = refused.get(processor);
      if (refusal !== undefined) found.set(processor.name, failed(refusal));
      if (refusal !== undefined || doubtful.includes(processor)) continue;
      const { profile, others } = splitByDay(whole, run.daysOf(processor));
      found.set(processor.name, { kind: "observed", profile, unseen: null });
      progress.outside.set(processor.name, others);
    }
    for (const processor of doubtful) await profileChunk([processor], progress, timeoutMs);
  } catch (error) {
    const [only] = chunk;
    if (only === undefined || !isOfStatement(error)) throw error;
    if (outageCodes.has(error.code) && !(error instanceof QueryError)) {
      // The next statement would meet the same, after the same waiting.
      outages.push(error);
      for (const { name } of chunk) found.set(name, failed(error));
    } else if (chunk.length === 1) {
      found.set(only.name, failed(error));
    } else if (error instanceof QueryError) {
      const middle = Math.ceil(chunk.length / 2);
      await profileChunk(chunk.slice(0, middle), progress, timeoutMs);
      await profileChunk(chunk.slice(middle), progress, timeoutMs);
    } else {
      await profileOneByOne(chunk, progress);
    }
  }
}

/** The metrics of the arm that has most. */
export function widthOf(chunk: readonly Processor[]): number {
  return Math.max(...chunk.map(({ expect }) => metricsOf(expect).length));
}

/** After a timeout: halving would wait for the slow one again and again. */
async function profileOneByOne(chunk: readonly Processor[], progress: Progress): Promise<void> {
  const { timeoutMs } = progress.run;
  const deadline = performance.now() + 2 * timeoutMs;
  for (const processor of chunk) {
    const leftMs = deadline - performance.now();
    // One slow table may take half of what there is, so that those after it have their turn.
    await profileChunk([processor], progress, Math.max(1, Math.floor(Math.min(timeoutMs, leftMs / 2))));
  }
}

/** The warehouse itself is away or refuses everything. */
const outageCodes: ReadonlySet<ErrorCode> = new Set([
  "warehouse_credentials",
  "warehouse_permission",
  "warehouse_quota",
  "warehouse_unavailable",
]);

/** A call-off ends the whole profile, and so does a mistake of the program. */
export function isOfStatement(error: unknown): error is ReconcilerError {
  return error instanceof ReconcilerError && error.code !== "interrupted" && error.code !== "internal";
}

/** The profile of a statement with the arm of one processor. */
export function profileOfArm(rows: ResultColumns, processor: Processor): Profile {
  const width = metricsOf(processor.expect).length;
  const profile = splitByArm(rows, [processor], width).get(processor);
  if (profile === undefined) throw new ReconcilerError("internal", `no profile of ${processor.name}`);
  return profile;
}

/** The rows come by arm and date; every profile is a stretch of each column. */
function splitByArm(
  rows: ResultColumns,
  chunk: readonly Processor[],
  width: number,
): Map<Processor, Profile> {
  const arm = rows.integers(0);
  const days = rows.integers(1);
  const numbers = Array.from({ length: fixedColumns.length + width }, (_, index) => rows.numbers(index + 2));
  const profiles = new Map<Processor, Profile>();
  let start = 0;
  for (const [index, processor] of chunk.entries()) {
    let end = start;
    while (end < arm.length && arm[end] === index) end += 1;
    const [from, to] = [start, end];
    const cut = (column: number) => numbers[column]?.slice(from, to) ?? new Float64Array(to - from);
    profiles.set(processor, {
      days: days.slice(from, to),
      rows: cut(0),
      entities: cut(1),
      firstWriteMs: cut(2),
      lastWriteMs: cut(3),
      metrics: metricsOf(processor.expect).map((_, metric) => cut(fixedColumns.length + metric)),
    });
    start = end;
  }
  return profiles;
}

/** Parts the days of a profile that were asked for from the others. */
function splitByDay(
  whole: Profile,
  days: readonly { readonly from: Day; readonly to: Day }[],
): { readonly profile: Profile; readonly others: DayCounts } {
  const isAsked = (day: Day) => days.some(({ from, to }) => from <= day && day <= to);
  const [asked, others]: [number[], number[]] = [[], []];
  for (const [entry, day] of whole.days.entries()) (isAsked(day) ? asked : others).push(entry);
  const counts = pick(whole, others);
  return {
    profile: others.length === 0 ? whole : pick(whole, asked),
    others: { days: counts.days, rows: counts.rows },
  };
}

/** Why a processor cannot be observed; null where its arm can be built. */
export function failureOf(build: () => void): ProcessorObservation | null {
  try {
    build();
    return null;
  } catch (error) {
    if (error instanceof Unobservable) return failed(error);
    if (error instanceof ReconcilerError && error.code !== "internal") return failed(error);
    throw error;
  }
}

/** @param error of one statement, or of the warehouse itself */
export function failed(error: Unobservable | ReconcilerError): ProcessorObservation {
  const code = error instanceof Unobservable ? error.code : failureCodeOf(error);
  // What a person has to change is told where the cells are listed, for there is no other place for it.
  const advice =
    error instanceof QueryError && (code === "permission" || code === "budget") ? error.hint : null;
  const message = advice === null ? messageOf(error) : `${messageOf(error)}; ${advice}`;
  return { kind: "failed", failure: { code, message } };
}
