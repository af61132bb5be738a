// Goal: whatever happens to the tables, a survey never tells anything but what a look at everything would see then. Method:
// random histories on the local server; after each of their steps both are compared for all dates that are not unseen.
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import { memoryOfTests } from "../../support/bigquery/survey-memory.ts";
import { datedBy, type ProcessorSketch, tableSchedule } from "../../support/pipeline.ts";
import { table } from "../../contract/warehouse-fixture.ts";
import { expectSame, megabyte, surveyor, unseenOf } from "./survey-fixture.ts";

let server: BigQueryServer;
beforeAll(async () => {
  server = await startBigQuery();
});
afterAll(() => server.stop());

const stored = ["2024-01-02", "2024-01-03", "2024-01-15"];
/** Rows are streamed for recent dates: for others they would be seen once they are stored. */
const recent = ["2024-01-30", "2024-01-31"];
const columns = { game_date: "DATE", player: "STRING", score: "INT64" };
const tables = {
  daily: { columns, partition: { column: "game_date", requireFilter: true } },
  monthly: { columns, partition: { column: "game_date", unit: "MONTH" } },
  hourly: {
    columns: { ...columns, game_date: "TIMESTAMP" },
    partition: { column: "game_date", unit: "HOUR" },
  },
  whole: { columns },
} as const;
type TableName = keyof typeof tables;

function sketches(isStrict: boolean): Readonly<Record<string, ProcessorSketch>> {
  const checks = isStrict ? [{ name: "small", sql: "score < 3" }] : [];
  const excusedBy = { table: table("raw.whole"), ...datedBy("game_date"), key: "player", where: "score = 0" };
  const coverage = { key: "player", ofKey: "player", min: 1 };
  return {
    daily: {
      table: table("raw.daily"),
      expect: { checks, coverage: { ...coverage, of: { kind: "schedule" }, extra: null, excusedBy: null } },
    },
    monthly: {
      table: table("raw.monthly"),
      expect: {
        coverage: { ...coverage, of: { kind: "processor", name: "daily" }, extra: "gap", excusedBy },
      },
    },
    hourly: {
      table: table("raw.hourly"),
      // Its profile has dates without rows, where the other tables have some.
      expect: {
        rows: {
          min: 0,
          perEntity: { of: "monthly", key: "player", min: 1 },
          completionLog: {
            table: table("raw.whole"),
            ...datedBy("game_date"),
            where: null,
            rowsColumn: "score",
          },
        },
      },
    },
    whole: { table: table("raw.whole"), where: isStrict ? "score > 0" : null, expect: { checks } },
  };
}

const step = fc.record({
  changes: fc.array(
    fc.record({
      kind: fc.constantFrom("insert", "insert", "stream", "flush", "delete", "drop", "rewrite"),
      name: fc.constantFrom<TableName>("daily", "monthly", "hourly", "whole"),
      date: fc.nat({ max: 1 }),
      player: fc.constantFrom("ann", "bob"),
      score: fc.constantFrom(0, 0, 4),
    }),
    { maxLength: 3 },
  ),
  games: fc.boolean(),
  /** What the process that surveys is: the same one, one that finds its notes, or one that was killed before it kept any. */
  process: fc.constantFrom("same", "same", "same", "next", "killed"),
  isStrict: fc.boolean(),
  budgetMegabytes: fc.constantFrom(Infinity, Infinity, Infinity, 0, 40, 80),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function defineTables(): void {
  for (const [name, definition] of Object.entries(tables)) {
    const rows = stored.slice(0, 2).map((date) => [date, "ann", 1]);
    server.define({ name: `raw.${name}`, ...definition, rows });
  }
  server.define({
    name: "raw.default",
    columns: { game_date: "DATE", player: "STRING", season: "STRING" },
    rows: stored.map((date) => [date, "ann", "2023-24"]),
  });
}

async function change({ kind, name, date, player, score }: Step["changes"][number]): Promise<void> {
  const full = `raw.${name}`;
  const day = stored[date] ?? "";
  const on =
    name === "hourly"
      ? `game_date >= '${day}' and game_date < timestamp_add(timestamp '${day}', interval 1 day)`
      : `game_date = '${day}'`;
  // Five in the morning in UTC is midnight in New York.
  const hour = player === "ann" ? "04:30:00" : "05:30:00";
  if (kind === "insert") server.insert(full, [[name === "hourly" ? `${day} ${hour}` : day, player, score]]);
  else if (kind === "stream") server.stream(full, [[recent[date % 2] ?? "", player, score]]);
  else if (kind === "flush") server.flush(full);
  else if (kind === "delete") await server.run(`delete from ${full} where ${on} and player = '${player}'`);
  else if (kind === "drop") await server.run(`delete from ${full} where ${on}`);
  else await server.run(`update ${full} set score = ${score} where ${on}`);
}

test("a survey tells what a look at everything sees, whatever happened before", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 6 }), async (steps) => {
      defineTables();
      const memory = memoryOfTests();
      const open = (isStrict: boolean) =>
        surveyor(server, sketches(isStrict), { scheduleSpecs: [tableSchedule()], memory });
      let isStrict = false;
      let made = open(isStrict);
      for (const [index, { changes, games, process, budgetMegabytes, ...next }] of steps.entries()) {
        for (const one of changes) await change(one);
        if (games) server.insert("raw.default", [[stored[index % 3] ?? "", "bob", "2023-24"]]);
        if (process === "next") await made.warehouse.keepSurveys();
        if (process !== "same") {
          ({ isStrict } = next);
          made = open(isStrict);
        }
        expectSame(await made.survey({ budgetBytes: budgetMegabytes * megabyte }), await made.all());
      }
      const last = await made.survey();
      expectSame(last, await made.all());
      for (const name of Object.keys(tables)) expect(unseenOf(last, name).days).toBe(0);
      for (const name of Object.keys(tables)) server.flush(`raw.${name}`);
      await made.survey();
      expect((await made.survey()).scanBytes).toBe(0);
    }),
    { numRuns: 12 },
  );
}, 180_000);
