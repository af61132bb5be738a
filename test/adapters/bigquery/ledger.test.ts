import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { emptyLedgerRecords } from "../../../src/core/ledger-records.ts";
import { partBytesMax } from "../../../src/adapters/bigquery/ledger-parts.ts";
import {
  cellOf,
  cycleOf,
  decisionOf,
  endOf,
  eventOf,
  hourMs,
  noon,
  startOf,
} from "../../contract/ledger-records.ts";
import { describeLedgerContract } from "../../contract/ledger.ts";
import type { Fault } from "../../support/bigquery/faults.ts";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import { openLedger } from "./open.ts";

let server: BigQueryServer;
beforeAll(async () => {
  server = await startBigQuery();
});
afterAll(() => server.stop());

let datasets = 0;
function newDataset(): string {
  datasets += 1;
  return `ledger_${datasets}`;
}

describeLedgerContract("a BigQuery dataset", () => {
  const dataset = newDataset();
  return Promise.resolve({
    open: () => openLedger(server, dataset),
    cleanup: () => Promise.resolve(),
  });
});

let dataset: string;
let ledger: ReturnType<typeof openLedger>;
beforeEach(async () => {
  dataset = newDataset();
  ledger = openLedger(server, dataset);
  await ledger.create();
  server.stats.clear();
});
afterEach(() => server.faults.clear());

const callsOf = (name: string) => server.stats.calls.filter((call) => call === name).length;
const inserts = () => server.stats.queries.filter(({ statementType }) => statementType === "INSERT");
const rowsIn = async (table: string) =>
  Number((await server.run(`select count(*) from ${dataset}.${table}`))[0]?.[0]);
const micros = (ms: number) => new Date(ms).toISOString();

describe("making a ledger", () => {
  it("makes the dataset with described tables of days, and is one call where all is there", async () => {
    await ledger.create();
    expect(server.stats.calls).toEqual(["tables.get"]);
    expect(await resource(`datasets/${dataset}/tables/records`)).toMatchObject({
      description: expect.stringContaining("only ever added to") as string,
      timePartitioning: { type: "DAY", field: "recorded_at" },
      schema: {
        fields: ["recorded_at", "kind", "id", "part", "parts", "body"].map((name) => ({
          name,
          mode: "REQUIRED",
          description: expect.stringMatching(/\.$/) as string,
        })),
      },
    });
    expect(await resource(`datasets/${dataset}/tables/survey_notes`)).toMatchObject({
      timePartitioning: { type: "DAY", field: "recorded_at", expirationMs: String(90 * 86_400_000) },
    });
    const tables = (await resource(`datasets/${dataset}/tables`)) as {
      tables: { tableReference: { tableId: string } }[];
    };
    for (const { tableReference } of tables.tables) {
      const found = await resource(`datasets/${dataset}/tables/${tableReference.tableId}`);
      expect(found).toMatchObject({ description: expect.stringMatching(/^.{20,}\.$/) as string });
    }
  });

  it("is done by several processes at once", async () => {
    const other = newDataset();
    await Promise.all([1, 2, 3].map(() => openLedger(server, other).create()));
    await openLedger(server, other).recordStart(startOf("a"));
    expect((await openLedger(server, other).read(noon)).unfinished).toHaveLength(1);
  });

  it("is finished by the next one where it was broken off", async () => {
    const other = newDataset();
    server.faults.add({ call: "tables.insert", fault: { kind: "error", reason: "accessDenied" } });
    await expect(openLedger(server, other).create()).rejects.toMatchObject({ code: "ledger_unavailable" });
    expect(await openLedger(server, other).read(noon)).toEqual(emptyLedgerRecords);
    await openLedger(server, other).create();
    await openLedger(server, other).recordStart(startOf("a"));
  });

  it("says what to do where it may not make the dataset", async () => {
    server.faults.add({
      call: "datasets.insert",
      fault: {
        kind: "error",
        reason: "accessDenied",
        message:
          "Access Denied: Project test-project: User does not have bigquery.datasets.create permission",
      },
    });
    await expect(openLedger(server, "elsewhere").create()).rejects.toMatchObject({
      code: "ledger_unavailable",
      path: "test-project.elsewhere",
      message: expect.stringContaining(
        "the ledger in the BigQuery dataset test-project.elsewhere cannot be made: Access Denied",
      ) as string,
      hint: expect.stringMatching(
        /roles\/bigquery.dataEditor on the dataset.*make it by hand first/,
      ) as string,
    });
  });

  it("refuses a dataset in another location than that of the jobs", async () => {
    const elsewhere = openLedger(server, newDatasetWith("orders"), { location: "EU" });
    await expect(elsewhere.create()).rejects.toMatchObject({
      code: "ledger_unavailable",
      message: expect.stringMatching(/in EU, where the jobs run, found it in US/) as string,
    });
  });

  it("refuses a dataset whose table of records is none of a ledger, and does not touch it", async () => {
    const other = openLedger(server, newDatasetWith("records"));
    const refusal = {
      code: "ledger_unavailable",
      message: expect.stringContaining("found another table records") as string,
      hint: expect.stringContaining("a dataset of its own") as string,
    };
    await expect(other.create()).rejects.toMatchObject(refusal);
    await expect(other.read(noon)).rejects.toMatchObject(refusal);
    await expect(other.recordStart(startOf("a"))).rejects.toMatchObject(refusal);
  });

  it("refuses a ledger of a later version by its number", async () => {
    for (const table of ["records", "survey_notes"]) {
      await fetch(
        `${server.url}/bigquery/v2/projects/${server.projectId}/datasets/${dataset}/tables/${table}`,
        {
          method: "PATCH",
          body: JSON.stringify({ labels: { gap_reconciler_schema: "2" } }),
        },
      );
    }
    const refusal = {
      code: "ledger_unavailable",
      message: expect.stringContaining("tables of version 2") as string,
      hint: expect.stringContaining("later version") as string,
    };
    await expect(ledger.read(noon)).rejects.toMatchObject(refusal);
    await expect(ledger.recordStart(startOf("a"))).rejects.toMatchObject(refusal);
    await expect(ledger.create()).rejects.toMatchObject(refusal);
  });
});

