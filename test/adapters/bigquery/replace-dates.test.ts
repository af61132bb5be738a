import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseIsoDate } from "../../../src/core/iso-date.ts";
import type { CoverageExpectation } from "../../../src/core/pipeline.ts";
import { ReconcilerError } from "../../../src/errors.ts";
import type { ReplaceRequest } from "../../../src/reconcile/ports.ts";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import { pipelineOf, type ProcessorSketch } from "../../support/pipeline.ts";
import { table } from "../../contract/warehouse-fixture.ts";
import { openWarehouse, readRows } from "./open.ts";

let server: BigQueryServer;
beforeEach(async () => {
  server = await startBigQuery();
  server.define(
    {
      name: "raw.results",
      columns: { d: "DATE", player: "STRING", points: "INT64" },
      rows: ["2024-01-01", "2024-01-02"].flatMap((date) => [
        [date, "ann", 10],
        [date, "bob", 20],
      ]),
    },
    {
      name: "stats.scores",
      columns: { game_date: "DATE not null", player: "STRING not null", points: "INT64" },
      partition: { column: "game_date", requireFilter: true },
      rows: [["2024-01-05", "kept", 1]],
    },
  );
});
afterEach(() => server.stop());

const sql =
  "select d as game_date, player, points from raw.results where d between @start_date and @end_date";
const written = () =>
  readRows(
    server,
    "select game_date, player, points from stats.scores where game_date >= '2024-01-01' order by 1, 2, 3",
  );
const kept = ["2024-01-05", "kept", "1"];

function open(sketch: ProcessorSketch = {}) {
  const { processors } = pipelineOf({ processors: { scores: { table: table("stats.scores"), ...sketch } } });
  const warehouse = openWarehouse(server, { processors, schedules: [] });
  const [processor] = processors;
  if (processor === undefined) throw new Error("there is no processor");
  const replace = (overrides: Partial<ReplaceRequest> = {}) =>
    warehouse.replaceDates({
      processor,
      sql,
      leaveNull: [],
      audit: null,
      dates: ["2024-01-01", "2024-01-02"].map(parseIsoDate),
      token: 10,
      repairId: "r1",
      timeoutMs: 100_000,
      signal: new AbortController().signal,
      ...overrides,
    });
  return { warehouse, processor, replace };
}

const statements = () => server.stats.queries.filter(({ dryRun }) => !dryRun);
const ended = () => statements().filter(({ sql: text }) => /abort_session/.test(text)).length;
const began = () => statements().filter(({ sql: text }) => text.startsWith("create temp table")).length;

/** Waits for a job that is slow: no other is asked for twice. */
async function askedTwice(): Promise<void> {
  const asked = "jobs.getQueryResults";
  await expect
    .poll(() => server.stats.calls.some((call, index, all) => call === asked && all[index - 1] === asked))
    .toBe(true);
}

test("a repair takes its dates by `@start_date` too, and ends its session", async () => {
  expect(await open().replace()).toEqual({ rowsDeleted: 0, rowsInserted: 4, refused: [] });
  expect([began(), ended()]).toEqual([1, 1]);
  for (const { labels } of statements()) expect(["repair", "fence"]).toContain(labels["purpose"]);
  expect(await written()).toHaveLength(5);
});

test("a view is refused before anything is staged", async () => {
  await server.run("create view stats.shown as select * from stats.scores where game_date > '2020-01-01'");
  const { replace } = open({ table: table("stats.shown") });
  await expect(replace()).rejects.toMatchObject({
    code: "repair_contract",
    message: expect.stringMatching(/expected stats\.shown to be a table, found a view/),
  });
  expect(began()).toBe(0);
});

test("the forecast of a repair has the other tables that its audit reads", async () => {
  const coverage: CoverageExpectation = {
    of: { kind: "processor", name: "results" },
    key: "player",
    ofKey: "player",
    min: 1,
    excusedBy: null,
    extra: null,
  };
  const sketch = (more: ProcessorSketch) =>
    pipelineOf({
      processors: {
        scores: { table: table("stats.scores"), ...more },
        results: { table: table("raw.results"), dateColumn: "d" },
      },
    }).processors;
  const forecast = async (more: ProcessorSketch) => {
    const processors = sketch(more);
    const [processor] = processors;
    if (processor === undefined) throw new Error("there is no processor");
    const range = { start: parseIsoDate("2024-01-01"), end: parseIsoDate("2024-01-02") };
    const repair = { processor, sql, leaveNull: [] };
    return openWarehouse(server, { processors, schedules: [] }).forecast({
      processors: [processor],
      repair,
      range,
    });
  };
  const tableBytes = 10 * 2 ** 20;
  expect(await forecast({})).toBe(3 * tableBytes);
  // Twice as many tables before and after, and the other table once more for the audit.
  expect(await forecast({ expect: { coverage, checks: [{ name: "c", sql: "points > 0" }] } })).toBe(
    6 * tableBytes,
  );
});

