import { describe, expect, it } from "vitest";
import { partBytesMax } from "../../../src/adapters/bigquery/ledger-parts.ts";
import { cellOf, endOf, noon, startOf } from "../../contract/ledger-records.ts";
import type { Fault } from "../../support/bigquery/faults.ts";
import { ledgerServer } from "./ledger-server.ts";
import { openLedger } from "./open.ts";

const at = ledgerServer();

describe("writing a ledger", () => {
  it("writes many records at once with few statements, each when its statement is done", async () => {
    await Promise.all(Array.from({ length: 100 }, (_, index) => at.ledger.recordStart(startOf(`r${index}`))));
    expect(at.inserts()).toHaveLength(1);
    expect((await at.ledger.read(noon)).unfinished).toHaveLength(100);
  });

  it("writes what is asked for while a statement runs with the next one", async () => {
    at.server.faults.add({ call: "jobs.insert", fault: { kind: "slow", polls: 3 } });
    const first = at.ledger.recordStart(startOf("a"));
    while (at.callsOf("jobs.insert") === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all([first, ...["b", "c", "d"].map((id) => at.ledger.recordStart(startOf(id)))]);
    expect(at.inserts()).toHaveLength(2);
  });

  it("cuts a record that is too large for a row or a request, and writes none of it by halves", async () => {
    const cells = Array.from({ length: 4 }, (_, index) =>
      cellOf({ processor: `p${index}`, inputs: { a: '"'.repeat(partBytesMax / 4) } }),
    );
    await at.ledger.recordEnd(endOf("a", { cells }));
    expect(at.inserts().length).toBeGreaterThan(1);
    const [largest] = await at.server.run(`select max(byte_length(body)) from ${at.dataset}.records`);
    expect(Number(largest?.[0])).toBeLessThanOrEqual(partBytesMax + 100);
    expect((await at.ledger.since(0)).ends).toEqual([endOf("a", { cells })]);
    at.server.faults.add({ call: "jobs.insert", fault: { kind: "slow", polls: 1 } });
    at.server.faults.add({ call: "jobs.insert", fault: { kind: "job_error", reason: "invalid" } });
    await expect(at.ledger.recordEnd(endOf("b", { cells }))).rejects.toMatchObject({ code: "write_failed" });
    expect((await at.ledger.since(0)).ends).toHaveLength(1);
    await at.ledger.recordEnd(endOf("b", { cells }));
    expect((await at.ledger.since(0)).ends[1]).toEqual(endOf("b", { cells }));
  });

  it.each<[string, Fault]>([
    ["is lost", { kind: "lost_answer" }],
    ["is cut off", { kind: "truncate" }],
  ])("writes a record once where the answer to its statement %s", async (_, fault) => {
    at.server.faults.add({ call: "jobs.insert", fault });
    await at.ledger.recordStart(startOf("a"));
    expect(await at.rowsIn("records")).toBe(1);
  });

  it("writes a record once where two processes write it, or one does again", async () => {
    await at.ledger.recordStart(startOf("a"));
    await openLedger(at.server, at.dataset).recordStart(startOf("a"));
    expect(await at.rowsIn("records")).toBe(1);
  });

  it.each<[string, Fault, number]>([
    ["cut off", { kind: "cut" }, 1],
    ["refused for a moment", { kind: "error", reason: "backendError" }, 2],
    ["taken, and its job fails for a moment", { kind: "job_error", reason: "jobBackendError" }, 2],
    ["taken, and there are too many like it", { kind: "job_error", reason: "jobRateLimitExceeded" }, 1],
  ])("goes on where a statement is %s", async (_, fault, times) => {
    at.server.faults.add({ call: "jobs.insert", times, fault });
    await at.ledger.recordStart(startOf("a"));
    expect(await at.rowsIn("records")).toBe(1);
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
      const hasty = openLedger(at.server, at.dataset, {
        timeoutMs: isEndless ? 1_500 : 20_000,
        retryFromMs: 1,
      });
      at.server.faults.add({ call: "jobs.insert", times: 20, fault });
      await expect(hasty.recordStart(startOf("a"))).rejects.toMatchObject({
        code,
        path: `test-project.${at.dataset}`,
        message: expect.stringContaining("cannot be written: ") as string,
        hint: expect.stringMatching(hint) as string,
      });
      expect(await at.rowsIn("records")).toBe(0);
      at.server.faults.clear();
      const later = isEndless ? at.ledger : hasty;
      await later.recordStart(startOf("a"));
      expect(await at.rowsIn("records")).toBe(1);
      expect((await later.read(noon)).unfinished).toEqual([startOf("a")]);
    },
  );

  it("lets the others be written where one cannot", async () => {
    const big = cellOf({ inputs: { a: "x".repeat(900_000) } });
    const ends = ["a", "b", "c", "d", "e", "f"].map((id) => endOf(id, { cells: [big] }));
    at.server.faults.add({ call: "jobs.insert", fault: { kind: "job_error", reason: "invalid" } });
    const results = await Promise.allSettled(ends.map((end) => at.ledger.recordEnd(end)));
    const written = results.flatMap(({ status }, index) =>
      status === "fulfilled" ? [ends[index]?.repairId] : [],
    );
    expect(written.length).toBeGreaterThan(0);
    expect(written.length).toBeLessThan(ends.length);
    expect((await at.ledger.since(0)).ends.map(({ repairId }) => repairId)).toEqual(written);
  });

  it("tells the bill who wrote", async () => {
    const labelled = openLedger(at.server, at.dataset, { labels: { team: "data" } });
    await labelled.recordStart(startOf("a"));
    expect(at.inserts()[0]).toMatchObject({
      jobId: expect.stringMatching(/^gap-reconciler_tests_ledger_[0-9a-f]{64}_1$/) as string,
      labels: { team: "data", pipeline: "tests", target: "local", purpose: "ledger" },
    });
  });
});
