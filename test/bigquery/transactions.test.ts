import { BigQuery } from "@google-cloud/bigquery";
import { beforeEach, describe, expect, test } from "vitest";
import { connected } from "./connect.ts";

const server = connected();
const rowsOf = () => server.bigquery.run("select * from stats.scores order by d, player");
const before = [
  ["2024-01-02", "ann", "1"],
  ["2024-01-02", "bob", "2"],
  ["2024-01-03", "ann", "3"],
];

beforeEach(() => {
  server.bigquery.define({
    name: "stats.scores",
    columns: { d: "DATE", player: "STRING not null", score: "INT64" },
    rows: before,
  });
});

type Say = (query: string, params?: Record<string, unknown>) => Promise<unknown[][]>;

/** A session: what is said in it is one statement after the other. */
async function openSession(): Promise<Say> {
  const [job] = await server.client.createQueryJob({ query: "select 1", createSession: true });
  await job.getQueryResults();
  const value: string = job.metadata.statistics.sessionInfo.sessionId;
  return async (query, params = {}) => {
    const [rows] = await server.client.query({
      query,
      params,
      connectionProperties: [{ key: "session_id", value }],
    });
    return rows.map((row: Record<string, unknown>) => Object.values(row));
  };
}

/** What the job of a statement tells of it. */
async function statisticsOf(query: string, params: Record<string, unknown> = {}): Promise<unknown> {
  const [job] = await server.client.createQueryJob({ query, params });
  await job.getQueryResults();
  return (await job.getMetadata())[0].statistics.query;
}

describe("INSERT, UPDATE and DELETE", () => {
  test("change the rows, and say how many", async () => {
    const inserted = await statisticsOf(
      "insert into stats.scores (d, player) select date_add(d, interval 7 day), player from stats.scores where score < 3",
    );
    expect(inserted).toMatchObject({
      numDmlAffectedRows: "2",
      dmlStats: { insertedRowCount: "2", deletedRowCount: "0", updatedRowCount: "0" },
    });
    const updated = await statisticsOf(
      "update stats.scores set score = score + 10, player = concat(player, @x) where d = @d",
      { d: BigQuery.date("2024-01-02"), x: "!" },
    );
    expect(updated).toMatchObject({ numDmlAffectedRows: "2", dmlStats: { updatedRowCount: "2" } });
    const deleted = await statisticsOf(
      "delete from stats.scores where scores.d in unnest(@dates) or player = 'bob'",
      { dates: [BigQuery.date("2024-01-03")] },
    );
    expect(deleted).toMatchObject({ numDmlAffectedRows: "2", dmlStats: { deletedRowCount: "2" } });
    expect(await rowsOf()).toEqual([
      ["2024-01-02", "ann!", "11"],
      ["2024-01-02", "bob!", "12"],
      ["2024-01-09", "ann", null],
    ]);
  });

  test.each([
    ["delete stats.scores", "DELETE must have a WHERE clause"],
    ["insert into stats.scores (d) values ('2024-01-01')", "Required field player cannot be null"],
    [
      "insert into stats.scores (player, score) select player, if(score = 3, cast('x' as int), 1) from stats.scores",
      "Bad int64 value: x",
    ],
    [
      "merge stats.scores using stats.scores as s on false when matched then delete",
      "does not run MergeStatement",
    ],
  ])("change nothing where they are refused: %s", async (sql, message) => {
    await expect(server.client.query(sql)).rejects.toThrow(message);
    expect(await rowsOf()).toEqual(before);
  });
});