test("the audit reads nothing but the staged rows, before the transaction begins", async () => {
  await open().replace({ audit: () => [] });
  const texts = statements().map(({ sql: text }) => text);
  const audited = texts.findIndex((text) => text.includes("gr_arms"));
  expect(texts[audited]).toContain("gr_staged");
  expect(texts[audited]).not.toContain("`scores`");
  expect(audited).toBeLessThan(texts.findIndex((text) => text.startsWith("begin transaction")));
});

describe("processes that repair one table at once", () => {
  test("never both fill dates that were empty, and the largest token wins", async () => {
    const tokens = [3, 6, 1, 5, 2, 4];
    const ends = await Promise.allSettled(
      tokens.map((token) =>
        open().replace({ token, repairId: `r${token}`, sql: sql.replace("points", `${token} as points`) }),
      ),
    );
    const codes = ends.map((end) =>
      end.status === "fulfilled"
        ? "written"
        : end.reason instanceof ReconcilerError
          ? end.reason.code
          : String(end.reason),
    );
    expect(codes.filter((code) => code !== "written" && code !== "fence_refused")).toEqual([]);
    expect(codes[1]).toBe("written");
    expect(await written()).toEqual([
      ["2024-01-01", "ann", "6"],
      ["2024-01-01", "bob", "6"],
      ["2024-01-02", "ann", "6"],
      ["2024-01-02", "bob", "6"],
      kept,
    ]);
    expect(ended()).toBe(began());
  });

  test("are cancelled one by the other though their dates differ, and both are written in the end", async () => {
    const dates = ["2024-01-01", "2024-01-02"];
    await Promise.all(dates.map((date) => open().replace({ dates: [parseIsoDate(date)], repairId: date })));
    expect(await written()).toHaveLength(5);
  });

  test("one that a streaming buffer is in the way of is not tried again at once, and says what is in its way", async () => {
    server.stream("stats.scores", [["2024-01-02", "late", 1]]);
    await expect(open().replace()).rejects.toMatchObject({
      code: "write_conflict",
      message: expect.stringMatching(/^rows of these dates are in the streaming buffer of stats\.scores/),
    });
    expect(began()).toBe(1);
    expect(ended()).toBe(1);
  });

  test("one that the table allows never is charged as a failure", async () => {
    const message =
      "DELETE/UPDATE/MERGE DMLs are currently not supported over tables that had UPSERT streams.";
    const refusal = { kind: "job_error", reason: "invalid", message } as const;
    server.faults.add({ call: "jobs.insert", sql: /^delete from .*`scores` /, fault: refusal });
    await expect(open().replace()).rejects.toMatchObject({ code: "warehouse_query_failed", message });
    expect(began()).toBe(1);
  });

  test("one that is cancelled each time says so, and that nobody is to be charged", async () => {
    const conflict = {
      kind: "job_error",
      reason: "invalidQuery",
      message: "Transaction is aborted due to concurrent update",
    } as const;
    server.faults.add({ call: "jobs.insert", sql: /^delete from .*fence/, times: 100, fault: conflict });
    await expect(open().replace()).rejects.toMatchObject({
      code: "write_conflict",
      message: expect.stringMatching(/stats\.scores.*concurrent update/),
    });
    expect(await written()).toEqual([kept]);
    expect(ended()).toBe(began());
  });
});

describe("the fence", () => {
  const cells = [{ processor: "scores", date: parseIsoDate("2024-01-02") }];

  test("is a table beside the one that it guards, which anybody can read", async () => {
    await open().replace();
    expect(
      await readRows(
        server,
        "select processor, date, token, repair_id from stats.gap_reconciler_fence_scores order by 1, 2",
      ),
    ).toEqual([
      ["", null, "0", "r1"],
      ["scores", "2024-01-01", "10", "r1"],
      ["scores", "2024-01-02", "10", "r1"],
    ]);
  });

  test("that was dropped is made again, and so is the row that keeps repairs apart", async () => {
    const { warehouse, replace } = open();
    await replace();
    await server.run("delete from stats.gap_reconciler_fence_scores where processor = ''");
    await replace({ token: 11 });
    expect(await warehouse.lastFence(cells)).toBe(11);
    server.drop("stats.gap_reconciler_fence_scores");
    await expect(replace({ token: 12 })).rejects.toMatchObject({ code: "warehouse_query_failed" });
    await replace({ token: 12 });
    expect(await warehouse.lastFence(cells)).toBe(12);
    expect(await written()).toHaveLength(5);
  });
});

