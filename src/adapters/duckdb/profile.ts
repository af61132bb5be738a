import { type DateRange, toDay } from "../../core/iso-date.ts";
import { metricsOf, type OutsideRows, type ProcessorObservation } from "../../core/observation.ts";
import type { Processor } from "../../core/pipeline.ts";
import { outsideRows } from "../sql/day-counts.ts";
import { profileAll as profileInChunks, type Profiled } from "../sql/profile-all.ts";
import { type ArmContext, profileArm } from "../sql/profile-arm.ts";
import { dateParameter, type Session } from "./session.ts";
import { loadSql } from "./sql-files.ts";

export interface ProfileOptions {
  readonly range: DateRange;
  /** Of one statement. */
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
  return (await profile(session, processors, context, options)).processors;
}

/** As `profileAll`, with the rows outside of the range counted in the same pass. */
export async function profileWithOutside(
  session: Session,
  processors: readonly Processor[],
  context: ArmContext,
  options: ProfileOptions,
): Promise<{
  readonly processors: ReadonlyMap<string, ProcessorObservation>;
  readonly outside: ReadonlyMap<string, OutsideRows>;
}> {
  const whole = { ...context, outside: { kind: "same_pass" } } as const;
  const found = await profile(session, processors, whole, options);
  // Rows outside of the range may hold what an expression of the config cannot read. They must not hide the others.
  const failed = processors.filter(({ name }) => isFailedQuery(found.processors.get(name)));
  const again = await profile(session, failed, context, options);
  const days = { from: toDay(options.range.start), to: toDay(options.range.end) };
  return {
    processors: new Map([...found.processors, ...again.processors]),
    outside: new Map([...found.outside].map(([name, counts]) => [name, outsideRows(counts, days)])),
  };
}

function isFailedQuery(observation: ProcessorObservation | undefined): boolean {
  return observation?.kind === "failed" && observation.failure.code === "query_failed";
}

function profile(
  session: Session,
  processors: readonly Processor[],
  context: ArmContext,
  { range, timeoutMs, signal }: ProfileOptions,
): Promise<Profiled> {
  const parameters = { start_date: dateParameter(range.start), end_date: dateParameter(range.end) };
  const days = [{ from: toDay(range.start), to: toDay(range.end) }];
  return profileInChunks(processors, {
    timeoutMs,
    statementsAtOnce: 1,
    daysOf: () => days,
    check: (processor) => profileArm(processor, 0, metricsOf(processor.expect).length, context),
    run: (chunk, width, limitMs) => {
      const arms = chunk.map((processor, index) => profileArm(processor, index, width, context));
      const sql = loadSql("profile", { arms: arms.join("\nunion all\n") });
      const limits = { timeoutMs: limitMs, ...(signal === undefined ? {} : { signal }) };
      return session.run(sql, parameters, limits);
    },
  });
}
