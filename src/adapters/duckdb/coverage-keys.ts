import type { CoverageKeys } from "../../core/coverage-keys.ts";
import type { IsoDate } from "../../core/iso-date.ts";
import type { CoverageKeysRequest } from "../../reconcile/ports.ts";
import { asQueryError } from "../sql/arm-context.ts";
import { coverageKeysOf, coverageKeysSql } from "../sql/coverage.ts";
import type { ArmContext } from "../sql/profile-arm.ts";
import { dateParameter, type RunLimits, type Session } from "./session.ts";

/** Asks date by date. @throws ReconcilerError `warehouse_query_failed`, or `interrupted` when called off */
export async function readCoverageKeys(
  session: Session,
  { processor, dates, limit }: CoverageKeysRequest,
  context: ArmContext,
  limits: RunLimits,
): Promise<ReadonlyMap<IsoDate, CoverageKeys>> {
  const { coverage } = processor.expect;
  const found = new Map<IsoDate, CoverageKeys>();
  if (coverage === null) return found;
  const sql = asQueryError(() => coverageKeysSql(processor, coverage, limit, context));
  for (const date of dates) {
    const day = dateParameter(date);
    const rows = await session.run(sql, { start_date: day, end_date: day }, limits);
    for (const [on, keys] of coverageKeysOf(rows, coverage)) found.set(on, keys);
  }
  return found;
}
