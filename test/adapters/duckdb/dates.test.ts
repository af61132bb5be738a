import { expect, test } from "vitest";
import { createDuckDbWarehouse } from "../../../src/adapters/duckdb/warehouse.ts";
import { fromDay, parseIsoDate } from "../../../src/core/iso-date.ts";
import { withTempWarehouse } from "../../support/duckdb.ts";
import { pipelineOf } from "../../support/pipeline.ts";

const { processors } = pipelineOf({
  processors: { events: { table: { parts: ["events"] }, dateColumn: "at", writtenAtColumn: "at" } },
});

/** An instant per half hour of 2024 in UTC: every local day of the year has 48 of them, two have 46 or 50. */
const events = `create table events as
  select timestamptz '2023-12-30 00:00:00+00' + to_minutes(30 * r) as at from range(48 * 370) t(r)`;

test.each([
  ["America/New_York", "2024-03-10", 46],
  ["America/New_York", "2024-11-03", 50],
  // The clocks change at midnight: this day has no 00:00.
  ["Asia/Beirut", "2024-03-31", 46],
  ["Pacific/Kiritimati", "2024-06-01", 48],
  ["Pacific/Pago_Pago", "2024-06-01", 48],
])("in %s the day %s has %i half hours, from its own first instant on", async (timezone, date, halfHours) => {
  await withTempWarehouse([events], async ({ path }) => {
    const warehouse = createDuckDbWarehouse({ path, timezone, processors, schedules: [] });
    const range = { start: parseIsoDate(date), end: parseIsoDate(date) };
    const seen = (await warehouse.profile({ processors, range })).processors.get("events");
    if (seen?.kind !== "observed") throw new Error(JSON.stringify(seen));
    const { days, rows, firstWriteMs, lastWriteMs } = seen.profile;
    expect(Array.from(days, fromDay)).toEqual([date]);
    expect([...rows]).toEqual([halfHours]);
    expect((lastWriteMs[0] ?? 0) - (firstWriteMs[0] ?? 0)).toBe((halfHours - 1) * 30 * 60_000);
    await warehouse.close();
  });
});
