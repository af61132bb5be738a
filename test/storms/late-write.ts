import { compose } from "../../src/compose.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { League } from "./league.ts";

/** The write of a repair that came to a halt, as it would arrive when its worker goes on: with its own, older token. */
export async function writeLate({ folder, env, bigquery }: League, repairId: string): Promise<unknown> {
  const config = await loadConfig({ file: `${folder}/pipeline.yaml`, target: "offline", env });
  const app = await compose(config, { logging: { level: "silent", pretty: false } });
  try {
    const [[repair, token, dates] = []] = await bigquery.run(`
      select repair, token, (select string_agg(cast(date as string) order by date) from unnest(dates) as date)
      from nba_reconciler.repair_starts where repair_id = '${repairId}'`);
    const processor = app.context.compiled.byName.get(text(repair));
    const action = config.pipeline.repairUnits.find(({ name }) => name === repair)?.action;
    if (processor === undefined || action?.kind !== "sql") throw new Error(`${repairId} is no repair by SQL`);
    return await app.context.warehouse.replaceDates({
      processor,
      sql: action.sql,
      leaveNull: action.leaveNull,
      audit: null,
      dates: text(dates).split(",").map(parseIsoDate),
      token: Number(token),
      repairId,
      timeoutMs: 60_000,
      signal: new AbortController().signal,
    });
  } finally {
    await app.close();
  }
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("expected a text");
  return value;
}
