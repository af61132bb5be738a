import type { DateRange } from "../../core/iso-date.ts";
import { metricsOf } from "../../core/observation.ts";
import type { ForecastRequest, SqlRepair } from "../../reconcile/ports.ts";
import { asQueryError } from "../sql/arm-context.ts";
import { profileArm } from "../sql/profile-arm.ts";
import { leastBilledBytes } from "./billing.ts";
import type { Statement } from "./job-configuration.ts";
import type { Analysis } from "./jobs.ts";
import type { Limits } from "./limits.ts";
import { Bindings } from "./parameters.ts";
import { type ArmContexts, armContexts, type ProfileSource } from "./profile.ts";
import { shapeRepair, withoutRows } from "./repair-shape.ts";
import { loadSql } from "./sql-files.ts";

/**
 * The bytes that a run is billed for, by dry runs: twice the look at its tables, before and after, and what its SELECT reads.
 * What the DELETE reads of the target beside it is not known before and left out.
 * @throws QueryError where one of it cannot be analyzed; ReconcilerError `warehouse_*`, `interrupted`
 */
export async function forecastBytes(
  source: ProfileSource,
  { processors, repair, range }: ForecastRequest,
  limits: Limits,
): Promise<number> {
  const contextOf = await armContexts(source, processors, limits);
  const binder = new Bindings();
  const context = contextOf([range], binder);
  const width = Math.max(...processors.map(({ expect }) => metricsOf(expect).length));
  const arms = asQueryError(() =>
    processors.map((processor, index) => profileArm(processor, index, width, context)).join("\nunion all\n"),
  );
  const sql = loadSql("profile", { arms });
  const bytesOf = async (statement: Statement) => leastBytes(await source.jobs.analyze(statement, limits));
  const look = 2 * (await bytesOf({ sql, parameters: binder.parameters, purpose: "forecast" }));
  if (repair === null) return look;
  const { query, range: parameters } = await shapeRepair(source, repair, [range.start, range.end], limits);
  const select = { sql: `select * from ${query} as gr_query`, parameters, purpose: "forecast" };
  return look + (await bytesOf(select)) + (await auditBytes(source, repair, range, contextOf, limits));
}

/** What the audit reads besides the staged rows: the other tables that the expectation refers to. */
async function auditBytes(
  { jobs }: ProfileSource,
  { processor }: SqlRepair,
  range: DateRange,
  contextOf: ArmContexts,
  limits: Limits,
): Promise<number> {
  const { expect } = processor;
  const { rows, coverage } = expect;
  if (rows.perEntity === null && rows.completionLog === null && coverage === null) return 0;
  const binder = new Bindings();
  const context = contextOf([range], binder);
  const staged = withoutRows(context.tableOf(processor.table));
  // What it asks of the rows themselves reads nothing else.
  const contentless = { uniqueKeys: [], notNull: [], checks: [], measures: [], quality: null };
  const referring = { ...processor, expect: { ...expect, ...contentless } };
  const arms = asQueryError(() =>
    profileArm(referring, 0, metricsOf(referring.expect).length, { ...context, staged }),
  );
  const statement = { sql: loadSql("profile", { arms }), parameters: binder.parameters, purpose: "forecast" };
  return leastBytes(await jobs.analyze(statement, limits));
}

/** What is missing now has no bytes yet; when it is there, it costs at least what any table does. */
function leastBytes({ bytes, tables }: Analysis): number {
  return Math.max(bytes, tables * leastBilledBytes);
}
