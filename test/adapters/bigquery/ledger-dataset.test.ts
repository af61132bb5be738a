import { describe, expect, it } from "vitest";
import { emptyLedgerRecords } from "../../../src/core/ledger-records.ts";
import { cellOf, noon, startOf } from "../../contract/ledger-records.ts";
import { ledgerServer } from "./ledger-server.ts";
import { openLedger } from "./open.ts";

const at = ledgerServer();

describe("making a ledger", () => {
  it("makes the dataset with described tables of days, and is one call where all is there", async () => {
    await at.ledger.create();
    expect(at.server.stats.calls).toEqual(["tables.get"]);
    expect(await at.resource(`datasets/${at.dataset}/tables/records`)).toMatchObject({
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
    expect(await at.resource(`datasets/${at.dataset}/tables/survey_notes`)).toMatchObject({
      timePartitioning: { type: "DAY", field: "recorded_at", expirationMs: String(90 * 86_400_000) },
    });
    const tables = (await at.resource(`datasets/${at.dataset}/tables`)) as {
      tables: { tableReference: { tableId: string } }[];
    };
    for (const { tableReference } of tables.tables) {
      const found = await at.resource(`datasets/${at.dataset}/tables/${tableReference.tableId}`);
      expect(found).toMatchObject({ description: expect.stringMatching(/^.{20,}\.$/) as string });
    }
  });

  it("is done by several processes at once", async () => {
    const other = at.newDataset();
    await Promise.all([1, 2, 3].map(() => openLedger(at.server, other).create()));
    await openLedger(at.server, other).recordStart(startOf("a"));
    expect((await openLedger(at.server, other).read(noon)).unfinished).toHaveLength(1);
  });

  it("is finished by the next one where it was broken off", async () => {
    const other = at.newDataset();
    at.server.faults.add({ call: "tables.insert", fault: { kind: "error", reason: "accessDenied" } });
    await expect(openLedger(at.server, other).create()).rejects.toMatchObject({ code: "ledger_unavailable" });
    expect(await openLedger(at.server, other).read(noon)).toEqual(emptyLedgerRecords);
    await openLedger(at.server, other).create();
    await openLedger(at.server, other).recordStart(startOf("a"));
  });

  it("says what to do where it may not make the dataset", async () => {
    at.server.faults.add({
      call: "datasets.insert",
      fault: {
        kind: "error",
        reason: "accessDenied",
        message:
          "Access Denied: Project test-project: User does not have bigquery.datasets.create permission",
      },
    });
    await expect(openLedger(at.server, "elsewhere").create()).rejects.toMatchObject({
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
    const elsewhere = openLedger(at.server, newDatasetWith("orders"), { location: "EU" });
    await expect(elsewhere.create()).rejects.toMatchObject({
      code: "ledger_unavailable",
      message: expect.stringMatching(/in EU, where the jobs run, found it in US/) as string,
    });
  });

  it("says that the ledger is elsewhere, where the config names another location since", async () => {
    const elsewhere = openLedger(at.server, at.dataset, { location: "EU" });
    await expect(elsewhere.recordStart(startOf("a"))).rejects.toMatchObject({
      code: "ledger_unavailable",
      message: expect.stringMatching(/not in the location in which jobs run: .*in location EU/) as string,
      hint: expect.stringContaining("correct warehouse.location") as string,
    });
  });

  it("refuses a dataset whose table of records is none of a ledger, and does not touch it", async () => {
    const other = openLedger(at.server, newDatasetWith("records"));
    const refusal = {
      code: "ledger_unavailable",
      message: expect.stringContaining("found another table records") as string,
      hint: expect.stringContaining("a dataset of its own") as string,
    };
    await expect(other.create()).rejects.toMatchObject(refusal);
    await expect(other.read(noon)).rejects.toMatchObject(refusal);
    await expect(other.recordStart(startOf("a"))).rejects.toMatchObject(refusal);
  });

  it("refuses the ledger of another pipeline, whose records are none of this one's", async () => {
    const other = openLedger(at.server, at.dataset, { pipeline: "other-shop" });
    const refusal = {
      code: "ledger_unavailable",
      message: expect.stringMatching(/is the pipeline .+'s, and this is the pipeline other-shop/) as string,
      hint: expect.stringContaining("such as other_shop_reconciler") as string,
    };
    await expect(other.create()).rejects.toMatchObject(refusal);
    await expect(other.read(noon)).rejects.toMatchObject(refusal);
    await expect(other.recordStart(startOf("a"))).rejects.toMatchObject(refusal);
  });

  it("refuses a ledger of a later version by its number", async () => {
    for (const table of ["records", "survey_notes"]) {
      await at.resource(`datasets/${at.dataset}/tables/${table}`, "PATCH", {
        labels: { gap_reconciler_schema: "2" },
      });
    }
    const refusal = {
      code: "ledger_unavailable",
      message: expect.stringContaining("tables of version 2") as string,
      hint: expect.stringContaining("later version") as string,
    };
    await expect(at.ledger.read(noon)).rejects.toMatchObject(refusal);
    await expect(at.ledger.recordStart(startOf("a"))).rejects.toMatchObject(refusal);
    await expect(at.ledger.create()).rejects.toMatchObject(refusal);
  });
});

describe("a ledger that is not there", () => {
  it("reads as empty and is not made by reading", async () => {
    const absent = openLedger(at.server, at.newDataset());
    expect(await absent.read(noon)).toEqual(emptyLedgerRecords);
    expect(await absent.decisions()).toEqual([]);
    expect(await absent.history({ processor: "scores", date: cellOf().date })).toEqual([]);
    expect(await absent.since(0)).toEqual({ gapEvents: [], ends: [], decisions: [], cycles: [] });
    expect(await absent.memory.read()).toEqual([]);
    expect(at.server.stats.calls.filter((call) => call !== "tables.get")).toEqual([]);
  });

  it("is not made by a record either, which says how to make it", async () => {
    const absent = openLedger(at.server, at.newDataset());
    await expect(absent.recordStart(startOf("a"))).rejects.toMatchObject({
      code: "ledger_missing",
      message: expect.stringContaining("expected the ledger in the BigQuery dataset test-project.") as string,
      hint: expect.stringContaining("--create") as string,
    });
    expect(at.inserts()).toEqual([]);
  });

  it("is missed by a process that wrote to it before, and begins anew where it is made again", async () => {
    await at.ledger.recordStart(startOf("a"));
    await at.resource(`datasets/${at.dataset}?deleteContents=true`, "DELETE");
    await expect(at.ledger.recordStart(startOf("b"))).rejects.toMatchObject({ code: "ledger_missing" });
    expect(await at.ledger.read(noon)).toEqual(emptyLedgerRecords);
    await at.ledger.create();
    await at.ledger.recordStart(startOf("a"));
    expect((await at.ledger.read(noon)).unfinished).toEqual([startOf("a")]);
  });
});

function newDatasetWith(table: string): string {
  const other = at.newDataset();
  at.server.define({ name: `${other}.${table}`, columns: { id: "INT64" } });
  return other;
}