describe("a repair that is stopped", () => {
  const slow = { kind: "slow", polls: 1_000_000 } as const;

  test.each([
    ["its SELECT runs", /^create temp table/],
    ["it writes the fence", /^delete from .*fence/],
    ["it writes its rows", /^insert into .*`scores`[^]*gr_staged/],
  ])("while %s takes all of it back and lets the next one write", async (_, text) => {
    const { replace } = open();
    server.faults.add({ call: "jobs.insert", sql: text, fault: slow });
    const stop = new AbortController();
    const running = replace({ signal: stop.signal });
    await askedTwice();
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: "interrupted" });
    expect(await written()).toEqual([kept]);
    await replace({ token: 11 });
    expect(await written()).toHaveLength(5);
  });

  test("by its time limit leaves no session and no transaction behind", async () => {
    const { replace } = open();
    server.faults.add({
      call: "jobs.insert",
      sql: /^delete from `test-project`.`stats`.`scores`/,
      fault: slow,
    });
    await expect(replace({ timeoutMs: 4_000 })).rejects.toMatchObject({ code: "warehouse_timeout" });
    expect(ended()).toBe(1);
    expect(await written()).toEqual([kept]);
    await open().replace();
    expect(await written()).toHaveLength(5);
  });

  test("does not stop its commit half-way", async () => {
    const { replace } = open();
    const stop = new AbortController();
    server.faults.add({ call: "jobs.insert", sql: /^commit/, fault: { kind: "slow", polls: 8 } });
    const running = replace({ signal: stop.signal });
    await askedTwice();
    stop.abort();
    expect(await running).toEqual({ rowsDeleted: 0, rowsInserted: 4, refused: [] });
    expect(await written()).toHaveLength(5);
  });
});

describe("a repair whose process is dead", () => {
  test("keeps others from the table until what it left open is ended, by whoever knows its id", async () => {
    const stop = new AbortController();
    const insertion = /^insert into .*`scores`[^]*gr_staged/;
    server.faults.add({ call: "jobs.insert", sql: insertion, fault: { kind: "slow", polls: 1_000_000 } });
    // It stands still in its transaction, as far as anybody can see for ever.
    const dead = open().replace({ repairId: "dead", signal: stop.signal });
    await askedTwice();
    const { warehouse, processor, replace } = open();
    const kept = await replace({ token: 11, timeoutMs: 3_000 }).catch((error: unknown) => error);
    expect(kept).toMatchObject({ code: expect.stringMatching(/^(warehouse_timeout|write_conflict)$/) });
    await warehouse.endAbandoned("another", [processor]);
    await warehouse.endAbandoned("dead", [processor]);
    await replace({ token: 12, repairId: "r2" });
    expect(await written()).toHaveLength(5);
    // Once more: of what has ended nothing is left to end.
    await warehouse.endAbandoned("dead", [processor]);
    stop.abort();
    await expect(dead).rejects.toBeInstanceOf(Error);
    expect(await written()).toHaveLength(5);
  });
});

test("whoever may not end what a dead process left says so", async () => {
  const { warehouse, processor, replace } = open();
  await replace({ repairId: "dead" });
  const fault = { kind: "job_error", reason: "accessDenied" } as const;
  server.faults.add({ call: "jobs.insert", sql: /^call bq\.abort_session\('/, fault });
  await expect(warehouse.endAbandoned("dead", [processor])).rejects.toMatchObject({
    code: "warehouse_permission",
  });
});

describe("a repair that does not fit", () => {
  test.each([
    [
      "a type that the column has not",
      "select d as game_date, player, player as points from raw.results where d <= @end_date",
      "points",
    ],
    [
      "a name that is not there",
      "select d as game_date, plyer as player from raw.results where d <= @end_date",
      "plyer",
    ],
  ])("by %s is refused before anything runs", async (_, broken, says) => {
    const { replace } = open();
    await expect(replace({ sql: broken })).rejects.toMatchObject({
      code: "repair_contract",
      message: expect.stringContaining(says),
    });
    expect(statements()).toEqual([]);
  });

  test("by a value that the table refuses writes nothing", async () => {
    const nothing = sql.replace("player,", "if(points = 20, null, player) as player,");
    await expect(open().replace({ sql: nothing })).rejects.toMatchObject({
      code: "write_failed",
      message: expect.stringContaining("stats.scores"),
    });
    expect(await written()).toEqual([kept]);
    expect(ended()).toBe(1);
  });

  test("as it is partitioned by arrival, which no SELECT returns, says what to do", async () => {
    server.define({ name: "stats.arrived", columns: { player: "STRING" }, partition: { column: null } });
    const { replace } = open({ table: table("stats.arrived"), dateColumn: "_PARTITIONDATE" });
    await expect(replace()).rejects.toMatchObject({
      code: "repair_contract",
      hint: expect.stringContaining("command"),
    });
  });
});
