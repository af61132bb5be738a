import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../../src/adapters/duckdb/database.ts";
import { createDuckDbLedger } from "../../../src/adapters/duckdb/ledger.ts";
import { emptyLedgerRecords } from "../../../src/core/ledger-records.ts";
import { describeLedgerContract } from "../../contract/ledger.ts";
import { cellOf, cycleOf, endOf, eventOf, noon, startOf } from "../../contract/ledger-records.ts";
import { queryFile } from "../../support/duckdb.ts";
import { spawnBoundByRights } from "../../support/unprivileged.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ledger-"));
  path = join(folder, "ledger.duckdb");
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const query = (statement: string) => queryFile(path, statement);

const holderScript = fileURLToPath(new URL("./ledger-holder.ts", import.meta.url));
const fillerScript = fileURLToPath(new URL("./ledger-filler.ts", import.meta.url));
const makerScript = fileURLToPath(new URL("./ledger-maker.ts", import.meta.url));
const readerScript = fileURLToPath(new URL("./ledger-reader.ts", import.meta.url));
const writerScript = fileURLToPath(new URL("./ledger-writer.ts", import.meta.url));

describeLedgerContract("a DuckDB file", () => {
  const own = mkdtempSync(join(tmpdir(), "ledger-"));
  return Promise.resolve({
    // As long as a process waits that has others beside it.
    open: () => createDuckDbLedger({ path: join(own, "ledger.duckdb"), lockWaitMs: 60_000 }),
    cleanup: () => Promise.resolve(rmSync(own, { recursive: true, force: true })),
  });
});

