import { expect, test } from "vitest";
import { checkLedger } from "../../src/commands/validate-ledger.ts";
import { noon, startOf } from "../contract/ledger-records.ts";
import { ledgerServer } from "../adapters/bigquery/ledger-server.ts";
import { openLedger } from "../adapters/bigquery/open.ts";

const at = ledgerServer();

test("a ledger in BigQuery is read without a job, so that nothing is billed", async () => {
  await at.ledger.recordStart(startOf("a"));
  at.server.stats.clear();
  expect(await checkLedger(openLedger(at.server, at.dataset), noon)).toEqual([]);
  expect(at.callsOf("tabledata.list")).toBeGreaterThan(0);
  expect(at.server.stats.queries).toEqual([]);
});

test("a ledger in BigQuery that is not there yet is nothing wrong, and none is made", async () => {
  expect(await checkLedger(openLedger(at.server, at.newDataset()), noon)).toEqual([]);
  expect(at.callsOf("datasets.insert")).toBe(0);
});

test("a ledger in BigQuery that may not be read, or is another pipeline's, is told with what to do", async () => {
  at.server.faults.add({ call: "tables.get", fault: { kind: "error", reason: "accessDenied" } });
  expect(await checkLedger(openLedger(at.server, at.dataset), noon)).toMatchObject([
    { level: "error", place: "ledger", found: expect.stringContaining("cannot be read") },
  ]);
  const other = openLedger(at.server, at.dataset, { pipeline: "other-shop" });
  expect(await checkLedger(other, noon)).toMatchObject([
    { place: "ledger", hint: expect.stringContaining("other_shop_reconciler") },
  ]);
});
