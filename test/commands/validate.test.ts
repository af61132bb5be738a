import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { openDatabase } from "../../src/adapters/duckdb/database.ts";
import type { ValidationDocument } from "../../src/terminal/validation.ts";
import { startPubsub } from "../support/pubsub/server.ts";
import { makeShop, type Shop, shopYaml } from "./in-process.ts";

const shops: Shop[] = [];
afterEach(async () => {
  for (const { warehouse } of shops.splice(0)) await warehouse.remove();
});

async function open(...args: Parameters<typeof makeShop>): Promise<Shop> {
  const shop = await makeShop(...args);
  shops.push(shop);
  return shop;
}

async function writeDatabase(path: string, statement: string): Promise<void> {
  const database = await openDatabase({ path, mode: "read_write", lockWaitMs: 10_000 });
  try {
    await (await database.connect()).run(statement);
  } finally {
    database.close();
  }
}

async function findings(shop: Shop) {
  const { stdout, code } = await shop.run(["validate", "--connect", "--format", "json"]);
  const document = JSON.parse(stdout) as ValidationDocument;
  expect(code).toBe(document.valid ? 0 : 1);
  return document.findings;
}

describe("validate", () => {
  test("says what it checked, and that the tables were not looked at", async () => {
    const { stdout, code } = await (await open()).run(["validate"]);
    expect(stdout).toContain("is a valid config: shop with 2 processors, 1 schedule, 2 repairs\n");
    expect(stdout).toContain("--connect");
    expect(code).toBe(0);
  });

  test("with --connect finds nothing wrong with what is right", async () => {
    const shop = await open();
    const { stdout, code } = await shop.run(["validate", "--connect"]);
    expect(stdout).toContain("the warehouse was asked about 3 tables, 5 columns, every query and repair\n");
    expect(stdout).toContain("all is as the config says\n");
    expect(code).toBe(0);
    expect(existsSync(join(shop.folder, "warehouse.ledger.duckdb"))).toBe(false);
  });

  test("with --create makes the ledger, also where there is one", async () => {
    const shop = await open();
    for (let round = 1; round <= 2; round++) {
      const { stdout } = await shop.run(["validate", "--create"]);
      expect(stdout).toContain("the ledger is ready: ");
    }
    expect(existsSync(join(shop.folder, "warehouse.ledger.duckdb"))).toBe(true);
  });

  test("finds a ledger that is damaged, beside all else that is wrong, and takes it for no ledger that is ready", async () => {
    const shop = await open(shopYaml.replace("table: shop.revenue", "table: shop.revenues"));
    const path = join(shop.folder, "warehouse.ledger.duckdb");
    await shop.run(["validate", "--create"]);
    const bytes = await readFile(path);
    await writeFile(path, bytes.fill(255, 0, 8192));
    expect(await findings(shop)).toMatchObject([
      { place: "processors.revenue.table" },
      {
        level: "error",
        place: "ledger",
        expected: "a ledger that can be read",
        found: expect.stringContaining(`the ledger ${path} cannot be opened: `),
        hint: expect.stringContaining("restore it from a copy"),
      },
    ]);
    const { stdout, code } = await shop.run(["validate", "--connect", "--create"]);
    expect(stdout).not.toContain("the ledger is ready");
    expect(stdout).toContain("2 errors found");
    expect(code).toBe(1);
  });

  test("finds a database that is no ledger, and one of its tables that cannot be read", async () => {
    const shop = await open();
    const path = join(shop.folder, "warehouse.ledger.duckdb");
    await writeDatabase(path, "create table orders (day date)");
    expect(await findings(shop)).toMatchObject([
      { place: "ledger", found: `expected a ledger at ${path}, found another database` },
    ]);
    await rm(path);
    await shop.run(["validate", "--create"]);
    expect(await findings(shop)).toEqual([]);
    await writeDatabase(path, "drop table baselines cascade");
    expect(await findings(shop)).toMatchObject([
      { place: "ledger", found: expect.stringContaining(`the ledger ${path} cannot be read: `) },
    ]);
  });

  test("finds the columns of a run history that are not there or hold no time, and a filter that does not run", async () => {
    const yaml = (status: string, started: string, where: string) =>
      shopYaml.replace(
        "processors:",
        `run_history:
  table: ops.runs
  date_column: data_date
  processor_column: name
  status_column: ${status}
  started_at_column: ${started}
  where: ${where}
processors:`,
      );
    const statements = [
      "create schema ops",
      "create table ops.runs (name varchar, status varchar, data_date date, started_at timestamp)",
    ];
    const found = async (...columns: Parameters<typeof yaml>) =>
      (await findings(await open(yaml(...columns), { statements }))).map(({ place, found: what }) => [
        place,
        what,
      ]);
    expect(await found("status", "started_at", "name <> 'ours'")).toEqual([]);
    expect(await found("statuses", "name", "team = 'ours'")).toEqual([
      ["run_history.status_column", "no such column"],
      ["run_history.started_at_column", "one of type VARCHAR"],
    ]);
    expect(await found("status", "started_at", "team = 'ours'")).toEqual([
      ["run_history", expect.stringContaining("team")],
    ]);
  });

  test("asks whoever would run a repair somewhere else whether it may, and starts none", async () => {
    const pubsub = await startPubsub("hush");
    onTestFinished(() => pubsub.stop());
    const action = `pubsub: { topic: fill, project: proj, api_endpoint: "${pubsub.url}" }`;
    const shop = await open(shopYaml.replace("sql_file: orders.sql", action));
    expect(await findings(shop)).toEqual([]);
    pubsub.deny();
    expect(await findings(shop)).toEqual([
      {
        level: "error",
        place: "processors.orders.repair.pubsub",
        expected: "what it names to be there, and the permission to run it",
        found: "no topic projects/proj/topics/fill, or no permission pubsub.topics.publish on it",
        hint: "create the topic, or grant roles/pubsub.publisher on it to the account of this process",
      },
    ]);
    expect(pubsub.messages).toEqual([]);
  });

  test("finds each name that is not there, with the nearest, and tells it once", async () => {
    const yaml = shopYaml
      .replace("table: shop.revenue", "table: shop.revenues")
      .replace("unique_keys: [[day, order_id]]", "unique_keys: [[day, orderid]], not_null: [customer]")
      .replace("date_column: day }", "date_column: day, unit_column: units }");
    expect(await findings(await open(yaml))).toEqual([
      {
        level: "error",
        place: "processors.revenue.table",
        expected: "a table shop.revenues that can be read",
        found: "there is no table shop.revenues",
        hint: 'did you mean "shop.revenue"?',
      },
      {
        level: "error",
        place: "schedules.default.unit_column",
        expected: "a column units of shop.days",
        found: "no such column",
        hint: "it has: day",
      },
      {
        level: "error",
        place: "processors.orders.expect.unique_keys[0]",
        expected: "a column orderid of shop.orders",
        found: "no such column",
        hint: 'did you mean "order_id"?',
      },
      {
        level: "error",
        place: "processors.orders.expect.not_null[0]",
        expected: "a column customer of shop.orders",
        found: "no such column",
        hint: "it has: day, order_id",
      },
    ]);
  });

  test("finds a date column of a type that has no date", async () => {
    const yaml = shopYaml.replace(
      "table: shop.revenue\n    date_column: day",
      "table: shop.revenue\n    date_column: orders",
    );
    expect(await findings(await open(yaml))).toContainEqual({
      level: "error",
      place: "processors.revenue.date_column",
      expected: "a column orders of shop.revenue of type DATE or TIMESTAMP",
      found: "one of type BIGINT",
      hint: 'add date_format, which says how its dates are written, such as "%Y%m%d" for 20240131, or use another column',
    });
  });

  test("finds the names of coverage, its excuses, the completion log and entities", async () => {
    const yaml = `${shopYaml}    expect:
      rows: { min: 0, completion_log: { table: shop.log, date_column: day }, per_entity: { of: orders, key: customer, min: 1 } }
      coverage: { of: orders, key: orders, of_key: article, min: 1, excused_by: { table: shop.days, date_column: date, key: why } }
      quality: { column: score, good: 90, ok: 70, degraded: 50, min_good_share: 0.8 }
`;
    const places = (await findings(await open(yaml))).map(({ place }) =>
      place.replace("processors.revenue.expect.", ""),
    );
    expect(places.sort()).toEqual([
      "coverage.excused_by.date_column",
      "coverage.excused_by.key",
      "coverage.of_key",
      "quality.column",
      "rows.completion_log.table",
      "rows.per_entity.key",
    ]);
  });

  test("finds a condition that does not run", async () => {
    const yaml = shopYaml.replace("unique_keys: [[day, order_id]]", 'checks: { positive: "amount > 0" }');
    expect(await findings(await open(yaml))).toMatchObject([
      { level: "error", place: "processors.orders", found: expect.stringContaining("amount") },
    ]);
  });

  test("finds a schedule without dates and one whose query does not run", async () => {
    const yaml = shopYaml
      .replace(
        "schedule: {",
        "schedules:\n  empty: { table: shop.none, date_column: day }\n  broken: { sql_file: broken.sql, date_column: day }\n  default: {",
      )
      .replace("depends_on: [orders]", "depends_on: [orders]\n    schedule: empty");
    const shop = await open(yaml, {
      statements: ["create table shop.none (day date)"],
      files: { "broken.sql": "select nothing from shop.days" },
    });
    expect(await findings(shop)).toMatchObject([
      { place: "schedules.empty", found: expect.stringContaining("has no date") },
      { place: "schedules.broken", found: expect.stringContaining("nothing") },
    ]);
  });

  test("warns where two processors of an edge are never scheduled on the same date", async () => {
    const yaml = shopYaml
      .replace("schedule: {", "schedules:\n  later: { table: shop.later, date_column: day }\n  default: {")
      .replace("depends_on: [orders]", "depends_on: [orders]\n    schedule: later");
    const shop = await open(yaml, {
      statements: ["create table shop.later as select date '2024-02-01' as day"],
    });
    expect(await findings(shop)).toMatchObject([
      {
        level: "warning",
        place: "processors.revenue.depends_on[0]",
        found: expect.stringContaining("no date in common"),
      },
    ]);
  });

  test("finds a SELECT that does not fit its table", async () => {
    const shop = await open(shopYaml, {
      files: {
        "orders.sql": "select day, 1 as number from shop.till where day between $start_date and $end_date",
      },
    });
    expect(await findings(shop)).toMatchObject([
      {
        level: "error",
        place: "processors.orders.repair.sql_file",
        found: expect.stringContaining("number"),
      },
    ]);
  });

  test("finds a program that is not in PATH, may not be executed, or has no working folder", async () => {
    const yaml = (command: string) =>
      shopYaml.replace("repair: { sql_file: orders.sql }", `repair: { command: ${command} }`);
    expect(await findings(await open(yaml("[no-such-program-at-all, x]")))).toMatchObject([
      {
        place: "processors.orders.repair.command",
        expected: "the program no-such-program-at-all",
        found: "none in PATH",
      },
    ]);
    expect(await findings(await open(yaml("[node, x]")))).toEqual([]);
    const shop = await open(yaml("[./fill.sh, x]"));
    const script = join(shop.folder, "fill.sh");
    expect(await findings(shop)).toMatchObject([{ found: `no file ${script}` }]);
    await writeFile(script, "#!/bin/sh\n");
    expect(await findings(shop)).toMatchObject([{ found: expect.stringContaining("may not be executed") }]);
    await chmod(script, 0o755);
    expect(await findings(shop)).toEqual([]);
  });

  test("warns of a precondition that is not true now, with what it answered", async () => {
    const yaml = shopYaml.replace(
      "repair: { sql_file: orders.sql }",
      "repair: { sql_file: orders.sql, preconditions: ['select 1 > 2'] }",
    );
    expect(await findings(await open(yaml))).toMatchObject([
      {
        level: "warning",
        place: "processors.orders.repair.preconditions[0]",
        found: "expected true, found false",
      },
    ]);
  });

  test("shows findings to a person with place, expected, found and what to do", async () => {
    const shop = await open(shopYaml.replace("table: shop.revenue", "table: shop.revenues"));
    const { stdout, code } = await shop.run(["validate", "--connect"]);
    expect(stdout).toContain(
      'error  processors.revenue.table\n  expected  a table shop.revenues that can be read\n  found     there is no table shop.revenues\n  to do     did you mean "shop.revenue"?\n',
    );
    expect(stdout).toMatch(/\n1 error found\n$/);
    expect(code).toBe(1);
  });

  test("refuses a warehouse that is not there", async () => {
    const shop = await open(shopYaml.replace("./warehouse.duckdb", "./elsewhere.duckdb"));
    await expect(shop.run(["validate", "--connect"])).rejects.toMatchObject({ code: "warehouse_not_found" });
  });
});
