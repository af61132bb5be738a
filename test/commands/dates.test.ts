// Goal: dates in every form that a table may keep them in, from the check of the config to the repaired table. Method: the
// commands in this process on a DuckDB file.
import { expect, onTestFinished, test } from "vitest";
import type { ResultDocument } from "../../src/core/result-document.ts";
import type { ValidationDocument } from "../../src/terminal/validation.ts";
import { makeShop, type Shop } from "./in-process.ts";

async function open(...args: Parameters<typeof makeShop>): Promise<Shop> {
  const shop = await makeShop(...args);
  onTestFinished(() => shop.warehouse.remove());
  return shop;
}

const head = `version: 1
pipeline: clothes
timezone: Europe/Berlin
warehouse: { type: duckdb, path: ./warehouse.duckdb }
schedule: { every: day, start_date: 2024-10-25, end_date: 2024-10-28 }
`;
/** Every hour of the days from the 25th to the 28th of October in Berlin, whose third has 25 of them, as UTC shows it. */
const source = `create table shop.clicks as
  select range as ts, (range at time zone 'UTC' at time zone 'Europe/Berlin')::date as day
  from range(timestamp '2024-10-24 22:00:00', timestamp '2024-10-28 23:00:00', interval 1 hour)`;
const select = (value: string) =>
  `select ${value} from shop.clicks where day between $start_date and $end_date`;

/** A table with all rows but those of one day, and the SELECT that fills it. */
const tables = [
  { name: "text", value: "strftime(day, '%Y%m%d') as ds", format: '"%Y%m%d"', day: "25" },
  { name: "number", value: "strftime(day, '%Y%m%d')::integer as ds", format: '"%Y%m%d"', day: "26" },
  { name: "german", value: "strftime(day, '%d.%m.%Y') as ds", format: '"%d.%m.%Y"', day: "27" },
  { name: "utc", value: "ts as ds", format: "null", day: "27" },
  { name: "stamp", value: "strftime(ts, '%Y-%m-%d %H:%M') as ds", format: '"%F %H:%M"', day: "28" },
];
const processors = tables.map(
  ({ name, format }) =>
    `  ${name}: { table: shop.of_${name}, date_format: ${format}, repair: { sql_file: ${name}.sql } }`,
);
const yaml = `${head}defaults: { date_column: ds, column_timezone: UTC }
processors:
${processors.join("\n")}
`;

test("text, numbers and times of another zone are checked, planned, repaired and whole over a change of the clocks", async () => {
  const shop = await open(yaml, {
    statements: [
      source,
      ...tables.map(
        ({ name, value, day }) =>
          `create table shop.of_${name} as select ${value} from shop.clicks where day <> date '2024-10-${day}'`,
      ),
      "insert into shop.of_text values ('n/a')",
    ],
    files: Object.fromEntries(tables.map(({ name, value }) => [`${name}.sql`, select(value)])),
  });
  const checked = await shop.run(["validate", "--connect", "--format", "json"]);
  expect((JSON.parse(checked.stdout) as ValidationDocument).findings).toEqual([]);
  const planned = await shop.run(["plan", "--format", "json"]);
  const { gaps } = JSON.parse(planned.stdout) as ResultDocument;
  expect(gaps.map(({ processor, date, state }) => `${processor} ${date} ${state}`)).toEqual(
    tables.map(({ name, day }) => `${name} 2024-10-${day} missing`),
  );
  expect((await shop.run(["--once", "--quiet"])).code).toBe(0);
  const counts = tables.map(({ name }) => `(select count(*) from shop.of_${name})`).join(", ");
  expect(await shop.warehouse.read(`select ${counts}`)).toEqual([["98", "97", "97", "97", "97"]]);
}, 60_000);

test("a column that does not fit what the config says of it is told with what to write", async () => {
  const shop = await open(
    `${head.replace("schedule: {", "schedule: { except: { table: shop.free, date_column: ds },")}processors:
  text: { table: shop.kept, date_column: ds }
  number: { table: shop.kept, date_column: n }
  formed: { table: shop.kept, date_column: n, date_format: "%Y-%m-%d" }
  date: { table: shop.kept, date_column: day, date_format: "%Y-%m-%d" }
  times: { table: shop.kept, date_column: day, written_at_column: n }
`,
    {
      statements: [
        "create table shop.kept (ds varchar, n integer, day date)",
        "create table shop.free (ds varchar)",
      ],
    },
  );
  const { stdout, code } = await shop.run(["validate", "--connect", "--format", "json"]);
  const findings = (JSON.parse(stdout) as ValidationDocument).findings.filter(({ place }) =>
    place.endsWith("_column"),
  );
  expect(code).toBe(1);
  expect(findings.map(({ place, found, hint }) => `${place} ${found}: ${hint}`)).toEqual([
    expect.stringMatching(/^schedules\.default\.except\.date_column one of type VARCHAR: add date_format/),
    expect.stringMatching(/^processors\.text\.date_column one of type VARCHAR: add date_format.*"%Y-%m-%d"/),
    expect.stringMatching(/^processors\.number\.date_column one of type INTEGER: add date_format.*"%Y%m%d"/),
    expect.stringMatching(/^processors\.formed\.date_column one of type INTEGER: a number has digits alone/),
    expect.stringMatching(/^processors\.date\.date_column one of type DATE: remove date_format/),
    expect.stringMatching(/^processors\.times\.written_at_column one of type INTEGER: use another column/),
  ]);
});

test("a SELECT that takes its range for times of the pipeline's zone is warned of", async () => {
  const shop = await open(
    `${head}processors:
  clicks: { table: shop.clicks, date_column: ts, column_timezone: UTC, repair: { sql_file: clicks.sql } }
`,
    {
      statements: [source],
      files: { "clicks.sql": "select ts, day from shop.clicks where ts between $start_date and $end_date" },
    },
  );
  const { stdout } = await shop.run(["validate", "--connect", "--format", "json"]);
  expect((JSON.parse(stdout) as ValidationDocument).findings).toContainEqual(
    expect.objectContaining({
      level: "warning",
      hint: "compare the date of ts in the pipeline's time zone with both: the column is in UTC",
    }),
  );
});

test("a phase that is a number selects as text does, and is text in JSON", async () => {
  const shop = await open(`${head}processors:
  one: { table: shop.days, date_column: day, phase: 3 }
  two: { table: shop.days, date_column: day, phase: 4 }
`);
  const { stdout } = await shop.run(["plan", "--phase", "3", "--format", "json"]);
  const { gaps } = JSON.parse(stdout) as ResultDocument;
  expect(new Set(gaps.map(({ processor }) => processor))).toEqual(new Set(["one"]));
  const report = await shop.run(["report", "--format", "json"]);
  expect(JSON.stringify(JSON.parse(report.stdout))).toContain('"phase":"3"');
});
