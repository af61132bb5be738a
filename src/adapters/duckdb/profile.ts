import type { DateRange } from "../../core/iso-date.ts";
import { metricsOf, type ProcessorObservation, type Profile } from "../../core/observation.ts";
import type { Processor } from "../../core/pipeline.ts";
import { messageOf, ReconcilerError } from "../../errors.ts";
import { Unobservable } from "./catalog.ts";
import { type ArmContext, fixedColumns, profileArm } from "./profile-arm.ts";
import { type Columns, dateParameter, type Session, StatementError } from "./session.ts";
import { loadSql } from "./sql-files.ts";

/** Arms of one statement: more of them cost DuckDB's planner more than they save. */
const armsPerStatement = 50;

export interface ProfileOptions {
  readonly range: DateRange;
  /** Of one statement. After a timeout its processors are asked one by one, within twice this time together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Profiles each processor; one that cannot be is `failed`, with the others observed all the same.
 * @throws ReconcilerError `interrupted` when called off.
 */
export async function profileAll(
  session: Session,
  processors: readonly Processor[],
  context: ArmContext,
  options: ProfileOptions,
): Promise<Map<string, ProcessorObservation>> {
  const found = new Map<string, ProcessorObservation>();
  const able: Processor[] = [];
  for (const processor of processors) {
    // Built once alone: what is missing, or not one whole expression, is known before anything runs.
    const failure = failureOf(() => profileArm(processor, 0, metricsOf(processor.expect).length, context));
    if (failure === null) able.push(processor);
    else found.set(processor.name, failure);
  }
  for (let start = 0; start < able.length; start += armsPerStatement) {
    const chunk = able.slice(start, start + armsPerStatement);
    await profileChunk(session, chunk, context, options, found);
  }
  return found;
}

/** On an error each half is asked alone, down to the one processor that is at fault. */
async function profileChunk(
  session: Session,
  chunk: readonly Processor[],
  context: ArmContext,
  options: ProfileOptions,
  found: Map<string, ProcessorObservation>,
): Promise<void> {
  try {
    for (const [name, profile] of await runChunk(session, chunk, context, options)) {
      found.set(name, { kind: "observed", profile });
    }
  } catch (error) {
    const [only] = chunk;
    if (only === undefined || (error instanceof ReconcilerError && error.code === "interrupted")) throw error;
    if (chunk.length === 1) {
      found.set(only.name, failed(error));
    } else if (error instanceof StatementError) {
      const middle = Math.ceil(chunk.length / 2);
      await profileChunk(session, chunk.slice(0, middle), context, options, found);
      await profileChunk(session, chunk.slice(middle), context, options, found);
    } else {
      await profileOneByOne(session, chunk, context, options, found);
    }
  }
}

/** After a timeout: halving would wait for the slow one again and again. */
async function profileOneByOne(
  session: Session,
  chunk: readonly Processor[],
  context: ArmContext,
  options: ProfileOptions,
  found: Map<string, ProcessorObservation>,
): Promise<void> {
  const deadline = performance.now() + 2 * options.timeoutMs;
  for (const processor of chunk) {
    const leftMs = deadline - performance.now();
    // One slow table may take half of what there is, so that those after it have their turn.
    const timeoutMs = Math.max(1, Math.floor(Math.min(options.timeoutMs, leftMs / 2)));
    await profileChunk(session, [processor], context, { ...options, timeoutMs }, found);
  }
}

async function runChunk(
  session: Session,
  chunk: readonly Processor[],
  context: ArmContext,
  { range, timeoutMs, signal }: ProfileOptions,
): Promise<Map<string, Profile>> {
  const width = Math.max(...chunk.map(({ expect }) => metricsOf(expect).length));
  const arms = chunk.map((processor, index) => profileArm(processor, index, width, context));
  const columns = await session.run(
    loadSql("profile", { arms: arms.join("\nunion all\n") }),
    { start_date: dateParameter(range.start), end_date: dateParameter(range.end) },
    { timeoutMs, ...(signal === undefined ? {} : { signal }) },
  );
  return splitByArm(columns, chunk, width);
}

/** The rows come by arm and date; every profile is a stretch of each column. */
function splitByArm(columns: Columns, chunk: readonly Processor[], width: number): Map<string, Profile> {
  const arm = columns.integers(0);
  const days = columns.integers(1);
  const numbers = Array.from({ length: fixedColumns.length + width }, (_, index) =>
    columns.numbers(index + 2),
  );
  const profiles = new Map<string, Profile>();
  let start = 0;
  for (const [index, processor] of chunk.entries()) {
    let end = start;
    while (end < arm.length && arm[end] === index) end += 1;
    const [from, to] = [start, end];
    const cut = (column: number) => numbers[column]?.slice(from, to) ?? new Float64Array(to - from);
    profiles.set(processor.name, {
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

function failureOf(build: () => string): ProcessorObservation | null {
  try {
    build();
    return null;
  } catch (error) {
    if (error instanceof Unobservable) return failed(error);
    if (error instanceof ReconcilerError && error.code === "warehouse_query_failed") return failed(error);
    throw error;
  }
}

function failed(error: unknown): ProcessorObservation {
  if (error instanceof Unobservable)
    return { kind: "failed", failure: { code: error.code, message: error.message } };
  if (error instanceof ReconcilerError && error.code === "warehouse_timeout") {
    return { kind: "failed", failure: { code: "timeout", message: error.message } };
  }
  // "Catalog" is DuckDB's type for a table, view or function that does not exist, as in a view over a dropped table.
  const code = error instanceof StatementError && error.type === "Catalog" ? "not_found" : "query_failed";
  return { kind: "failed", failure: { code, message: messageOf(error) } };
}
