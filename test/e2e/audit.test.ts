import { expect, test, vi } from "vitest";
import { gapsOf, type Scene, withScene } from "./scene.ts";

// Goal: a repair by SQL writes a date only if it is better for it, and says why where it does not.

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 2 });

/** 20 visits a day from 1 to 5 January; of the third none and of the fifth ten are in the table. */
const visits = [
  "create schema v",
  "create table v.src as select d + interval (n) hour as ts, n as id from range(date '2024-01-01', date '2024-01-06', interval 1 day) t(d), range(1, 21) u(n)",
  "create table v.visits as select ts::timestamp as ts, id from v.src where not (ts::date = date '2024-01-05' and id > 10) and ts::date <> date '2024-01-03'",
];
const pipeline = (expectation: string, repair = "", rest = "") => `
schedule: { every: day, start_date: 2024-01-01, end_date: 2024-01-05 }
processors:
  visits: { table: v.visits, date_column: ts, expect: { ${expectation} }, repair: { sql_file: visits.sql, backoff: [10ms]${repair} }${rest} }
`;
/** What most people write first: the last date ends at its first instant. */
const halved = {
  "visits.sql": "select ts::timestamp as ts, id from v.src where ts between $start_date and $end_date",
};
const whole = {
  "visits.sql":
    "select ts::timestamp as ts, id from v.src where ts >= $start_date and ts < $end_date_exclusive",
};

async function countsOf({ warehouse }: Scene): Promise<Record<string, string | null>> {
  const rows = await warehouse.read("select ts::date::varchar, count(*) from v.visits group by 1 order by 1");
  return Object.fromEntries(rows.map(([date, count]) => [date ?? "", count ?? null]));
}

test.concurrent("a date that would lose rows stays as it is, is retried and quarantined, and explain says why", async () => {
  const sketch = { pipeline: pipeline("rows: { min: 15 }"), files: halved, warehouse: visits };
  await withScene(sketch, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: gapsOf(document) }).toEqual({
      code: 2,
      gaps: ["visits 2024-01-03 missing quarantined", "visits 2024-01-05 partial quarantined"],
    });
    expect((await countsOf(scene))["2024-01-05"]).toBe("10");
    const { stdout } = await scene.run("explain", "visits", "2024-01-05");
    expect(stdout).toMatch(/ineffective/);
    expect(stdout.replace(/\s+/g, " ")).toMatch(
      /not_published: not published; 2024-01-05: the SELECT gives 0 rows, the date has 10 now/,
    );
    expect(stdout).toContain("2024-01-05 not published");
    expect(
      await scene.ledger(
        "select distinct outcome, charged, worse from cell_outcomes where date = '2024-01-05'",
      ),
    ).toEqual([["ineffective", "true", "false"]]);
    // A changed SELECT gives the quarantined dates a new chance.
    await scene.write("visits.sql", whole["visits.sql"]);
    expect((await scene.run("--once")).code).toBe(0);
    expect(Object.values(await countsOf(scene))).toEqual(["20", "20", "20", "20", "20"]);
  });
});

test.concurrent("the other dates of the same run are written", async () => {
  const files = { "visits.sql": `${whole["visits.sql"]} and not (ts::date = date '2024-01-04' and id > 5)` };
  const statement = "delete from v.visits where ts::date = date '2024-01-04' and id > 12";
  const sketch = {
    pipeline: pipeline("rows: { min: 15 }", ", max_attempts: 1"),
    files,
    warehouse: [...visits, statement],
  };
  await withScene(sketch, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: gapsOf(document) }).toEqual({
      code: 2,
      gaps: ["visits 2024-01-04 partial quarantined"],
    });
    expect(await countsOf(scene)).toMatchObject({
      "2024-01-03": "20",
      "2024-01-04": "12",
      "2024-01-05": "20",
    });
    expect(await scene.ledger("select count(*) from repair_starts")).toEqual([["1"]]);
  });
});

test.concurrent("doubled rows are replaced by as many as belong there, though these are fewer", async () => {
  const doubled = [
    ...visits,
    "insert into v.visits from v.visits",
    "delete from v.visits where ts::date > date '2024-01-02'",
  ];
  const sketch = { pipeline: pipeline("unique_keys: [[ts, id]]"), files: whole, warehouse: doubled };
  await withScene(sketch, async (scene) => {
    expect((await scene.run("--once")).code).toBe(0);
    expect(Object.values(await countsOf(scene))).toEqual(["20", "20", "20", "20", "20"]);
  });
});

test.concurrent("`publish: if_complete` writes complete dates alone, and `always` whatever comes", async () => {
  const files = { "visits.sql": `${whole["visits.sql"]} and id <= 12` };
  const policy = (publish: string) => pipeline("rows: { min: 15 }", `, max_attempts: 1, publish: ${publish}`);
  const counts: Record<string, Record<string, string | null>> = {};
  for (const publish of ["if_better", "if_complete", "always"]) {
    await withScene({ pipeline: policy(publish), files, warehouse: visits }, async (scene) => {
      expect((await scene.run("--once")).code).toBe(2);
      counts[publish] = await countsOf(scene);
    });
  }
  expect(counts["if_better"]).toMatchObject({ "2024-01-03": "12", "2024-01-05": "12" });
  expect(counts["if_complete"]).toMatchObject({ "2024-01-05": "10" });
  expect(counts["if_complete"]).not.toHaveProperty("2024-01-03");
  expect(counts["always"]).toMatchObject({ "2024-01-03": "12", "2024-01-05": "12" });
  const less = { "visits.sql": `${whole["visits.sql"]} and id <= 3` };
  await withScene({ pipeline: policy("always"), files: less, warehouse: visits }, async (scene) => {
    await scene.run("--once");
    expect((await countsOf(scene))["2024-01-05"]).toBe("3");
  });
});

