import { metricsOf } from "../../core/observation.ts";
import type { ForecastRequest } from "../../reconcile/ports.ts";
import { asQueryError } from "../sql/arm-context.ts";
import { profileArm } from "../sql/profile-arm.ts";
import type { Limits } from "./limits.ts";
import { Bindings } from "./parameters.ts";
import { armContexts, type ProfileSource } from "./profile.ts";
import { shapeRepair } from "./repair-shape.ts";
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
  const look = await source.jobs.analyze({ sql, parameters: binder.parameters, purpose: "forecast" }, limits);
  if (repair === null) return 2 * look.bytes;
  const { query, range: parameters } = await shapeRepair(source, repair, [range.start, range.end], limits);
  const select = { sql: `select * from ${query} as gr_query`, parameters, purpose: "forecast" };
  return 2 * look.bytes + (await source.jobs.analyze(select, limits)).bytes;
}
