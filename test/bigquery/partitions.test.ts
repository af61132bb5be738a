import { BigQuery } from "@google-cloud/bigquery";
import { beforeEach, describe, expect, test } from "vitest";
import { connected } from "./connect.ts";

const server = connected();
const mebibytes = 1024 * 1024;

beforeEach(() => {
  server.bigquery.define(
    {
      name: "stats.daily",
      columns: { d: "DATE", player: "STRING", score: "INT64" },
      partition: { column: "d", requireFilter: true },
      rows: [
        ["2024-01-02", "ann", 1],
        ["2024-01-02", "bob", null],
        ["2024-01-03", "ann", 3],
        [null, "lost", 4],
      ],
    },
    {
      name: "stats.hourly",
      columns: { seen: "TIMESTAMP" },
      partition: { column: "seen", unit: "HOUR" },
      rows: [["2024-01-02 05:10:00"], ["2024-01-02 05:50:00"], ["2024-01-02 06:00:00"]],
    },
    {
      name: "stats.ingested",
      columns: { score: "INT64" },
      partition: { column: null, requireFilter: true },
    },
    { name: "stats.whole", columns: { score: "INT64" }, rows: [[1], [2]] },
  );
});

const partitions = () =>
  server.bigquery.run(
    `select table_name, partition_id, total_rows, total_logical_bytes from stats.INFORMATION_SCHEMA.PARTITIONS
     where table_name <> 'ingested' order by 1, 2`,
  );

async function modified(table: string): Promise<Record<string, number>> {
  const rows = await server.bigquery.run(
    `select partition_id, unix_millis(last_modified_time) from stats.INFORMATION_SCHEMA.PARTITIONS where table_name = '${table}'`,
  );
  return Object.fromEntries(rows.map(([id, at]) => [typeof id === "string" ? id : "", Number(at)]));
}

describe("the metadata of partitions", () => {
  test("has rows and bytes of each, and NULL for a table without", async () => {
    expect(await partitions()).toEqual([
      ["daily", "20240102", "2", "34"],
      ["daily", "20240103", "1", "21"],
      ["daily", "__NULL__", "1", "14"],
      ["hourly", "2024010205", "2", "16"],
      ["hourly", "2024010206", "1", "8"],
      ["whole", null, "2", "16"],
    ]);
  });

  test("moves only for what a statement touches, and forgets a partition that is empty", async () => {
    const at = await modified("daily");
    const lastModified = async () =>
      Number((await server.client.dataset("stats").table("daily").getMetadata())[0].lastModifiedTime);
    const tableAt = await lastModified();
    await server.bigquery.run("update stats.daily set score = 9 where d = '2024-01-03'");
    const then = await modified("daily");
    expect(then["20240102"]).toBe(at["20240102"]);
    expect(then["20240103"]).toBeGreaterThan(at["20240103"] ?? 0);
    expect(await lastModified()).toBeGreaterThan(tableAt);
    await server.bigquery.run("delete from stats.daily where d = '2024-01-03'");
    expect(Object.keys(await modified("daily")).toSorted()).toEqual(["20240102", "__NULL__"]);
    server.bigquery.insert("stats.daily", [["2024-01-09", "new", 1]]);
    expect(Object.keys(await modified("daily"))).toContain("20240109");
  });

  test("are ranges of whole numbers, too, named by their first", async () => {
    await server.bigquery.run(
      "create table stats.numbered (ds int64) partition by range_bucket(ds, generate_array(20240000, 20250000, 100))",
    );
    await server.bigquery.run(
      "insert into stats.numbered values (20240131), (20240102), (20240201), (20250000), (7), (null)",
    );
    const [metadata] = await server.client.dataset("stats").table("numbered").getMetadata();
    expect(metadata.rangePartitioning).toEqual({
      field: "ds",
      range: { start: "20240000", end: "20250000", interval: "100" },
    });
    expect(Object.keys(await modified("numbered")).toSorted()).toEqual([
      "20240100",
      "20240200",
      "__NULL__",
      "__UNPARTITIONED__",
    ]);
    await server.client.query("select ds from stats.numbered where ds between 20240102 and 20240131");
    expect(server.bigquery.stats.queries.at(-1)).toMatchObject({ bytesProcessed: 4 * 8 });
    await server.bigquery.run("drop table stats.numbered");
  });

  test("has columns and tables too", async () => {
    const columns =
      "select column_name, data_type, is_partitioning_column from stats.INFORMATION_SCHEMA.COLUMNS where table_name = 'hourly'";
    expect(await server.bigquery.run(columns)).toEqual([["seen", "TIMESTAMP", "YES"]]);
    const tables =
      "select count(*) from `test-project`.stats.information_schema.tables where tables.table_type = 'BASE TABLE'";
    expect(await server.bigquery.run(tables)).toEqual([["4"]]);
  });
});

