import { describe, expect, test } from "vitest";
import { fromDay, parseIsoDate } from "../../src/core/iso-date.ts";
import type { RunHistorySpec } from "../../src/core/pipeline.ts";
import type { RunHistoryReading, RunHistoryRequest } from "../../src/reconcile/ports.ts";
import { runHistoryOf } from "../support/pipeline.ts";
import { instant } from "../support/ledger.ts";
import { january, type OpenWarehouse, table, type TableFixture } from "./warehouse-fixture.ts";

/** As a platform has it: a row per run, which is written anew when the run ends. */
const history: TableFixture = {
  name: "ops.runs",
  columns: {
    processor_name: "string",
    run_id: "int",
    status: "string",
    data_date: "date",
    started_at: "timestamptz",
    processed_at: "timestamptz",
    errors: "string",
  },
  rows: [
    ["scores", 1, "running", "2024-01-02", "2024-01-03T06:00:00Z", null, null],
    ["scores", 2, "FAILED", "2024-01-02", "2024-01-03T05:00:00Z", "2024-01-03T05:10:00.500Z", "no route"],
    ["scores", 3, "partial", "2024-01-03", "2024-01-03T04:00:00Z", "2024-01-03T04:10:00Z", null],
    ["scores", 4, "skipped", "2024-01-03", "2024-01-03T04:01:00Z", null, null],
    // Of another processor, another time, another date, and of none at all.
    ["others", 5, "running", "2024-01-02", "2024-01-03T06:00:00Z", null, null],
    ["scores", 6, "running", "2024-01-02", "2023-12-01T06:00:00Z", null, null],
    ["scores", 7, "running", "2024-02-01", "2024-01-03T06:00:00Z", null, null],
    ["scores", 8, "running", "2024-01-02", null, null, null],
    ["scores", 9, "running", null, "2024-01-03T06:00:00Z", null, null],
    [null, 10, "running", "2024-01-02", "2024-01-03T06:00:00Z", null, null],
  ],
};

const spec: RunHistorySpec = runHistoryOf({
  table: table("ops.runs"),
  endedAtColumn: "processed_at",
  errorColumn: "errors",
  runIdColumn: "run_id",
});

const request: RunHistoryRequest = {
  spec,
  names: ["scores", "assists"],
  range: january,
  since: instant("2024-01-01T00:00Z"),
  withErrors: true,
};

function runsOf(reading: RunHistoryReading) {
  if (reading.kind === "failed") throw new Error(`expected runs, found ${reading.failure.message}`);
  return reading.runs;
}

/** Runs in short, such as `2024-01-02 running`. */
const short = (reading: RunHistoryReading) =>
  runsOf(reading).map(({ day, status, runId }) => `${fromDay(day)} ${status} ${runId}`);

