import { afterEach, describe, expect, test } from "vitest";
import type { ValidationDocument } from "../../src/terminal/validation.ts";
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

async function validated(shop: Shop, ...flags: readonly string[]): Promise<ValidationDocument> {
  const { stdout, code } = await shop.run(["validate", ...flags, "--format", "json"]);
  const document = JSON.parse(stdout) as ValidationDocument;
  expect(code).toBe(document.valid ? 0 : 1);
  return document;
}

const withRepair = (repair: string) =>
  shopYaml.replace("repair: { sql_file: orders.sql }", `repair: { ${repair} }`);
const short = { "orders.sql": "select day from shop.till where day between $start_date and $end_date" };

describe("validate --connect", () => {
  test("refuses a SELECT that leaves out columns, and takes one that names them", async () => {
    const refused = await validated(await open(shopYaml, { files: short }), "--connect");
    expect(refused).toMatchObject({
      valid: false,
      findings: [
        {
          level: "error",
          place: "processors.orders.repair.sql_file",
          found: expect.stringContaining("a SELECT without order_id"),
          hint: "add it to the SELECT, or name it in repair.leave_null: [order_id]",
        },
      ],
    });
    const yaml = withRepair("sql_file: orders.sql, leave_null: [order_id]");
    expect(await validated(await open(yaml, { files: short }), "--connect")).toMatchObject({
      valid: true,
      findings: [],
    });
  });

  test("refuses a column in leave_null that the table does not have", async () => {
    const shop = await open(withRepair("sql_file: orders.sql, leave_null: [oder_id]"));
    expect((await validated(shop, "--connect")).findings).toMatchObject([
      { level: "error", found: expect.stringMatching(/in leave_null, found oder_id/) },
    ]);
  });

  test("refuses to fill a view", async () => {
    const shop = await open(shopYaml.replace("table: shop.revenue", "table: shop.shown"), {
      statements: ["create view shop.shown as select * from shop.revenue"],
    });
    expect((await validated(shop, "--connect")).findings).toMatchObject([
      {
        level: "error",
        place: "processors.revenue.repair.sql_file",
        found: expect.stringContaining("found a view"),
      },
    ]);
  });

  test("warns of times that are compared with the last date, names the file and the right form", async () => {
    const files = {
      "orders.sql":
        "select sold_at as day, order_id from shop.sales where sold_at between $start_date and $end_date",
    };
    const statements = [
      "create view shop.sales as select day + interval 5 hour as sold_at, order_id from shop.till",
      "drop table shop.orders",
      "create table shop.orders (day timestamp, order_id bigint)",
    ];
    const { findings, valid } = await validated(await open(shopYaml, { files, statements }), "--connect");
    expect(valid).toBe(true);
    expect(findings).toMatchObject([
      {
        level: "warning",
        place: "processors.orders.repair.sql_file",
        found: expect.stringMatching(/^orders\.sql: sold_at between \$start_date and \$end_date, which/),
        hint: "write sold_at >= $start_date and sold_at < $end_date_exclusive",
      },
    ]);
    const right = {
      "orders.sql": files["orders.sql"].replace(
        /between.*/,
        ">= $start_date and sold_at < $end_date_exclusive",
      ),
    };
    expect(
      (await validated(await open(shopYaml, { files: right, statements }), "--connect")).findings,
    ).toEqual([]);
  });
});

describe("validate", () => {
  test("lists the tables that SQL repairs create, also as text", async () => {
    const shop = await open();
    expect((await validated(shop)).creates).toEqual(["gap_reconciler.fence"]);
    expect((await shop.run(["validate"])).stdout).toContain("gap_reconciler.fence");
    const yaml = shopYaml.replaceAll(/sql_file: \w+\.sql/g, "command: [fill], replaces: true");
    expect((await validated(await open(yaml))).creates).toEqual([]);
  });

  test("warns of a command that may append where nothing would notice, and still exits 0", async () => {
    const yaml = shopYaml.replace("sql_file: revenue.sql", "command: [fill]");
    expect(await validated(await open(yaml))).toMatchObject({
      valid: true,
      findings: [
        {
          level: "warning",
          place: "processors.revenue.repair",
          hint: expect.stringContaining("unique_keys"),
        },
      ],
    });
    const said = yaml.replace("command: [fill]", "command: [fill], replaces: false");
    expect((await validated(await open(said))).findings).toEqual([]);
  });

  test("takes what `defaults` says of replacing for said", async () => {
    const yaml = shopYaml
      .replace("sql_file: revenue.sql", "command: [fill]")
      .replace("processors:", "defaults: { repair: { replaces: true } }\nprocessors:");
    expect((await validated(await open(yaml))).findings).toEqual([]);
  });
});