test.concurrent("rows are held against the coverage of another table before they are written", async () => {
  const warehouse = [
    ...visits,
    "create table v.guests as select distinct ts::date as day, id from v.src",
    "delete from v.visits where ts::date = date '2024-01-05' and id > 8",
  ];
  const text = `${pipeline("coverage: { of: guests, key: id, min: 0.9 }", ", max_attempts: 1")}  guests: { table: v.guests, date_column: day }\n`;
  // As many rows as there are, and fewer guests.
  const files = {
    "visits.sql": `select ts::timestamp as ts, if(ts::date = date '2024-01-05', 1 + id % 3, id) as id from v.src where ts >= $start_date and ts < $end_date_exclusive`,
  };
  await withScene({ pipeline: text, files, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: gapsOf(document) }).toEqual({
      code: 2,
      gaps: ["visits 2024-01-05 partial quarantined"],
    });
    expect((await countsOf(scene))["2024-01-05"]).toBe("8");
    expect((await countsOf(scene))["2024-01-03"]).toBe("20");
    const { stdout } = await scene.run("explain", "visits", "2024-01-05");
    expect(stdout.replace(/\s+/g, " ")).toContain("cover 3 keys, the date covers 8 now");
  });
});

test.concurrent("a command whose first try comes out invalid is tried again, and one that makes it worse is not", async () => {
  const text = (command: string) => `
schedule: { every: day, start_date: 2024-01-03, end_date: 2024-01-03 }
processors:
  visits:
    table: v.visits
    date_column: ts
    expect: { checks: { known: "id < 100" } }
    repair: { command: [node, ${command}], backoff: [10ms], max_attempts: 2 }
`;
  const script = (statement: string) => `
    import { createRequire } from "node:module";
    const { DuckDBInstance } = createRequire(${JSON.stringify(import.meta.url)})("@duckdb/node-api");
    const db = await DuckDBInstance.create("warehouse.duckdb");
    await (await db.connect()).run(\`${statement}\`);
  `;
  const files = {
    "invalid.mjs": script("insert into v.visits values (timestamp '2024-01-03 05:00:00', 100)"),
    "worse.mjs": script("delete from v.visits where ts::date = date '2024-01-03'"),
  };
  await withScene({ pipeline: text("invalid.mjs"), files, warehouse: visits }, async (scene) => {
    expect((await scene.run("--once")).code).toBe(2);
    // The first is an attempt; the second adds a violation to what is there.
    expect(
      await scene.ledger(
        "select charged, worse, rows_before, rows_after from cell_outcomes order by rows_after",
      ),
    ).toEqual([
      ["true", "false", "0", "1"],
      ["true", "true", "1", "2"],
    ]);
    await scene.configure(text("worse.mjs"));
    expect(gapsOf((await scene.report("--once")).document)).toEqual([
      "visits 2024-01-03 missing quarantined",
    ]);
    expect(await scene.ledger("select count(*) from repair_starts")).toEqual([["3"]]);
  });
});

test.concurrent("a running total is not published behind a date that is not, and goes on once that is right", async () => {
  const warehouse = [
    "create schema m",
    "create table m.flows as select d::date as day, 5 as amount from range(date '2024-01-01', date '2024-01-06', interval 1 day) t(d)",
    "update m.flows set amount = -100 where day = date '2024-01-03'",
    "create table m.balance as select day, 5 as total from m.flows where day = date '2024-01-01'",
  ];
  const text = `
schedule: { every: day, start_date: 2024-01-01, end_date: 2024-01-05 }
processors:
  flows: { table: m.flows, date_column: day }
  balance:
    table: m.balance
    date_column: day
    depends_on_past: true
    depends_on: [flows]
    expect: { checks: { positive: "total > 0" } }
    repair: { sql_file: balance.sql, backoff: [10ms], max_attempts: 2 }
`;
  const files = {
    "balance.sql": `select day, coalesce((select total from m.balance where day = $start_date - 1), 0) + sum(amount) over (order by day) as total
      from m.flows where day between $start_date and $end_date`,
  };
  await withScene({ pipeline: text, files, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: gapsOf(document) }).toEqual({
      code: 2,
      gaps: [
        "balance 2024-01-03 missing quarantined",
        "balance 2024-01-04 missing blocked",
        "balance 2024-01-05 missing blocked",
      ],
    });
    const totals = () => scene.warehouse.read("select total from m.balance order by day");
    expect(await totals()).toEqual([["5"], ["10"]]);
    await scene.warehouse.write(["update m.flows set amount = 5"]);
    expect((await scene.run("retry", "--processor", "balance", "--yes")).code).toBe(0);
    expect((await scene.run("--once")).code).toBe(0);
    expect(await totals()).toEqual([["5"], ["10"], ["15"], ["20"], ["25"]]);
  });
});
