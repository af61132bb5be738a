import { BigQuery } from "@google-cloud/bigquery";
import { PassThroughClient } from "google-auth-library";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BigQueryServer, startBigQuery } from "../support/bigquery/server.ts";

let bigquery: BigQueryServer;
let client: BigQuery;
beforeAll(async () => {
  bigquery = await startBigQuery();
  client = new BigQuery({
    apiEndpoint: bigquery.url,
    projectId: bigquery.projectId,
    authClient: new PassThroughClient(),
  });
});
afterAll(() => bigquery.stop());

test("runs SQL with named parameters over tables that a test defines", async () => {
  bigquery.define({
    name: "stats.scores",
    columns: {
      game_date: "DATE",
      player: "STRING",
      score: "FLOAT64",
      at: "TIMESTAMP",
      tags: "ARRAY<STRING>",
    },
    rows: [
      ["2024-01-02", "ann", 1.5, "2024-01-02T05:00:00.123456Z", ["a", "b"]],
      ["2024-01-03", "bob", null, null, []],
    ],
  });
  const [rows] = await client.query({
    query: "select scores.*, @n as n from stats.scores where game_date >= @d order by game_date",
    params: { d: BigQuery.date("2024-01-02"), n: 5 },
  });
  expect(rows).toMatchObject([
    {
      game_date: { value: "2024-01-02" },
      player: "ann",
      score: 1.5,
      at: { value: "2024-01-02T05:00:00.123456000Z" },
      tags: ["a", "b"],
      n: 5,
    },
    { player: "bob", score: null, at: null, tags: [] },
  ]);
});

test("says what is wrong in BigQuery's words, at the place in the SQL that was sent", async () => {
  const failing = client.query("select 1 from stats.scores,\n stats.scores as s where foo = 1");
  await expect(failing).rejects.toMatchObject({
    code: 400,
    message: "Unrecognized name: foo [at 2:26]",
    errors: [{ reason: "invalidQuery", location: "query" }],
  });
  await expect(client.query("select 1 from stats.nothing")).rejects.toMatchObject({
    code: 404,
    message: "Not found: Table test-project:stats.nothing was not found in location US",
  });
});

test("gives the metadata of a table", async () => {
  const [metadata] = await client.dataset("stats").table("scores").getMetadata();
  expect(metadata).toMatchObject({
    numRows: "2",
    schema: { fields: [{ name: "game_date", type: "DATE" }, {}, {}, {}, {}] },
  });
});