export function describeRunHistory(open: OpenWarehouse): void {
  describe("a run history", () => {
    test("is read by processor, date and time of start, newest first, with what each status means", async () => {
      const { warehouse } = await open({ tables: [history] });
      const runs = runsOf(await warehouse.readRunHistory(request));
      expect(runs.map((run) => ({ ...run, day: fromDay(run.day) }))).toEqual([
        {
          name: "scores",
          day: "2024-01-02",
          kind: "running",
          status: "running",
          startedAt: instant("2024-01-03T06:00Z"),
          endedAt: null,
          runId: "1",
          error: null,
        },
        {
          name: "scores",
          day: "2024-01-02",
          kind: "failed",
          status: "FAILED",
          startedAt: instant("2024-01-03T05:00Z"),
          endedAt: instant("2024-01-03T05:10Z") + 500,
          runId: "2",
          error: "no route",
        },
        expect.objectContaining({ day: "2024-01-03", kind: "skipped", runId: "4", endedAt: null }),
        expect.objectContaining({ day: "2024-01-03", kind: "ended", status: "partial", runId: "3" }),
      ]);
    });

    test("leaves out texts of errors that nobody asked for, and cuts long ones", async () => {
      const [first, ...rows] = history.rows ?? [];
      const long = [...(first ?? []).slice(0, 6), "x".repeat(10_000)];
      const { warehouse } = await open({ tables: [{ ...history, rows: [long, ...rows] }] });
      const errors = async (withErrors: boolean) =>
        runsOf(await warehouse.readRunHistory({ ...request, withErrors })).map(
          ({ error }) => error?.length ?? null,
        );
      expect(await errors(true)).toEqual([8192, 8, null, null]);
      expect(await errors(false)).toEqual([null, null, null, null]);
    });

    test("needs no ids, ends or errors, and takes what its filter lets through", async () => {
      const { warehouse } = await open({ tables: [history] });
      const bare = {
        ...spec,
        runIdColumn: null,
        endedAtColumn: null,
        errorColumn: null,
        where: "run_id < 3",
      };
      expect(short(await warehouse.readRunHistory({ ...request, spec: bare }))).toEqual([
        "2024-01-02 running null",
        "2024-01-02 FAILED null",
      ]);
    });

    test.each(["timestamp", "timestamptz"] as const)("dates and times may be of type %s", async (type) => {
      const time = type === "timestamp" ? "2024-01-03 02:00:00" : "2024-01-03T02:00:00Z";
      const rows = [["scores", 1, "running", time, time, null, null]];
      const columns = { ...history.columns, data_date: type, started_at: type, processed_at: type };
      const { warehouse } = await open({ tables: [{ ...history, columns, rows }] });
      const [run] = runsOf(await warehouse.readRunHistory(request));
      // In New York it was the evening before; a time without a zone is a date of New York's, and an instant of UTC's.
      expect(fromDay(run?.day ?? 0)).toBe(type === "timestamp" ? "2024-01-03" : "2024-01-02");
      expect(run?.startedAt).toBe(instant("2024-01-03T02:00Z"));
    });

    test("is read to the 20th run of a processor and date, those with an end before others that began at once", async () => {
      const rows = Array.from({ length: 25 }, (_, minute) => [
        "scores",
        minute,
        minute === 0 ? "success" : "running",
        "2024-01-02",
        "2024-01-03T06:00:00Z",
        minute === 0 ? "2024-01-03T06:10:00Z" : null,
        null,
      ]);
      const { warehouse } = await open({ tables: [{ ...history, rows }] });
      const runs = short(await warehouse.readRunHistory(request));
      expect(runs).toHaveLength(20);
      expect(runs[0]).toBe("2024-01-02 success 0");
    });

    test.each([
      ["its table is missing", { table: table("ops.run") }, "not_found", "ops.run"],
      ["a column is missing", { statusColumn: "state" }, "not_found", "state"],
      ["a time is none", { startedAtColumn: "status" }, "query_failed", "status"],
      ["its filter is no SQL", { where: "run_id <" }, "query_failed", ""],
    ])("that cannot be read, as %s, says so and fails alone", async (_, change, code, says) => {
      const { warehouse, read } = await open({ tables: [history] });
      const reading = await warehouse.readRunHistory({ ...request, spec: { ...spec, ...change } });
      expect(reading).toMatchObject({
        kind: "failed",
        failure: { code, message: expect.stringContaining(says) },
      });
      expect(await read("select count(*) from ops.runs")).toEqual([["10"]]);
    });

    test("is not read when it is called off", async () => {
      const { warehouse } = await open({ tables: [history] });
      const signal = AbortSignal.abort();
      await expect(warehouse.readRunHistory({ ...request, signal })).rejects.toMatchObject({
        code: "interrupted",
      });
    });

    test("takes both ends of the dates", async () => {
      const { warehouse } = await open({ tables: [history] });
      const only = (date: string) => ({ start: parseIsoDate(date), end: parseIsoDate(date) });
      expect(short(await warehouse.readRunHistory({ ...request, range: only("2024-02-01") }))).toEqual([
        "2024-02-01 running 7",
      ]);
    });
  });
}
