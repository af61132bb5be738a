import { describe, expect, test } from "vitest";
import { datedSource } from "../../../src/adapters/duckdb/dates.ts";
import { createDuckDbWarehouse } from "../../../src/adapters/duckdb/warehouse.ts";
import type { DateColumn } from "../../../src/core/date-column.ts";
import { fromDay, parseIsoDate } from "../../../src/core/iso-date.ts";
import { withTempWarehouse } from "../../support/duckdb.ts";
import { datedBy, pipelineOf } from "../../support/pipeline.ts";

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

describe("the bare column is compared, so that DuckDB skips what lies outside", () => {
  const columns = new Map(
    [
      { name: "ds", type: "VARCHAR" },
      { name: "n", type: "INTEGER" },
      { name: "at", type: "TIMESTAMP" },
    ].map((column) => [column.name, column]),
  );
  const source = { sql: "t", label: "t", columns };
  const range = { start: "date '2024-01-02'", end: "date '2024-01-03'" };

  test.each<[DateColumn, string]>([
    [
      datedBy("ds", { dateFormat: "%Y-%m-%d" }),
      `"ds" between strftime(date '2024-01-02', '%Y-%m-%d') and strftime(date '2024-01-03', '%Y-%m-%d') and `,
    ],
    [
      datedBy("ds", { dateFormat: "%F %H:%M" }),
      `"ds" between strftime(date '2024-01-02', '%Y-%m-%d ') and (strftime(date '2024-01-03', '%Y-%m-%d ') || '~') and `,
    ],
    [
      datedBy("n", { dateFormat: "%Y%m%d" }),
      `"n" between strftime(date '2024-01-02', '%Y%m%d')::bigint and strftime(date '2024-01-03', '%Y%m%d')::bigint and `,
    ],
    [
      datedBy("n", { dateFormat: "%Y%d%m" }),
      `"n" between strftime(date '2024-01-02', '%Y')::bigint * 10000 and (strftime(date '2024-01-03', '%Y')::bigint + 1) * 10000 - 1 and `,
    ],
    [
      datedBy("at", { columnTimezone: "UTC" }),
      `"at" >= (date '2024-01-02' - 2)::timestamp and "at" < (date '2024-01-03' + 3)::timestamp and `,
    ],
  ])("%o", (date, condition) => {
    const dated = datedSource(source, date, null, range, "Europe/Berlin");
    expect(dated.condition.startsWith(condition)).toBe(true);
    expect(dated.condition.endsWith(`${dated.day} between ${range.start} and ${range.end}`)).toBe(true);
  });

  test("but not in a form whose values are in no order", () => {
    const dated = datedSource(source, datedBy("ds", { dateFormat: "%d.%m.%Y" }), null, range, "UTC");
    expect(dated.condition).toBe(`${dated.day} between ${range.start} and ${range.end}`);
  });
});
