import type { DateRange } from "../../core/iso-date.ts";
import { metricsOf, type ProcessorObservation } from "../../core/observation.ts";
import type { Processor } from "../../core/pipeline.ts";
import { profileAll as profileInChunks } from "../sql/profile-all.ts";
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
export function profileAll(
  session: Session,
  processors: readonly Processor[],
  context: ArmContext,
  { range, timeoutMs, signal }: ProfileOptions,
): Promise<Map<string, ProcessorObservation>> {
  const parameters = { start_date: dateParameter(range.start), end_date: dateParameter(range.end) };
  return profileInChunks(processors, {
    timeoutMs,
    statementsAtOnce: 1,
    check: (processor) => profileArm(processor, 0, metricsOf(processor.expect).length, context),
    run: (chunk, width, limitMs) => {
      const arms = chunk.map((processor, index) => profileArm(processor, index, width, context));
      const sql = loadSql("profile", { arms: arms.join("\nunion all\n") });
      const limits = { timeoutMs: limitMs, ...(signal === undefined ? {} : { signal }) };
      return session.run(sql, parameters, limits);
    },
  });
}
