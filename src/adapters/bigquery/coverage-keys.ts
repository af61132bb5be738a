import type { CoverageKeys } from "../../core/coverage-keys.ts";
import type { IsoDate } from "../../core/iso-date.ts";
import type { CoverageKeysRequest } from "../../reconcile/ports.ts";
import { asQueryError } from "../sql/arm-context.ts";
import { coverageKeysOf, coverageKeysSql } from "../sql/coverage.ts";
import type { Limits } from "./limits.ts";
import { Bindings } from "./parameters.ts";
import { armContexts, type ProfileSource } from "./profile.ts";

/** Asks for all dates in one statement, which reads only their partitions. @throws ReconcilerError `warehouse_*` */
export async function readCoverageKeys(
  source: ProfileSource,
  { processor, dates, limit }: CoverageKeysRequest,
  limits: Limits,
): Promise<ReadonlyMap<IsoDate, CoverageKeys>> {
  const { coverage } = processor.expect;
  if (coverage === null) return new Map();
  const contextOf = await armContexts(source, [processor], limits);
  const binder = new Bindings();
  const context = contextOf(
    dates.map((date) => ({ start: date, end: date })),
    binder,
  );
  const sql = asQueryError(() => coverageKeysSql(processor, coverage, limit, context));
  const { rows } = await source.jobs.read({ sql, parameters: binder.parameters, purpose: "keys" }, limits);
  return coverageKeysOf(rows, coverage);
}
