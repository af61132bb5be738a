// Goal: a statement that GoogleSQL does not take is found here, and not in somebody's project. Method: each file is rendered
// with texts as the adapter makes them and analyzed by Google's own analyzer, over tables as the adapter finds them.
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Api } from "../../../src/adapters/bigquery/api.ts";
import type { JobSession } from "../../../src/adapters/bigquery/job-configuration.ts";
import { Jobs } from "../../../src/adapters/bigquery/jobs.ts";
import { limitsOf } from "../../../src/adapters/bigquery/limits.ts";
import { listParameter, parameter } from "../../../src/adapters/bigquery/parameters.ts";
import { loadSql } from "../../../src/adapters/bigquery/sql-files.ts";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import { openLedger } from "./open.ts";

const folder = new URL("../../../sql/bigquery/", import.meta.url);
const table = "`test-project`.`stats`.`scores`";
const fence = "`test-project`.`stats`.`gap_reconciler_fence_scores`";
const source = `${table} as gr_table`;
const day = "`game_date`";
const condition = "`game_date` between @start_date and @end_date";
const excuses = `left join (${loadSql("profile-excused", { day, key: "`player`", source, condition })}) as gr_excuses using (gr_day, gr_key)`;
const arm = loadSql("profile-processor", {
  head: "cast(0 as int64) as gr_arm, unix_date(gr_day) as gr_day",
  columns: "cast(coalesce(gr_rows, 0) as float64) as `rows`",
  day,
  aggregates: "count(*) as gr_rows",
  source,
  condition,
  joins: "",
});

/** Of a ledger every file names its dataset and no more. */
const ledgerFiles = Object.fromEntries(
  readdirSync(folder).flatMap((file) =>
    file.startsWith("ledger-") ? [[file.replace(".sql", ""), { dataset: "`test-project`.`ledger`" }]] : [],
  ),
);

const coverage = {
  own_day: day,
  own_key: "`player`",
  own_source: source,
  own_condition: condition,
  of_day: day,
  of_key: "`player`",
  of_source: source,
  of_condition: condition,
  excuses,
  excused: "gr_excused is not null",
};

/** What stands in for the placeholders of each file. */
const texts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "abort-session": { session: "'a session'" },
  begin: {},
  "check-staged-rows": { day, owned: "(`player` <> ''\n)", source: "gr_staged" },
  commit: {},
  "count-visible-rows": { number: "0", table, condition: "true" },
  "create-fence": { fence: "`test-project`.`stats`.`another_fence`" },
  "delete-dates": { table, condition, day },
  "end-session": {},
  "find-newer-fence": { fence },
  ...ledgerFiles,
  "insert-fence-guard": { fence },
  "insert-staged-rows": {
    table,
    columns: "`player`, `game_date`",
    values: "`player`, cast(`game_date` as DATE) as `game_date`",
    rows: "gr_staged",
    day,
  },
  profile: { arms: `${arm}\nunion all\n${arm}` },
  "profile-count": { day, counts: "count(distinct `player`) as gr_entities_of", source, condition },
  "profile-coverage": coverage,
  "profile-excused": { day, key: "`player`", source, condition },
  "profile-outside": {
    head: "cast(0 as int64) as gr_arm, coalesce(unix_date(gr_day), -2147483648) as gr_day",
    rows: "cast(gr_rows as float64)",
    padding: ", cast(null as float64)",
    day,
    source,
    condition: "(`game_date` < @start_date or `game_date` > @end_date or `game_date` is null)",
  },
  "profile-processor": {
    head: "gr_day as date",
    columns: "cast(coalesce(gr_rows, 0) as float64) as `rows`",
    day,
    aggregates: "count(*) as gr_rows",
    source,
    condition,
    joins: `full join (${loadSql("profile-count", { day, counts: "count(*) as gr_logged", source, condition })}) as gr_log using (gr_day)`,
  },
  "read-coverage-keys": { ...coverage, limit: "20" },
  "read-last-fence": { fence },
  "read-now": {},
  "read-partitions": { dataset: "`test-project`.`stats`" },
  "read-run-history": {
    processor: "`player`",
    day,
    status: "`season`",
    started: "unix_millis(timestamp(`game_date`, 'UTC'))",
    ended: "cast(null as int64)",
    run: "cast(null as string)",
    error: "to_json_string(`season`)",
    source,
    condition,
  },
  "read-schedule": {
    day,
    units: "count(*)",
    season: "coalesce(cast(`season` as string), '')",
    source,
    condition,
  },
  "read-seasons": { day, season: "''", source, condition },
  "release-fence": { fence },
  rollback: {},
  "stage-rows": { query: `(select * from ${table} where ${condition}\n)` },
  "write-fence": { fence },
};