describe("a ledger that is not there", () => {
  it("reads as empty and is not made by reading", async () => {
    const absent = openLedger(server, newDataset());
    expect(await absent.read(noon)).toEqual(emptyLedgerRecords);
    expect(await absent.decisions()).toEqual([]);
    expect(await absent.history({ processor: "scores", date: cellOf().date })).toEqual([]);
    expect(await absent.since(0)).toEqual({ gapEvents: [], ends: [], decisions: [], cycles: [] });
    expect(await absent.memory.read()).toEqual([]);
    expect(server.stats.calls.filter((call) => call !== "tables.get")).toEqual([]);
  });

  it("is not made by a record either, which says how to make it", async () => {
    const absent = openLedger(server, newDataset());
    await expect(absent.recordStart(startOf("a"))).rejects.toMatchObject({
      code: "ledger_missing",
      message: expect.stringContaining("expected the ledger in the BigQuery dataset test-project.") as string,
      hint: expect.stringContaining("--create") as string,
    });
    expect(inserts()).toEqual([]);
  });

  it("is missed by a process that wrote to it before, and begins anew where it is made again", async () => {
    await ledger.recordStart(startOf("a"));
    await fetch(
      `${server.url}/bigquery/v2/projects/${server.projectId}/datasets/${dataset}?deleteContents=true`,
      { method: "DELETE" },
    );
    await expect(ledger.recordStart(startOf("b"))).rejects.toMatchObject({ code: "ledger_missing" });
    expect(await ledger.read(noon)).toEqual(emptyLedgerRecords);
    await ledger.create();
    await ledger.recordStart(startOf("a"));
    expect((await ledger.read(noon)).unfinished).toEqual([startOf("a")]);
  });
});

