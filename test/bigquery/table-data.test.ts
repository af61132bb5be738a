import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connected } from "./connect.ts";

const server = connected();

beforeAll(() => {
  server.bigquery.define(
    {
      name: "stats.seen",
      columns: { at: "TIMESTAMP not null", player: "STRING" },
      partition: { column: "at" },
      rows: [
        ["2024-01-02T05:00:00.123456Z", "ann"],
        ["2024-01-03T00:00:00Z", "bob"],
        ["2024-01-02T23:59:59Z", null],
      ],
    },
    { name: "stats.plain", columns: { player: "STRING" }, rows: [["ann"]] },
  );
});
beforeEach(() => server.bigquery.stats.clear());

async function list(table: string, query = ""): Promise<Record<string, unknown>> {
  const { url, projectId } = server.bigquery;
  const answer = await fetch(
    `${url}/bigquery/v2/projects/${projectId}/datasets/stats/tables/${table}/data${query}`,
  );
  return (await answer.json()) as Record<string, unknown>;
}

describe("listing a table", () => {
  test("gives its rows to the client, for nothing", async () => {
    const [rows] = await server.client.dataset("stats").table("seen").getRows();
    expect(rows).toMatchObject([
      { at: { value: "2024-01-02T05:00:00.123456000Z" }, player: "ann" },
      { player: "bob" },
      { player: null },
    ]);
    expect(server.bigquery.stats.queries).toEqual([]);
    expect(server.bigquery.stats.calls).toContain("tabledata.list");
  });

  test("gives one page after the other", async () => {
    const first = await list("seen", "?maxResults=2&formatOptions.useInt64Timestamp=true");
    expect(first).toMatchObject({
      kind: "bigquery#tableDataList",
      totalRows: "3",
      pageToken: "2",
      rows: [{ f: [{ v: "1704171600123456" }, { v: "ann" }] }, { f: [{}, { v: "bob" }] }],
    });
    const last = await list("seen", "?maxResults=2&pageToken=2");
    expect(last).toMatchObject({ totalRows: "3", rows: [{ f: [{}, { v: null }] }] });
    expect(last).not.toHaveProperty("pageToken");
  });

  test("gives the rows of one partition, and none of one that is not there", async () => {
    expect(await list("seen$20240102")).toMatchObject({ totalRows: "2", rows: [{}, {}] });
    expect(await list("seen$20240104")).not.toHaveProperty("rows");
    expect(await list("plain$20240104")).toMatchObject({ error: { errors: [{ reason: "invalid" }] } });
  });

  test("ends a page of ten megabytes", async () => {
    const rows = Array.from({ length: 3 }, () => ["x".repeat(4 * 1024 * 1024)]);
    server.bigquery.define({ name: "stats.large", columns: { text: "STRING" }, rows });
    expect(await list("large")).toMatchObject({ rows: [{}, {}], pageToken: "2" });
    expect(await list("large", "?pageToken=2")).toMatchObject({ rows: [{}] });
  });

  test("is refused as any reading is", async () => {
    expect(await list("nothing")).toMatchObject({ error: { code: 404, errors: [{ reason: "notFound" }] } });
    server.bigquery.deny("stats.plain");
    expect(await list("plain")).toMatchObject({ error: { code: 403, errors: [{ reason: "accessDenied" }] } });
    server.bigquery.deny("stats.plain", false);
    await server.bigquery.run("create view stats.view as select * from stats.plain");
    expect(await list("view")).toMatchObject({ error: { errors: [{ reason: "invalid" }] } });
  });
});

describe("making a table by a call", () => {
  test("makes a view, and keeps labels and how long partitions are kept", async () => {
    const dataset = server.client.dataset("stats");
    await dataset.createTable("names", {
      view: { query: "select player from stats.plain", useLegacySql: false },
      description: "all of them",
    });
    const [rows] = await server.client.query("select player from stats.names");
    expect(rows).toEqual([{ player: "ann" }]);
    await dataset.createTable("kept", {
      schema: [{ name: "at", type: "TIMESTAMP" }],
      timePartitioning: { type: "DAY", field: "at", expirationMs: "86400000" },
      labels: { team: "data" },
    });
    expect((await dataset.table("kept").getMetadata())[0]).toMatchObject({
      labels: { team: "data" },
      timePartitioning: { field: "at", expirationMs: "86400000" },
    });
  });
});
