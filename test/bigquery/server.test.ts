import { readFileSync } from "node:fs";
import { BigQuery } from "@google-cloud/bigquery";
import { beforeAll, describe, expect, test } from "vitest";
import { connected } from "./connect.ts";

const server = connected();

beforeAll(() => {
  server.bigquery.define({
    name: "stats.scores",
    columns: {
      game_date: "DATE",
      player: "STRING not null",
      score: "FLOAT64",
      seen: "TIMESTAMP",
      tags: "ARRAY<STRING>",
    },
    description: "points of a game",
    clustering: ["player"],
    partition: { column: "game_date" },
    rows: [
      ["2024-01-02", "ann", 1.5, "2024-01-02T05:00:00.123456Z", ["a", "b"]],
      ["2024-01-03", "bob", null, null, []],
    ],
  });
});

/** An answer as it is on the wire. */
async function answerTo(body: object): Promise<{ headers: Headers; body: Record<string, unknown> }> {
  const { url, projectId } = server.bigquery;
  const response = await fetch(`${url}/bigquery/v2/projects/${projectId}/queries`, {
    method: "POST",
    body: JSON.stringify({ useLegacySql: false, ...body }),
  });
  return { headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}

describe("a query", () => {
  test("runs with named parameters over tables that a test defines", async () => {
    const [rows] = await server.client.query({
      query: "select scores.*, @n as n from stats.scores where game_date >= @d order by game_date",
      params: { d: BigQuery.date("2024-01-02"), n: 5 },
    });
    expect(rows).toMatchObject([
      {
        game_date: { value: "2024-01-02" },
        player: "ann",
        score: 1.5,
        seen: { value: "2024-01-02T05:00:00.123456000Z" },
        tags: ["a", "b"],
        n: 5,
      },
      { player: "bob", score: null, seen: null, tags: [] },
    ]);
  });

  test.each([
    ["[1, 2]", { ids: [1, 2] }, "select sum(i) as x from unnest(@ids) as i", 3],
    [
      "dates",
      { ds: [BigQuery.date("2024-01-03")] },
      "select player as x from stats.scores where game_date in unnest(@ds)",
      "bob",
    ],
    ["a record", { r: { a: 1, b: "z" } }, "select concat(@r.b, cast(@r.a as string)) as x", "z1"],
    [
      "an instant",
      { t: new Date("2024-01-02T05:00:00.123Z") },
      "select count(*) as x from stats.scores where seen >= @t",
      1,
    ],
  ])("takes %s as a parameter", async (_, params, query, x) => {
    expect((await server.client.query({ query, params }))[0]).toEqual([{ x }]);
  });

  test("takes a date that is given as text with its type for NULL, as the client sends it", async () => {
    const [rows] = await server.client.query({
      query: "select @d is null as is_null",
      params: { d: "2024-01-02" },
      types: { d: "DATE" },
    });
    expect(rows).toEqual([{ is_null: true }]);
  });

  test("answers in the very form of BigQuery", async () => {
    const { headers, body } = await answerTo({
      query:
        "select date '2024-01-02', 1, true as b, 0.5 as f, timestamp_micros(1) as t, numeric '-1.25' as n, [1] as a, struct('x' as y) as s, cast(null as string) as z",
      formatOptions: { useInt64Timestamp: true },
    });
    expect(headers.get("content-type")).toBe("application/json; charset=UTF-8");
    expect(body).toMatchObject({
      kind: "bigquery#queryResponse",
      jobComplete: true,
      totalRows: "1",
      totalBytesProcessed: "0",
      cacheHit: false,
      jobReference: { projectId: "test-project", location: "US" },
    });
    const fields = (body["schema"] as { fields: { name: string; type: string; mode: string }[] }).fields;
    expect(fields.map(({ name, type, mode }) => `${name} ${type} ${mode}`)).toEqual([
      "f0_ DATE NULLABLE",
      "f1_ INTEGER NULLABLE",
      "b BOOLEAN NULLABLE",
      "f FLOAT NULLABLE",
      "t TIMESTAMP NULLABLE",
      "n NUMERIC NULLABLE",
      "a INTEGER REPEATED",
      "s RECORD NULLABLE",
      "z STRING NULLABLE",
    ]);
    const values = ["2024-01-02", "1", "true", "0.5", "1", "-1.25", [{ v: "1" }], { f: [{ v: "x" }] }, null];
    expect(body["rows"]).toEqual([{ f: values.map((v) => ({ v })) }]);
  });

  test("names tables by path, by one identifier, by alias, by their last part and through views", async () => {
    await server.bigquery.run(
      "create or replace view stats.recent as select game_date as d, player from stats.scores",
    );
    const one = `select count(*) from \`test-project.stats.scores\` as s where s.player = 'ann'`;
    const two = `select count(*) from test-project.stats.recent where recent.d = '2024-01-02'`;
    const three =
      "with scores as (select 1 as n) select n from scores, `stats`.`recent` as r where r.player = 'ann'";
    for (const sql of [one, two, three]) expect(await server.bigquery.run(sql)).toEqual([["1"]]);
  });
});

describe("what is wrong is said in BigQuery's words", () => {
  test.each([
    [
      "select 1 from stats.scores,\n stats.scores as s where foo = 1",
      "invalidQuery",
      "Unrecognized name: foo [at 2:26]",
    ],
    [
      "select 1 from stats.scores join stats.recent on true where foo",
      "invalidQuery",
      "Unrecognized name: foo [at 1:60]",
    ],
    ["select @who", "invalidQuery", "Query parameter 'who' not found [at 1:8]"],
    ["selec 1", "invalidQuery", 'Syntax error: Unexpected identifier "selec" [at 1:1]'],
    ["select 1 / 0", "invalidQuery", "division by zero: 1 / 0"],
    ["select 1; select 2 +", "invalidQuery", "Syntax error: Unexpected end of statement [at 1:21]"],
    [
      "select 1 as a, 2 as a",
      "invalidQuery",
      "Duplicate column names in the result are not supported when a destination table is present. Found duplicate(s): a",
    ],
    [
      "select 1 from stats.nothing",
      "notFound",
      "Not found: Table test-project:stats.nothing was not found in location US",
    ],
    [
      "select 1 from nowhere.at_all",
      "notFound",
      "Not found: Dataset test-project:nowhere was not found in location US",
    ],
    [
      "select 1 from scores",
      "invalid",
      'Table "scores" must be qualified with a dataset (e.g. dataset.table).',
    ],
  ])("%s", async (query, reason, message) => {
    await server.bigquery.run("create or replace view stats.recent as select player from stats.scores");
    const code = reason === "notFound" ? 404 : 400;
    await expect(server.client.query(query)).rejects.toMatchObject({ code, message, errors: [{ reason }] });
  });

  test("a table that may not be read", async () => {
    server.bigquery.deny("stats.scores");
    expect(await server.reasonOf(server.client.query("select 1 from stats.scores"))).toBe("accessDenied");
    expect(await server.reasonOf(server.client.dataset("stats").table("scores").getMetadata())).toBe(
      "accessDenied",
    );
    server.bigquery.deny("stats.scores", false);
    expect(await server.bigquery.run("select count(*) from stats.scores")).toEqual([["2"]]);
  });
});

describe("tables and datasets", () => {
  test("have their metadata", async () => {
    const [metadata] = await server.client.dataset("stats").table("scores").getMetadata();
    expect(metadata).toMatchObject({
      type: "TABLE",
      numRows: "2",
      description: "points of a game",
      timePartitioning: { type: "DAY", field: "game_date" },
      clustering: { fields: ["player"] },
      location: "US",
    });
    expect(metadata.schema.fields).toMatchObject([
      { name: "game_date", type: "DATE", mode: "NULLABLE" },
      { name: "player", type: "STRING", mode: "REQUIRED" },
      { name: "score", type: "FLOAT" },
      { name: "seen", type: "TIMESTAMP" },
      { name: "tags", type: "STRING", mode: "REPEATED" },
    ]);
    expect(await server.reasonOf(server.client.dataset("stats").table("nothing").getMetadata())).toBe(
      "notFound",
    );
  });

  test("are made, listed, changed and removed by the client", async () => {
    await server.client.createDataset("made");
    const dataset = server.client.dataset("made");
    const schema = [
      { name: "d", type: "DATE" },
      { name: "n", type: "INTEGER", mode: "REQUIRED" },
    ];
    const timePartitioning = { type: "MONTH", field: "d" };
    await dataset.createTable("t", { schema, timePartitioning, description: "x" });
    expect(await server.reasonOf(dataset.createTable("t", { schema }))).toBe("duplicate");
    await dataset.table("t").setMetadata({ description: "y" });
    const [tables] = await dataset.getTables();
    expect(tables).toMatchObject([{ id: "t", metadata: { timePartitioning } }]);
    expect((await dataset.table("t").getMetadata())[0]).toMatchObject({ description: "y" });
    await dataset.delete({ force: true });
    expect(await dataset.exists()).toEqual([false]);
  });

  test("are made by SQL, with partitions, clusters and descriptions", async () => {
    await server.bigquery.run(
      `create schema if not exists ledger; create schema if not exists ledger;
       create table if not exists ledger.starts (id string not null options (description = "whose"), seen timestamp, n int)
       partition by timestamp_trunc(seen, hour) cluster by id
       options (description = "attempts", require_partition_filter = true);
       create table if not exists ledger.starts (other int64); -- nothing`,
    );
    const [metadata] = await server.client.dataset("ledger").table("starts").getMetadata();
    expect(metadata).toMatchObject({
      description: "attempts",
      timePartitioning: { type: "HOUR", field: "seen", requirePartitionFilter: true },
      clustering: { fields: ["id"] },
      schema: {
        fields: [
          { name: "id", mode: "REQUIRED", description: "whose" },
          { name: "seen" },
          { type: "INTEGER" },
        ],
      },
    });
    const twice = server.client.query("create table ledger.starts (id string)");
    expect(await server.reasonOf(twice)).toBe("duplicate");
  });
});

describe("the engine", () => {
  test("is started again after it ended", async () => {
    const childrenOf = (id: number) =>
      readFileSync(`/proc/${id}/task/${id}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
    for (const shell of childrenOf(process.pid))
      for (const engine of childrenOf(shell)) process.kill(engine, "SIGKILL");
    await expect(server.bigquery.run("select 1")).rejects.toThrow("ended at this statement");
    expect(await server.bigquery.run("select 1")).toEqual([["1"]]);
  });
});