const parameters = [
  parameter("start_date", "DATE", "2024-01-01"),
  parameter("end_date", "DATE", "2024-01-31"),
  listParameter("dates", "DATE", ["2024-01-02"]),
  listParameter("cells", "STRING", []),
  listParameter("tables", "STRING", ["scores"]),
  parameter("processor", "STRING", "scores"),
  parameter("token", "INT64", "10"),
  parameter("since", "INT64", "0"),
  listParameter("processors", "STRING", ["scores"]),
  parameter("repair_id", "STRING", "r1"),
  ...["kinds", "ids", "subjects", "parts", "bodies"].map((name) => listParameter(name, "STRING", [])),
  ...["part_numbers", "parts_of", "noted_at"].map((name) => listParameter(name, "INT64", [])),
];

let server: BigQueryServer;
let jobs: Jobs;
let session: JobSession | null;
beforeAll(async () => {
  server = await startBigQuery();
  server.define({ name: "stats.scores", columns: { game_date: "DATE", player: "STRING", season: "STRING" } });
  const api = new Api({ project: server.projectId, apiEndpoint: server.url });
  const options = {
    location: server.location,
    maximumBytesBilled: null,
    labels: {},
    pipeline: "tests",
    cycle: () => null,
  };
  jobs = new Jobs(api, options);
  await jobs.write({ sql: loadSql("create-fence", { fence }), purpose: "test" }, limitsOf(20_000));
  await openLedger(server, "ledger").create();
  session = await stage();
});
afterAll(() => server.stop());

async function stage(): Promise<JobSession | null> {
  const sql = loadSql("stage-rows", texts["stage-rows"]);
  const statement = { sql, parameters, purpose: "test", session: "new" as const };
  return (await jobs.write(statement, limitsOf(20_000))).session;
}

/** In the session that has staged rows where the statement reads them. */
const analyze = (sql: string) => {
  const inSession = session !== null && sql.includes("gr_staged") ? { session } : {};
  return jobs.analyze({ sql, parameters, purpose: "test", ...inSession }, limitsOf(20_000));
};

test("every file is here", () => {
  const names = readdirSync(folder).map((file) => file.replace(".sql", ""));
  expect(names.toSorted()).toEqual(Object.keys(texts).toSorted());
});

test.each(Object.keys(texts))("%s.sql is GoogleSQL", async (name) => {
  // Where there are no staged rows yet, and as a whole: a session begins with it.
  if (name === "stage-rows") expect(await stage()).toMatchObject({ id: expect.any(String) });
  else
    await expect(analyze(loadSql(name, texts[name]))).resolves.toMatchObject({ bytes: expect.any(Number) });
});

test.each([
  [
    "a function that is none",
    loadSql("profile-count", { ...texts["profile-count"], counts: "countt(*) as gr_logged" }),
  ],
  ["a column that is not there", loadSql("read-seasons", { ...texts["read-seasons"], season: "`seasn`" })],
  [
    "a word of another dialect",
    loadSql("profile-count", { ...texts["profile-count"], day: "`game_date`::date" }),
  ],
  [
    "a type that does not fit",
    loadSql("insert-staged-rows", { ...texts["insert-staged-rows"], values: "`game_date`, 1 as `player`" }),
  ],
])("%s is found", async (_, sql) => {
  await expect(analyze(sql)).rejects.toMatchObject({ fault: "invalid" });
});
