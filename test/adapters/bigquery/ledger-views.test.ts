// Goal: a person asks a ledger in BigQuery and one in DuckDB the same and is told the same. Method: the same records in both,
// then every table and view of the one beside that of the other, all columns of it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { createDuckDbLedger } from "../../../src/adapters/duckdb/ledger.ts";
import { addDays } from "../../../src/core/iso-date.ts";
import type { Ledger } from "../../../src/reconcile/ports.ts";
import {
  baselineOf,
  cellOf,
  cycleOf,
  decisionOf,
  endOf,
  eventOf,
  firstDate,
  minuteMs,
  noon,
  startOf,
} from "../../contract/ledger-records.ts";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import { openLedger } from "./open.ts";

const folder = mkdtempSync(join(tmpdir(), "ledger-"));
const path = join(folder, "ledger.duckdb");
let server: BigQueryServer;
beforeAll(async () => {
  server = await startBigQuery();
  const ledgers = [openLedger(server, "ledger"), createDuckDbLedger({ path })];
  for (const ledger of ledgers) {
    await ledger.create();
    await fill(ledger);
  }
  // What a lost answer may leave behind.
  await server.run(
    "insert into ledger.records select * replace (timestamp_add(recorded_at, interval 1 day) as recorded_at) from ledger.records",
  );
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function fill(ledger: Ledger): Promise<void> {
  await ledger.recordStart(startOf("a", { externalHandle: "https://host/runs/1" }));
  await ledger.recordStart(startOf("b", { token: Number.MAX_SAFE_INTEGER }));
  const cells = [
    cellOf(),
    cellOf({ date: addDays(firstDate, 1), outcome: "ineffective", rowsAfter: 4_000_000_000, worse: true }),
    cellOf({
      processor: "ranks",
      outcome: "failed",
      charged: false,
      inputs: {},
      outdates: {},
      notBefore: noon,
      rowsBefore: Number.NaN,
    }),
  ];
  await ledger.recordEnd(endOf("a", { cells, message: 'it\'s "x" \\ \n é😀', logTail: null }));
  await ledger.recordEnd(
    endOf("b", {
      outcome: "failed",
      systemic: "quota",
      errorCode: "exit_75",
      endedAt: noon,
      cells: [cellOf({ outcome: "lost" })],
    }),
  );
  const [closed, ranks] = [{ event: "closed", state: "complete" } as const, { processor: "ranks" }];
  await ledger.recordCycle(
    cycleOf("c1"),
    [eventOf(), eventOf(ranks), eventOf({ processor: "odds", wasComplete: true })],
    [baselineOf(), baselineOf({ subject: "schedule", hash: "", dates: "" })],
  );
  const later = { at: noon + minuteMs + 500, cycleId: "c2" };
  // At one instant the order in which they were recorded counts.
  await ledger.recordCycle(
    cycleOf("c2", { converged: true, accepted: false, scanBytes: 4_000_000_000_000 }),
    [
      eventOf({ ...later, ...closed }),
      eventOf({ ...later, ...ranks, ...closed }),
      eventOf({ ...later, ...ranks }),
    ],
    [],
  );
  await ledger.recordDecision(decisionOf("d1"));
  await ledger.recordDecision(
    decisionOf("d2", { kind: "pause", processors: null, startDate: null, endDate: firstDate, waiver: null }),
  );
  await ledger.recordDecision(
    decisionOf("d3", { waiver: { owner: "x", expires: null, downstream: "exempt" } }),
  );
}

it.each([
  ["repair_starts", 2],
  ["repair_ends", 2],
  ["cell_outcomes", 4],
  ["gap_events", 6],
  ["cycles", 2],
  ["baselines", 2],
  ["decisions", 3],
  ["open_gaps", 2],
  ["attempts_per_processor", 2],
  ["time_to_repair", 2],
])("%s say in BigQuery what they say in DuckDB", async (name, count) => {
  const asked = await server.run(`select to_json_string(t) from ledger.${name} as t`);
  const found = plain(asked.flat());
  expect(found).toHaveLength(count);
  expect(found).toEqual(plain(await inDuckDb(`select to_json(t) from ${name} as t`)));
});

it("gives each order in which things happened at once a place", async () => {
  const rows = await server.run(
    "select processor from ledger.gap_events order by happened_at, recorded_at, place",
  );
  expect(rows.flat()).toEqual(["scores", "ranks", "odds", "scores", "ranks", "ranks"]);
});

/** What only BigQuery's views have, to order by. */
const own = new Set(["recorded_at", "place"]);

/** Rows, given as JSON, in no order; instants as one of the two writes them. */
function plain(rows: readonly unknown[]): readonly unknown[] {
  const instant = /"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?Z?"/g;
  return rows
    .map((row) => {
      const text = z
        .string()
        .parse(row)
        .replace(instant, (_, day: string, time: string, fraction?: string) => {
          return `"${day} ${time}.${(fraction ?? "").padEnd(3, "0")}"`;
        });
      const columns = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
      return Object.fromEntries(Object.entries(columns).filter(([column]) => !own.has(column)));
    })
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

async function inDuckDb(sql: string): Promise<readonly unknown[]> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  const rows = (await connection.runAndReadAll(sql)).getRowsJS();
  connection.closeSync();
  instance.closeSync();
  return rows.flat();
}