describe("reading a ledger", () => {
  it("bills nothing, nor does writing it", async () => {
    await ledger.recordStart(startOf("a"));
    await ledger.recordEnd(endOf("a"));
    await ledger.recordCycle(cycleOf("c"), [eventOf()], []);
    await ledger.read(noon);
    await openLedger(server, dataset).history({ processor: "scores", date: cellOf().date });
    expect(inserts()).toHaveLength(3);
    expect(
      server.stats.queries.map(({ statementType, bytesBilled }) => [statementType, bytesBilled]),
    ).toEqual([1, 2, 3].map(() => ["INSERT", 0]));
  });

  it("lists nothing where nothing changed since this process looked", async () => {
    await ledger.recordDecision(decisionOf("a"));
    await ledger.read(noon);
    const listed = callsOf("tabledata.list");
    for (let round = 0; round < 3; round += 1) expect(await ledger.decisions()).toHaveLength(1);
    expect(callsOf("tabledata.list")).toBe(listed);
    await openLedger(server, dataset).recordDecision(decisionOf("b"));
    expect(await ledger.decisions()).toHaveLength(2);
    expect(callsOf("tabledata.list")).toBeGreaterThan(listed);
  });

  it("sees what was added to the past, and that rows are gone", async () => {
    await ledger.recordStart(startOf("a"));
    await ledger.read(noon);
    insertRow("start", "old", { at: noon, body: startBody("old") });
    const ids = async () => (await ledger.read(noon)).unfinished.map(({ repairId }) => repairId);
    expect(await ids()).toEqual(["a", "old"]);
    await server.run(`delete from ${dataset}.records where id = 'old'`);
    expect(await ids()).toEqual(["a"]);
  });

  it("takes of two records of one id the one that was written first, in whatever order it sees them", async () => {
    insertRow("end", "a", { at: noon, body: endBody("a", "lost") });
    expect(await outcomes()).toEqual(["lost"]);
    insertRow("end", "a", { at: noon - 1, body: endBody("a", "repaired") });
    insertRow("end", "a", { at: noon + 1, body: endBody("a", "failed") });
    expect(await outcomes()).toEqual(["repaired"]);
  });

  it("leaves out a record of which a part is missing", async () => {
    insertRow("end", "a", { at: noon, parts: 2, body: endBody("a", "lost") });
    expect(await outcomes()).toEqual([]);
    insertRow("end", "a", { at: noon, part: 2, parts: 2, body: JSON.stringify({ cells: [] }) });
    expect(await outcomes()).toEqual(["lost"]);
    expect(await rowsIn("repair_ends")).toBe(1);
  });

  it("leaves out a kind that it does not know", async () => {
    insertRow("note", "a", { at: noon, body: "{}" });
    expect(await ledger.read(noon)).toEqual(emptyLedgerRecords);
  });

  it.each([
    ["none of JSON", "{", "JSON"],
    ["one without a field", startBody("a").replace("worker", "walker"), "worker: "],
    [
      "one with a date that is none",
      startBody("a").replace("2024-01-31", "2024-02-31"),
      "expected a date, found 2024-02-31",
    ],
  ])("refuses a body that was changed by hand: %s", async (_, body, found) => {
    insertRow("start", "a", { at: noon, body });
    await expect(ledger.read(noon)).rejects.toMatchObject({
      code: "ledger_unavailable",
      message: expect.stringMatching(new RegExp(`found the start a with .*${found}`)) as string,
      hint: expect.stringContaining("by hand") as string,
    });
  });

  it.each<[string, Fault]>([
    ["is refused", { kind: "error", reason: "accessDenied", message: "Access Denied: Table records: no" }],
    ["fails", { kind: "error", reason: "quotaExceeded" }],
    ["is cut off", { kind: "truncate" }],
    ["is never answered", { kind: "hang" }],
  ])("says so where listing %s, and forgets nothing", async (_, fault) => {
    await ledger.recordStart(startOf("a"));
    const hasty = openLedger(server, dataset, { timeoutMs: 300, retryFromMs: 1 });
    server.faults.add({ call: "tabledata.list", times: 5, fault });
    await expect(hasty.read(noon)).rejects.toMatchObject({
      code: "ledger_unavailable",
      path: `test-project.${dataset}`,
      message: expect.stringContaining("cannot be read: ") as string,
      hint: expect.any(String) as string,
    });
    server.faults.clear();
    expect((await hasty.read(noon)).unfinished).toHaveLength(1);
  });

  async function outcomes(): Promise<readonly string[]> {
    return (await ledger.since(0)).ends.map(({ outcome }) => outcome);
  }
});

