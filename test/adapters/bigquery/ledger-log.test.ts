import { describe, expect, it } from "vitest";
import { emptyLedgerRecords } from "../../../src/core/ledger-records.ts";
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
import type { Fault } from "../../support/bigquery/faults.ts";
import { ledgerServer } from "./ledger-server.ts";
import { openLedger } from "./open.ts";

const at = ledgerServer();

describe("reading a ledger", () => {
  it("bills nothing, nor does writing it", async () => {
    await at.ledger.recordStart(startOf("a"));
    await at.ledger.recordEnd(endOf("a"));
    await at.ledger.recordCycle(cycleOf("c"), [eventOf()], []);
    await at.ledger.read(noon);
    await openLedger(at.server, at.dataset).history({ processor: "scores", date: cellOf().date });
    expect(at.inserts()).toHaveLength(3);
    expect(
      at.server.stats.queries.map(({ statementType, bytesBilled }) => [statementType, bytesBilled]),
    ).toEqual([1, 2, 3].map(() => ["INSERT", 0]));
  });

  it("lists nothing where nothing changed since this process looked", async () => {
    await at.ledger.recordDecision(decisionOf("a"));
    await at.ledger.read(noon);
    const listed = at.callsOf("tabledata.list");
    for (let round = 0; round < 3; round += 1) expect(await at.ledger.decisions()).toHaveLength(1);
    expect(at.callsOf("tabledata.list")).toBe(listed);
    await openLedger(at.server, at.dataset).recordDecision(decisionOf("b"));
    expect(await at.ledger.decisions()).toHaveLength(2);
    expect(at.callsOf("tabledata.list")).toBeGreaterThan(listed);
  });

  it("sees what was added to the past, and that rows are gone", async () => {
    await at.ledger.recordStart(startOf("a"));
    await at.ledger.read(noon);
    insertRow("start", "old", { time: noon, body: startBody("old") });
    const ids = async () => (await at.ledger.read(noon)).unfinished.map(({ repairId }) => repairId);
    expect(await ids()).toEqual(["a", "old"]);
    await at.server.run(`delete from ${at.dataset}.records where id = 'old'`);
    expect(await ids()).toEqual(["a"]);
  });

  it("takes of two records of one id the one that was written first, in whatever order it sees them", async () => {
    // Of today, so that it looks at nothing else.
    const now = Date.now();
    insertRow("end", "a", { time: now, body: endBody("a", "lost") });
    expect(await outcomes()).toEqual(["lost"]);
    insertRow("end", "a", { time: now - 1, body: endBody("a", "repaired") });
    insertRow("end", "a", { time: now + 1, body: endBody("a", "failed") });
    expect(await outcomes()).toEqual(["repaired"]);
    expect(await viewed()).toEqual(["repaired"]);
  });

  it("leaves out a record of which a part is missing", async () => {
    insertRow("end", "a", { time: noon, parts: 2, body: endBody("a", "lost") });
    expect([await outcomes(), await viewed()]).toEqual([[], []]);
    insertRow("end", "a", { time: noon, part: 2, parts: 2, body: JSON.stringify({ cells: [] }) });
    expect([await outcomes(), await viewed()]).toEqual([["lost"], ["lost"]]);
  });

  it("leaves out a kind that it does not know", async () => {
    insertRow("note", "a", { time: noon, body: "{}" });
    expect(await at.ledger.read(noon)).toEqual(emptyLedgerRecords);
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
    insertRow("start", "a", { time: noon, body });
    await expect(at.ledger.read(noon)).rejects.toMatchObject({
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
    await at.ledger.recordStart(startOf("a"));
    const hasty = openLedger(at.server, at.dataset, {
      timeoutMs: fault.kind === "hang" ? 3_000 : 20_000,
      retryFromMs: 1,
    });
    at.server.faults.add({ call: "tabledata.list", times: 5, fault });
    await expect(hasty.read(noon)).rejects.toMatchObject({
      code: "ledger_unavailable",
      path: `test-project.${at.dataset}`,
      message: expect.stringContaining("cannot be read: ") as string,
      hint: expect.any(String) as string,
    });
    at.server.faults.clear();
    expect((await hasty.read(noon)).unfinished).toHaveLength(1);
  });

  /** What people see. */
  async function viewed(): Promise<readonly unknown[]> {
    return (await at.server.run(`select outcome from ${at.dataset}.repair_ends`)).flat();
  }

  async function outcomes(): Promise<readonly string[]> {
    return (await at.ledger.since(0)).ends.map(({ outcome }) => outcome);
  }
});

interface Inserted {
  readonly time: number;
  readonly part?: number;
  readonly parts?: number;
  readonly body: string;
}

/** As another process would have written it at that time. */
function insertRow(kind: string, id: string, { time, part = 1, parts = 1, body }: Inserted): void {
  at.server.insert(`${at.dataset}.records`, [[new Date(time).toISOString(), kind, id, part, parts, body]]);
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
