import { expect, test } from "vitest";
import { makeShop } from "./in-process.ts";
import { shopHead } from "../support/shop-pipeline.ts";

const yaml = `${shopHead}defaults: { date_column: day }
processors:
  sales: { table: shop.sales, expect: { rows: { min: 20 } }, repair: { sql_file: sales.sql } }
  balance:
    table: shop.balance
    depends_on_past: true
    depends_on: [sales]
    expect: { rows: { min: 1, max: 1 } }
    repair: { sql_file: balance.sql }
  report: { table: shop.report, depends_on: [balance], repair: { sql_file: report.sql } }
`;

const files = {
  "sales.sql": "select * from shop.till where day between $start_date and $end_date",
  "balance.sql": `select day, ((select coalesce(max(orders), 0) from shop.balance where day = $start_date - 1)
    + sum(count(*)) over (order by day))::bigint as orders
    from shop.sales where day between $start_date and $end_date group by day`,
  "report.sql": `select day, sum(orders)::bigint as orders from shop.balance
    where day between $start_date and $end_date group by day`,
};

test("a gap that is filled along with what is carried forward to it outdates what was computed from it", async () => {
  const shop = await makeShop(yaml, {
    files,
    statements: [
      "create table shop.sales as select * from shop.till where not (day between date '2024-01-02' and date '2024-01-05' and order_id > 10)",
      "create table shop.balance as select day, (sum(count(*)) over (order by day))::bigint as orders from shop.sales group by day",
      "insert into shop.balance select * from shop.balance where day = date '2024-01-05'",
      "create table shop.report as select day, sum(orders)::bigint as orders from shop.balance group by day",
    ],
  });
  try {
    const run = await shop.run(["--once", "--quiet", "--format", "json"]);
    expect(run.code).toBe(0);
    const { repairs }: { repairs: readonly { outcome: string }[] } = JSON.parse(run.stdout);
    expect(repairs.map(({ outcome }) => outcome)).toEqual(["repaired", "repaired", "repaired"]);
    const right = ["20", "40", "60", "80", "100", "120", "140"];
    for (const table of ["balance", "report"]) {
      const rows = await shop.warehouse.read(`select orders::varchar from shop.${table} order by day`);
      expect(rows.flat(), table).toEqual(right);
    }
  } finally {
    await shop.warehouse.remove();
  }
});