describe("writing a ledger", () => {
  it("writes many records at once with few statements, each when its statement is done", async () => {
    await Promise.all(Array.from({ length: 100 }, (_, index) => ledger.recordStart(startOf(`r${index}`))));
    expect(inserts()).toHaveLength(1);
    expect((await ledger.read(noon)).unfinished).toHaveLength(100);
  });

  it("writes what is asked for while a statement runs with the next one", async () => {
    server.faults.add({ call: "jobs.insert", fault: { kind: "slow", polls: 3 } });
    const first = ledger.recordStart(startOf("a"));
    while (callsOf("jobs.insert") === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all([first, ...["b", "c", "d"].map((id) => ledger.recordStart(startOf(id)))]);
    expect(inserts()).toHaveLength(2);
  });

  it("cuts a record that is too large for a row or a request, and writes none of it by halves", async () => {
    const cells = Array.from({ length: 4 }, (_, index) =>
      cellOf({ processor: `p${index}`, inputs: { a: '"'.repeat(partBytesMax / 4) } }),
    );
    await ledger.recordEnd(endOf("a", { cells }));
    expect(inserts().length).toBeGreaterThan(1);
    expect((await ledger.since(0)).ends).toEqual([endOf("a", { cells })]);
    server.faults.add({ call: "jobs.insert", fault: { kind: "slow", polls: 1 } });
    server.faults.add({ call: "jobs.insert", fault: { kind: "job_error", reason: "invalid" } });
    await expect(ledger.recordEnd(endOf("b", { cells }))).rejects.toMatchObject({ code: "write_failed" });
    expect((await ledger.since(0)).ends).toHaveLength(1);
    await ledger.recordEnd(endOf("b", { cells }));
    expect((await ledger.since(0)).ends[1]).toEqual(endOf("b", { cells }));
  });

  it.each<[string, Fault]>([
    ["is lost", { kind: "lost_answer" }],
    ["is cut off", { kind: "truncate" }],
  ])("writes a record once where the answer to its statement %s", async (_, fault) => {
    server.faults.add({ call: "jobs.insert", fault });
    await ledger.recordStart(startOf("a"));
    expect(await rowsIn("records")).toBe(1);
  });

  it("writes a record once where two processes write it, or one does again", async () => {
    await ledger.recordStart(startOf("a"));
    await openLedger(server, dataset).recordStart(startOf("a"));
    expect(await rowsIn("records")).toBe(1);
  });

  it.each<[string, Fault, number]>([
    ["cut off", { kind: "cut" }, 1],
    ["refused for a moment", { kind: "error", reason: "backendError" }, 2],
    ["taken, and its job fails for a moment", { kind: "job_error", reason: "jobBackendError" }, 2],
    ["taken, and there are too many like it", { kind: "job_error", reason: "jobRateLimitExceeded" }, 1],
  ])("goes on where a statement is %s", async (_, fault, times) => {
    server.faults.add({ call: "jobs.insert", times, fault });
    await ledger.recordStart(startOf("a"));
    expect(await rowsIn("records")).toBe(1);
  });

  const denied = "Access Denied: Table records: Permission bigquery.tables.updateData denied";
  const jobless = "Access Denied: User does not have bigquery.jobs.create permission in project test-project";
  it.each<[string, Fault, string, RegExp]>([
    [
      "refused",
      { kind: "error", reason: "accessDenied", message: jobless },
      "ledger_unavailable",
      /roles\/bigquery.jobUser on the project test-project/,
    ],
    [
      "refused by its job",
      { kind: "job_error", reason: "accessDenied", message: denied },
      "ledger_unavailable",
      /roles\/bigquery.dataEditor on the dataset test-project\.ledger_/,
    ],
    [
      "out of quota",
      { kind: "job_error", reason: "quotaExceeded" },
      "write_failed",
      /nothing of it was recorded; look at IAM & Admin > Quotas/,
    ],
    ["without billing", { kind: "error", reason: "billingNotEnabled" }, "write_failed", /enable billing/],
    [
      "cancelled by somebody",
      { kind: "job_error", reason: "stopped" },
      "write_failed",
      /nothing of it was recorded/,
    ],
    ["wrong", { kind: "job_error", reason: "invalidQuery" }, "write_failed", /nothing of it was recorded/],
    [
      "failing for good",
      { kind: "job_error", reason: "backendError" },
      "ledger_unavailable",
      /status.cloud.google.com/,
    ],
    ["never answered", { kind: "hang" }, "write_failed", /not known whether/],
    ["never begun", { kind: "slow", polls: 1_000_000 }, "write_failed", /not known whether/],
  ])(
    "records nothing where a statement is %s, says so, and works again later",
    async (_, fault, code, hint) => {
      const isEndless = fault.kind === "hang" || fault.kind === "slow";
      const hasty = openLedger(server, dataset, { timeoutMs: isEndless ? 300 : 10_000, retryFromMs: 1 });
      server.faults.add({ call: "jobs.insert", times: 20, fault });
      await expect(hasty.recordStart(startOf("a"))).rejects.toMatchObject({
        code,
        path: `test-project.${dataset}`,
        message: expect.stringContaining("cannot be written: ") as string,
        hint: expect.stringMatching(hint) as string,
      });
      expect(await rowsIn("records")).toBe(0);
      server.faults.clear();
      await hasty.recordStart(startOf("a"));
      expect(await rowsIn("records")).toBe(1);
      expect((await hasty.read(noon)).unfinished).toEqual([startOf("a")]);
    },
  );

  it("lets the others be written where one cannot", async () => {
    const big = cellOf({ inputs: { a: "x".repeat(900_000) } });
    const ends = ["a", "b", "c", "d", "e", "f"].map((id) => endOf(id, { cells: [big] }));
    server.faults.add({ call: "jobs.insert", fault: { kind: "job_error", reason: "invalid" } });
    const results = await Promise.allSettled(ends.map((end) => ledger.recordEnd(end)));
    const written = results.flatMap(({ status }, index) =>
      status === "fulfilled" ? [ends[index]?.repairId] : [],
    );
    expect(written.length).toBeGreaterThan(0);
    expect(written.length).toBeLessThan(ends.length);
    expect((await ledger.since(0)).ends.map(({ repairId }) => repairId)).toEqual(written);
  });

  it("tells the bill who wrote", async () => {
    const labelled = openLedger(server, dataset, { labels: { team: "data" } });
    await labelled.recordStart(startOf("a"));
    expect(inserts()[0]).toMatchObject({
      jobId: expect.stringMatching(/^gap-reconciler_tests_ledger_[0-9a-f]{64}_1$/) as string,
      labels: { team: "data", pipeline: "tests", target: "local", purpose: "ledger" },
    });
  });
});

function newDatasetWith(table: string): string {
  const other = newDataset();
  server.define({ name: `${other}.${table}`, columns: { id: "INT64" } });
  return other;
}

async function resource(path: string): Promise<unknown> {
  const answer = await fetch(`${server.url}/bigquery/v2/projects/${server.projectId}/${path}`);
  return answer.json();
}

interface Inserted {
  readonly at: number;
  readonly part?: number;
  readonly parts?: number;
  readonly body: string;
}

/** As another process would have written it at that time. */
function insertRow(kind: string, id: string, { at, part = 1, parts = 1, body }: Inserted): void {
  server.insert(`${dataset}.records`, [[micros(at), kind, id, part, parts, body]]);
}

function startBody(id: string): string {
  return JSON.stringify({
    repair_id: id,
    repair: "scores",
    processors: ["scores"],
    dates: ["2024-01-31"],
    attempt: 1,
    token: 7,
    started_at: noon,
    deadline_at: noon + hourMs,
    worker: "host/1/2",
    external_handle: null,
    repair_hash: "r1",
    cycle_id: "c1",
  });
}

function endBody(id: string, outcome: string): string {
  return JSON.stringify({
    repair_id: id,
    repair: "scores",
    attempt: 1,
    started_at: noon,
    ended_at: noon + 1,
    outcome,
    systemic: null,
    error_code: null,
    message: null,
    log_tail: null,
    cells: [],
  });
}