describe("a table that requires a filter on its partitions", () => {
  test.each([
    ["select 1 from stats.daily", false],
    ["select 1 from stats.daily where date_trunc(d, month) = '2024-01-01'", false],
    ["select 1 from stats.daily where d = (select max(d) from stats.daily where d > '2024-01-01')", false],
    ["select 1 from stats.daily where d = '2024-01-02' or player = 'ann'", false],
    ["select 1 from stats.daily as a join stats.daily as b using (d) where a.d = '2024-01-02'", false],
    ["update stats.daily set score = 1 where true", false],
    ["select 1 from stats.ingested", false],
    ["select 1 from stats.daily where d = '2024-01-02'", true],
    ["select 1 from stats.daily where '2024-01-02' <= d and player = 'ann'", true],
    ["select 1 from stats.daily where d in ('2024-01-02', '2024-01-03') or d is null", true],
    ["select 1 from (select d from stats.daily) where d between '2024-01-02' and '2024-01-03'", true],
    ["select 1 from stats.ingested where _PARTITIONDATE >= '2024-01-02'", true],
    ["insert into stats.daily values ('2024-01-04', 'cid', 1)", true],
  ])("%s: %s", async (sql, isRead) => {
    const reading = server.client.query(sql);
    if (isRead) await reading;
    else
      await expect(reading).rejects.toThrow(
        /Cannot query over table 'test-project\.stats\.\w+' without a filter over column\(s\) '.+' that can be used for partition elimination/,
      );
  });
});

test("a table partitioned by ingestion knows when by its pseudo columns", async () => {
  server.bigquery.insert("stats.ingested", [[1]], "2024-01-02");
  await server.bigquery.run(
    "insert into stats.ingested (_PARTITIONTIME, score) values (timestamp '2024-01-03', 2)",
  );
  await server.bigquery.run("update stats.ingested set score = 3 where _PARTITIONDATE = '2024-01-03'");
  expect(
    await server.bigquery.run(
      "select score, _PARTITIONDATE from stats.ingested where _PARTITIONTIME > '2024-01-01' order by 1",
    ),
  ).toEqual([
    ["1", "2024-01-02"],
    ["3", "2024-01-03"],
  ]);
  expect(Object.keys(await modified("ingested"))).toEqual(["20240102", "20240103"]);
});

test("what is in the streaming buffer is seen by queries, and is in no count and out of reach of DML", async () => {
  server.bigquery.stream("stats.daily", [["2024-01-03", "cid", 5]]);
  const count = "select count(*) from stats.daily where d = '2024-01-03'";
  expect(await server.bigquery.run(count)).toEqual([["2"]]);
  const [metadata] = await server.client.dataset("stats").table("daily").getMetadata();
  expect(metadata).toMatchObject({ numRows: "4", streamingBuffer: { estimatedRows: "1" } });
  expect(await partitions()).toContainEqual(["daily", "20240103", "1", "21"]);
  expect(await partitions()).toContainEqual(["daily", "__UNPARTITIONED__", "1", "21"]);
  const deleting = server.bigquery.run("delete from stats.daily where d = '2024-01-03'");
  await expect(deleting).rejects.toThrow("would affect rows in the streaming buffer");
  server.bigquery.flush("stats.daily");
  expect(await partitions()).toContainEqual(["daily", "20240103", "2", "42"]);
});