describe("a transaction of a session", () => {
  test("is seen by itself alone until it is committed, and then whole", async () => {
    const say = await openSession();
    await say("begin transaction");
    await say("delete from stats.scores where d = '2024-01-02'");
    await say("insert into stats.scores values ('2024-01-04', 'cid', 4), ('2024-01-05', 'cid', 5)");
    await say("update stats.scores set score = 6 where d = '2024-01-05'");
    expect(await say("select sum(score) from stats.scores")).toEqual([[13]]);
    expect(await rowsOf()).toEqual(before);
    await server.bigquery.run("insert into stats.scores values ('2024-01-02', 'dan', 9)");
    expect(await say("select count(*) from stats.scores where player = 'dan'")).toEqual([[0]]);
    await say("commit transaction");
    expect(await rowsOf()).toEqual([
      ["2024-01-02", "dan", "9"],
      ["2024-01-03", "ann", "3"],
      ["2024-01-04", "cid", "4"],
      ["2024-01-05", "cid", "6"],
    ]);
  });

  test("is taken back by ROLLBACK, and by the end of its session", async () => {
    const say = await openSession();
    await say("begin");
    await say("delete from stats.scores where true");
    await say("rollback transaction");
    await say("begin");
    await say("delete from stats.scores where true");
    await say("call bq.abort_session()");
    expect(await rowsOf()).toEqual(before);
    await expect(say("select 1")).rejects.toThrow("is not found or has ended");
  });

  test("that deletes or updates a table after another began to is cancelled", async () => {
    const [first, second] = [await openSession(), await openSession()];
    await first("begin");
    await second("begin");
    await first("update stats.scores set score = 7 where player = 'bob'");
    await second("insert into stats.scores values ('2024-02-01', 'second', 0)");
    await expect(second("delete from stats.scores where player = 'ann'")).rejects.toThrow(
      "Transaction is aborted due to concurrent update against table test-project:stats.scores",
    );
    await expect(second("commit")).rejects.toThrow("no active transaction");
    await first("commit");
    expect(await rowsOf()).toEqual([before[0], ["2024-01-02", "bob", "7"], before[2]]);
  });

  test("that began before another's deletes were committed cannot delete from that table any more", async () => {
    const say = await openSession();
    await say("begin");
    await server.bigquery.run("delete from stats.scores where player = 'bob'");
    expect(await say("select count(*) from stats.scores")).toEqual([[3]]);
    await expect(say("delete from stats.scores where true")).rejects.toThrow("Transaction is aborted");
  });

  test("makes a DELETE outside of it wait, and an INSERT not", async () => {
    const say = await openSession();
    await say("begin");
    await say("delete from stats.scores where player = 'ann'");
    let isOver = false;
    const outside = server.client.query("delete from stats.scores where player = 'bob'").then(() => {
      isOver = true;
    });
    await server.client.query("insert into stats.scores values ('2024-03-01', 'eve', 5)");
    expect(isOver).toBe(false);
    await say("commit");
    await outside;
    expect(await rowsOf()).toEqual([["2024-03-01", "eve", "5"]]);
  });

  test("has the temporary tables of its session", async () => {
    const [say, other] = [await openSession(), await openSession()];
    await say("create temp table staged as select * from stats.scores where player = @p", { p: "ann" });
    await say("begin");
    await say("insert into stats.scores select date_add(staged.d, interval 1 month), player, 0 from staged");
    await say("commit");
    expect(await say("select count(*) from stats.scores")).toEqual([[5]]);
    await expect(other("select * from staged")).rejects.toThrow("must be qualified with a dataset");
    await expect(server.client.query("create temp table t as select 1 as a")).rejects.toThrow(
      "requires a script or session",
    );
  });
});

describe("a script", () => {
  test("is one transaction where it says so, taken back where a statement fails", async () => {
    const script = (rows: number) => `begin transaction;
      delete from stats.scores where player = 'ann';
      assert (select count(*) from stats.scores) = ${rows} as 'expected ${rows} rows';
      commit transaction;
      select count(*) as n from stats.scores; -- the end`;
    await expect(server.client.query(script(2))).rejects.toThrow("expected 2 rows");
    expect(await rowsOf()).toEqual(before);
    const [rows] = await server.client.query(script(1));
    expect(rows).toEqual([{ n: 1 }]);
    expect(server.bigquery.stats.queries.at(-1)).toMatchObject({ statementType: "SCRIPT", error: null });
  });

  test("is needed for a transaction, or a session is", async () => {
    await expect(server.client.query("begin")).rejects.toThrow("only in scripts or sessions");
  });
});