describe("a ledger file that is not there", () => {
  it("reads as empty and is not made by reading", async () => {
    const ledger = createDuckDbLedger({ path });
    expect(await ledger.read(noon)).toEqual(emptyLedgerRecords);
    expect(await ledger.history({ processor: "scores", date: cellOf().date })).toEqual([]);
    expect(await ledger.since(0)).toEqual({ gapEvents: [], ends: [], decisions: [], cycles: [] });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is whole or not there when the process that makes it is killed", async () => {
    for (const afterMs of [2, 9, 16, 23, 30, 37]) {
      const maker = spawn(process.execPath, ["--import", "@oxc-node/core/register", makerScript, folder], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(maker.stdout, "data");
      await sleep(afterMs);
      maker.kill("SIGKILL");
      await once(maker, "close");
      for (const name of readdirSync(folder).filter((file) => file.endsWith(".duckdb"))) {
        const made = createDuckDbLedger({ path: join(folder, name) });
        expect(await made.read(noon)).toEqual(emptyLedgerRecords);
        await made.recordStart(startOf("a"));
      }
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
    }
  }, 180_000);

  it("is not made by a record either, which says how to make it", async () => {
    await expect(createDuckDbLedger({ path }).recordStart(startOf("a"))).rejects.toMatchObject({
      code: "ledger_missing",
      path,
      hint: expect.stringContaining("--create") as string,
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is made with its folder", async () => {
    const deep = join(folder, "state", "nba", "ledger.duckdb");
    await createDuckDbLedger({ path: deep }).create();
    expect(existsSync(deep)).toBe(true);
  });

  it("is taken for one that is not made yet where a crash left only the file", async () => {
    await query("select 1");
    const ledger = createDuckDbLedger({ path });
    expect(await ledger.read(noon)).toEqual(emptyLedgerRecords);
    await ledger.create();
    await ledger.recordStart(startOf("a"));
    expect((await ledger.read(noon)).unfinished).toHaveLength(1);
  });
});

describe("a person who reads the ledger with SQL", () => {
  it("finds a comment on every table and view, and instants in UTC to the millisecond", async () => {
    const ledger = createDuckDbLedger({ path });
    await ledger.create();
    await ledger.recordStart(startOf("a"));
    const commented = await query(
      "select table_name from (select table_name, comment from duckdb_tables() union all select view_name, comment from duckdb_views() where not internal) where comment is not null order by all",
    );
    expect(commented.flat()).toEqual([
      "attempts_per_processor",
      "baselines",
      "cell_outcomes",
      "cycles",
      "decisions",
      "gap_events",
      "open_gaps",
      "repair_ends",
      "repair_starts",
      "schema_version",
      "time_to_repair",
    ]);
    expect(await query("select started_at::varchar, token, dates::varchar from repair_starts")).toEqual([
      ["2024-03-01 11:00:00.123", 1_709_294_400_123_456n, "[2024-01-31, 2024-02-29]"],
    ]);
  });

  it("finds the open gaps, the attempts and the time to repair in views", async () => {
    const ledger = createDuckDbLedger({ path });
    await ledger.create();
    const closing = { at: noon + 90_000, event: "closed", state: "complete" } as const;
    await ledger.recordCycle(
      cycleOf("c1"),
      [eventOf(), eventOf({ processor: "ranks" }), eventOf({ processor: "odds" })],
      [],
    );
    await ledger.recordCycle(
      cycleOf("c2"),
      [
        eventOf(closing),
        eventOf({ ...closing, processor: "ranks" }),
        eventOf({ processor: "ranks", at: noon + 90_000 }),
      ],
      [],
    );
    await ledger.recordEnd(endOf("a", { cells: [cellOf(), cellOf({ outcome: "failed", charged: false })] }));
    expect(await query("select processor, date::varchar, state from open_gaps")).toEqual([
      ["odds", "2024-01-31", "missing"],
      ["ranks", "2024-01-31", "missing"],
    ]);
    expect(await query("select processor, seconds_open, closed_to from time_to_repair order by all")).toEqual(
      [
        ["ranks", 90, "complete"],
        ["scores", 90, "complete"],
      ],
    );
    expect(
      await query("select processor, charged_attempts, repaired, failed from attempts_per_processor"),
    ).toEqual([["scores", 1n, 1n, 1n]]);
  });
});

describe("a ledger that cannot be used", () => {
  it("waits for another process and then names it", async () => {
    await createDuckDbLedger({ path }).create();
    const holder = spawn(process.execPath, ["--import", "@oxc-node/core/register", holderScript, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    const began = performance.now();
    await expect(createDuckDbLedger({ path, lockWaitMs: 300 }).read(noon)).rejects.toMatchObject({
      code: "ledger_unavailable",
      message: expect.stringContaining(`process ${holder.pid} `) as string,
      hint: expect.any(String) as string,
    });
    expect(performance.now() - began).toBeGreaterThan(290);
    const reading = createDuckDbLedger({ path, lockWaitMs: 20_000 }).read(noon);
    holder.kill("SIGKILL");
    expect(await reading).toEqual(emptyLedgerRecords);
  });

  it("waits for its turn in this process", async () => {
    await createDuckDbLedger({ path }).create();
    const database = await openDatabase({ path, mode: "read_write", lockWaitMs: 0 });
    await expect(createDuckDbLedger({ path, lockWaitMs: 50 }).read(noon)).rejects.toMatchObject({
      code: "ledger_unavailable",
    });
    database.close();
    expect(await createDuckDbLedger({ path }).read(noon)).toEqual(emptyLedgerRecords);
  });

  it.each([
    ["holds something else", () => writeFileSync(path, "no database\n".repeat(2_000))],
    ["is a folder", () => mkdirSync(path)],
  ])("says so where the path %s", async (_what, spoil) => {
    spoil();
    const ledger = createDuckDbLedger({ path });
    const refusal = { code: "ledger_unavailable", path, message: expect.stringContaining(path) as string };
    await expect(ledger.read(noon)).rejects.toMatchObject(refusal);
    await expect(ledger.recordStart(startOf("a"))).rejects.toMatchObject(refusal);
    await expect(ledger.create()).rejects.toMatchObject(refusal);
  });

  it("refuses a database that is not a ledger, and does not touch it", async () => {
    await query("create table orders (id integer)");
    await expect(createDuckDbLedger({ path }).create()).rejects.toMatchObject({
      code: "ledger_unavailable",
      hint: expect.stringContaining("a file of its own") as string,
    });
    expect(await query("select table_name from duckdb_tables()")).toEqual([["orders"]]);
  });

  it("reads a ledger of the first release, and brings it to the present form with the first record", async () => {
    const ledger = createDuckDbLedger({ path });
    await ledger.create();
    const start = startOf("a");
    await ledger.recordStart(start);
    await ledger.recordEnd(endOf("a", { cells: [cellOf({ outdates: {} })] }));
    await query("alter table cell_outcomes drop column outdates");
    await query("update schema_version set version = 1");
    const before = await ledger.read(noon);
    expect(before.attempts).toMatchObject([{ repairId: "a", outdates: {} }]);
    await ledger.recordStart(startOf("b"));
    await ledger.recordEnd(endOf("b", { cells: [cellOf({ outdates: { revenue: "2024-01-05" } })] }));
    const after = await ledger.read(noon);
    expect(after.attempts.map(({ repairId, outdates }) => [repairId, outdates])).toEqual([
      ["a", {}],
      ["b", { revenue: "2024-01-05" }],
    ]);
    expect(await query("select max(version) from schema_version")).toEqual([[2]]);
  });

  it("refuses a ledger of a later version by its number", async () => {
    const ledger = createDuckDbLedger({ path });
    await ledger.create();
    await query("insert into schema_version values (3, now()::timestamp)");
    const refusal = {
      code: "ledger_unavailable",
      message: expect.stringContaining("tables of version 3") as string,
      hint: expect.stringContaining("later version") as string,
    };
    await expect(ledger.read(noon)).rejects.toMatchObject(refusal);
    await expect(ledger.recordStart(startOf("a"))).rejects.toMatchObject(refusal);
    await expect(ledger.create()).rejects.toMatchObject(refusal);
  });

  it("records nothing of a cycle of which a part cannot be recorded", async () => {
    const ledger = createDuckDbLedger({ path });
    await ledger.create();
    await query("alter table baselines rename to baselines_moved");
    await expect(ledger.recordCycle(cycleOf("c1"), [eventOf()], [])).rejects.toMatchObject({
      code: "write_failed",
      path,
    });
    expect(await query("select (select count(*) from cycles), (select count(*) from gap_events)")).toEqual([
      [0n, 0n],
    ]);
  });

  it("says that the disk is full, keeps what was recorded, and goes on when there is room again", async () => {
    const ledger = createDuckDbLedger({ path });
    await ledger.create();
    await ledger.recordStart(startOf("a"));
    // A limit on the size of files is met like a full disk, and needs no disk to fill.
    const limited = spawn(
      "sh",
      [
        "-c",
        `trap '' XFSZ; ulimit -f 4096; exec "$@"`,
        "sh",
        process.execPath,
        "--import",
        "@oxc-node/core/register",
        fillerScript,
        path,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let said = "";
    limited.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await once(limited, "close");
    expect(JSON.parse(said)).toMatchObject({
      code: expect.stringMatching(/^(write_failed|ledger_unavailable)$/) as string,
      hint: expect.any(String) as string,
    });
    expect((await ledger.read(noon)).unfinished.map((start) => start.repairId)).toEqual(["a"]);
    await ledger.recordStart(startOf("b"));
    expect((await ledger.read(noon)).unfinished).toHaveLength(2);
  });

  it("says that a folder may not be written, and is read from there all the same", async () => {
    const ledger = createDuckDbLedger({ path });
    await ledger.create();
    await ledger.recordStart(startOf("a"));
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    const child = spawnBoundByRights(["--import", "@oxc-node/core/register", readerScript, path]);
    let said = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await once(child, "close");
    chmodSync(folder, 0o755);
    expect(JSON.parse(said)).toMatchObject({
      read: 1,
      write: "ledger_unavailable",
      create: "ledger_unavailable",
    });
  });
});

describe("a ledger whose writer is killed with SIGKILL", () => {
  it("holds all that was recorded and nothing by halves, however often", async () => {
    const ledger = createDuckDbLedger({ path });
    await ledger.create();
    let said = "";
    for (let round = 0; round < 6; round += 1) {
      const writer = spawn(
        process.execPath,
        ["--import", "@oxc-node/core/register", writerScript, path, `w${round}`],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      writer.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
      await once(writer.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, 37 * round));
      writer.kill("SIGKILL");
      await once(writer, "close");
      const counts = await query(
        `select
          (select count(*) from cell_outcomes) = 50 * (select count(*) from repair_ends),
          (select count(*) from gap_events) = 50 * (select count(*) from cycles)`,
      );
      expect(counts).toEqual([[true, true]]);
      await ledger.recordStart(startOf(`after-${round}`));
    }
    const recorded = (word: string) =>
      said
        .split("\n")
        .filter((line) => line.startsWith(`${word} `))
        .map((line) => line.slice(word.length + 1));
    const held = async (table: string, column: string) =>
      new Set((await query(`select ${column} from ${table}`)).flat());
    const [starts, ends, cycles] = [
      await held("repair_starts", "repair_id"),
      await held("repair_ends", "repair_id"),
      await held("cycles", "cycle_id"),
    ];
    expect(recorded("start").length).toBeGreaterThanOrEqual(6);
    expect(recorded("start").filter((id) => !starts.has(id))).toEqual([]);
    expect(recorded("end").filter((id) => !ends.has(id))).toEqual([]);
    expect(recorded("cycle").filter((id) => !cycles.has(id))).toEqual([]);
  }, 180_000);
});