describe("what a query costs", () => {
  const stat = () => server.bigquery.stats.queries.at(-1);

  test.each([
    ["the columns that it names", "select score from stats.whole", 16, 1],
    ["nothing where it names none", "select count(*) from stats.whole", 0, 0],
    [
      "the partitions that a bare comparison leaves",
      "select player from stats.daily where d = '2024-01-02'",
      16 + 10,
      1,
    ],
    [
      "all partitions that it may have to read",
      "select score from stats.daily where d >= '2024-01-01'",
      24 + 16,
      1,
    ],
    [
      "every partition where a function hides the column",
      "select 1 from stats.hourly where date(seen) = '2024-01-02'",
      24,
      1,
    ],
    ["at least 10 MB for each table", "select a.score, seen from stats.whole as a, stats.hourly", 40, 2],
    [
      "a table once, however often it is named",
      "select a.score + b.score from stats.whole as a, stats.whole as b",
      16,
      1,
    ],
    ["10 MB for metadata", "select count(*) from stats.INFORMATION_SCHEMA.TABLES", 10 * mebibytes, 1],
  ])("is %s", async (_, query, bytesProcessed, tables) => {
    await server.client.query(query);
    expect(stat()).toMatchObject({ bytesProcessed, bytesBilled: tables * 10 * mebibytes, cacheHit: false });
  });

  test("counts every column of the rows that a DELETE or UPDATE writes anew", async () => {
    await server.client.query("delete from stats.daily where d = '2024-01-02'");
    expect(stat()).toMatchObject({ bytesProcessed: 34, statementType: "DELETE" });
  });

  test("is known from a dry run, by its parameters, for free", async () => {
    const [job] = await server.client.createQueryJob({
      query: "select player, @who as who from stats.daily where d >= @from",
      params: { from: BigQuery.date("2024-01-03") },
      dryRun: true,
    });
    expect(job.metadata.statistics).toMatchObject({
      totalBytesProcessed: "13",
      query: {
        statementType: "SELECT",
        schema: { fields: [{ name: "player" }, { name: "who" }] },
        undeclaredQueryParameters: [{ name: "who", parameterType: { type: "INT64" } }],
      },
    });
    expect(stat()).toMatchObject({ dryRun: true, bytesBilled: 0 });
  });

  test("is refused above the limit, which counts 10 MB for each table", async () => {
    const query = { query: "select score from stats.whole", labels: { purpose: "profile" } };
    const limited = server.client.query({ ...query, maximumBytesBilled: "16" });
    expect(await server.reasonOf(limited)).toBe("bytesBilledLimitExceeded");
    await server.client.query({ ...query, maximumBytesBilled: String(10 * mebibytes) });
    expect(server.bigquery.stats.queries).toMatchObject([
      { error: "bytesBilledLimitExceeded", labels: { purpose: "profile" } },
      { error: null, labels: { purpose: "profile" } },
    ]);
  });

  test("is nothing when the answer is in the cache, until a table changes", async () => {
    const ask = (useQueryCache = true) =>
      server.client.query({ query: "select sum(score) as x from stats.whole", useQueryCache });
    await ask();
    const [rows] = await ask();
    expect(rows).toEqual([{ x: 3 }]);
    expect(stat()).toMatchObject({ cacheHit: true, bytesBilled: 0 });
    await ask(false);
    expect(stat()).toMatchObject({ cacheHit: false });
    server.bigquery.insert("stats.whole", [[4]]);
    expect((await ask())[0]).toEqual([{ x: 7 }]);
    expect(stat()).toMatchObject({ cacheHit: false, bytesProcessed: 24 });
  });
});

// The engine is handed only what the scans of a query can see of a table; a table without partitions is handed over whole.
describe("what a partitioned table answers is what a table without partitions answers", () => {
  const rows = [
    ["2024-01-02", "ann", 1],
    ["2024-01-02", "bob", null],
    ["2024-01-03", "ann", 3],
    ["2024-01-04", "bob", 2],
    [null, "lost", 4],
  ];
  const columns = { d: "DATE", player: "STRING", score: "INT64" };

  test.each([
    ["a filter", "select * from stats.parted as t where d between '2024-01-03' and '2024-01-09'"],
    ["no column at all", "select count(*) from stats.parted as t where d < '2024-01-04'"],
    ["no filter", "select count(score), count(d) from stats.parted as t"],
    [
      "the row as a whole",
      "select to_json_string(t) from stats.parted as t where d >= '2024-01-03' order by 1",
    ],
    ["rows without a date", "select player from stats.parted as t where d is null"],
    [
      "a filter above a window",
      "select * from (select d, lag(d) over (order by d) from stats.parted as t) where d = '2024-01-04'",
    ],
    [
      "a filter above a limit",
      "select count(*) from (select d from stats.parted as t order by d desc limit 2) where d = '2024-01-02'",
    ],
    [
      "a window's own filter",
      "select d from stats.parted as t where player = 'ann' qualify lag(d) over (order by d) is not null",
    ],
    [
      "what an outer join did not find",
      "select w.score from stats.whole as w left join stats.parted as t on t.score = w.score + 2 where t.d is null",
    ],
    [
      "an outer join's later dates",
      "select w.score, d from stats.whole as w left join stats.parted as t using (score) where d is null or d > '2024-01-03'",
    ],
    [
      "a filter in a subquery about the row outside",
      "select d, exists (select 1 from stats.whole where t.d = '2024-01-03') from stats.parted as t where player = 'ann' order by d",
    ],
    [
      "two readings with filters of their own",
      "select a.player, b.score from stats.parted as a cross join stats.parted as b where a.d = '2024-01-03' and b.d = '2024-01-04'",
    ],
    [
      "two readings of which one has a filter",
      "select (select count(*) from stats.parted as t), (select count(*) from stats.parted as t where d = '2024-01-03')",
    ],
    [
      "a table that it makes",
      "create or replace table stats.made as select player from stats.parted as t where d = '2024-01-03'",
    ],
  ])("%s", async (_, sql) => {
    server.bigquery.define(
      { name: "stats.parted", columns, partition: { column: "d" }, rows },
      { name: "stats.flat", columns, rows },
    );
    const answerOf = async (statement: string) => {
      const answer = await server.bigquery.run(statement);
      return statement.startsWith("create") ? server.bigquery.run("select * from stats.made") : answer;
    };
    const answer = await answerOf(sql);
    expect(answer).not.toEqual([]);
    expect(answer).toEqual(await answerOf(sql.replaceAll("parted", "flat")));
  });
});
