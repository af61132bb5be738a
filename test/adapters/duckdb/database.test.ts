import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../../src/adapters/duckdb/database.ts";
import { dateParameter, StatementError } from "../../../src/adapters/duckdb/session.ts";
import { parseIsoDate } from "../../../src/core/iso-date.ts";
import { makeTempWarehouse, type TempWarehouse } from "../../support/duckdb.ts";

let warehouse: TempWarehouse;
beforeEach(async () => {
  warehouse = await makeTempWarehouse(["create table t as select 1 as a"]);
});
afterEach(() => warehouse.remove());

const open = (path: string, more: { mode?: "read_write"; lockWaitMs?: number; signal?: AbortSignal } = {}) =>
  openDatabase({ path, mode: "read_only", lockWaitMs: 20_000, ...more });

/** Another process that holds the file read-write until it is told to go. */
async function holdElsewhere(path: string) {
  const script = `
    import("@duckdb/node-api").then(async ({ DuckDBInstance }) => {
      globalThis.instance = await DuckDBInstance.create(${JSON.stringify(path)});
      process.stdin.once("data", () => { globalThis.instance.closeSync(); process.exit(0); });
      console.log("held");
    });`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return {
    pid: child.pid,
    async letGo() {
      const ended = once(child, "exit");
      child.stdin.write("go\n");
      await ended;
    },
  };
}

describe("opening a file", () => {
  test("a missing file, a folder, a file of something else and an empty file each say what is wrong", async () => {
    const other = join(warehouse.folder, "other.duckdb");
    await writeFile(other, "this is no database".repeat(1000));
    const empty = join(warehouse.folder, "empty.duckdb");
    await writeFile(empty, "");
    await expect(open(join(warehouse.folder, "none.duckdb"))).rejects.toMatchObject({
      code: "warehouse_not_found",
    });
    await expect(open(warehouse.folder)).rejects.toMatchObject({ code: "warehouse_unreadable" });
    await expect(open(other)).rejects.toMatchObject({
      code: "warehouse_unreadable",
      path: expect.stringContaining(other),
    });
    await expect(open(empty)).rejects.toMatchObject({ code: "warehouse_unreadable" });
    await expect(
      open(join(warehouse.folder, "no", "x.duckdb"), { mode: "read_write" }),
    ).rejects.toMatchObject({
      code: "warehouse_not_found",
    });
  });

  test("a file that another process holds is refused with that process's id once the wait is over", async () => {
    const holder = await holdElsewhere(warehouse.path);
    try {
      await expect(open(warehouse.path, { lockWaitMs: 200 })).rejects.toMatchObject({
        code: "warehouse_locked",
        message: expect.stringContaining(`process ${holder.pid}`),
      });
    } finally {
      await holder.letGo();
    }
  });

  test("a file that another process lets go in time is opened", async () => {
    const holder = await holdElsewhere(warehouse.path);
    const opening = open(warehouse.path);
    await holder.letGo();
    const database = await opening;
    expect((await (await database.connect()).run("select a from t")).numbers(0)).toEqual(Float64Array.of(1));
    database.close();
  });

  test("waiting for a lock ends at once when it is called off", async () => {
    const holder = await holdElsewhere(warehouse.path);
    try {
      await expect(open(warehouse.path, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
        code: "interrupted",
      });
    } finally {
      await holder.letGo();
    }
  });

  test("two opens of one file in one process take turns, by whatever path they come, and lose no row", async () => {
    const linked = join(warehouse.folder, "linked");
    await mkdir(linked);
    await rm(linked, { recursive: true });
    await symlink(warehouse.folder, linked);
    let open_ = 0;
    let most = 0;
    const insert = async (index: number) => {
      const path = index % 2 === 0 ? warehouse.path : join(linked, "warehouse.duckdb");
      const database = await open(path, { mode: "read_write" });
      open_ += 1;
      most = Math.max(most, open_);
      await (await database.connect()).run("insert into t values ($a)", { a: index });
      open_ -= 1;
      database.close();
    };
    await Promise.all(Array.from({ length: 8 }, (_, index) => insert(index)));
    expect(most).toBe(1);
    expect(await warehouse.read("select count(*) from t")).toEqual([["9"]]);
  });

  test("an open that gives up leaves the turn to those behind it", async () => {
    const first = await open(warehouse.path);
    const impatient = open(warehouse.path, { lockWaitMs: 30 });
    const patient = open(warehouse.path);
    await expect(impatient).rejects.toMatchObject({ code: "warehouse_locked" });
    first.close();
    (await patient).close();
  });

  test("nothing is installed or loaded from outside, and times are read in UTC", async () => {
    const database = await open(warehouse.path);
    const session = await database.connect();
    const settings = await session.run(
      `select current_setting('autoinstall_known_extensions'), current_setting('autoload_known_extensions'),
              current_setting('TimeZone')`,
    );
    expect([0, 1, 2].map((column) => settings.values(column)[0])).toEqual([false, false, "UTC"]);
    database.close();
  });
});

describe("a statement", () => {
  test("is run alone: a text of two is refused before the first one runs", async () => {
    const database = await open(warehouse.path, { mode: "read_write" });
    const session = await database.connect();
    await expect(session.run("delete from t; select 1")).rejects.toBeInstanceOf(StatementError);
    expect((await session.run("select count(*) from t")).numbers(0)[0]).toBe(1);
    database.close();
  });

  test("takes dates by name and gives columns, NULL as NaN", async () => {
    const database = await open(warehouse.path);
    const session = await database.connect();
    const columns = await session.run(
      "select $d + 1 = date '2024-03-01', null::double, 'x' union all select false, 2.5, null order by 2",
      { d: dateParameter(parseIsoDate("2024-02-29")), unused: 1 },
    );
    expect(columns.values(0)).toEqual([false, true]);
    expect([...columns.numbers(1)]).toEqual([2.5, Number.NaN]);
    expect(columns.strings(2)).toEqual([null, "x"]);
    await expect(session.run("select $missing")).rejects.toMatchObject({ type: "Binder" });
    database.close();
  });

  test("says DuckDB's own type of error", async () => {
    const database = await open(warehouse.path);
    const session = await database.connect();
    await expect(session.run("select * from nope")).rejects.toMatchObject({ type: "Catalog" });
    await expect(session.run("select nope from t")).rejects.toMatchObject({ type: "Binder" });
    await expect(session.run("selec")).rejects.toMatchObject({ type: "Parser" });
    await expect(session.run("insert into t values (1)")).rejects.toMatchObject({ type: "Invalid Input" });
    database.close();
  });

  test("is stopped by its time limit and by an abort, and the connection works on", async () => {
    const database = await open(warehouse.path);
    const session = await database.connect();
    const endless = "select count(*) from range(1000000000000) r where md5(r.range::varchar) = ''";
    await expect(session.run(endless, {}, { timeoutMs: 50 })).rejects.toMatchObject({
      code: "warehouse_timeout",
    });
    await expect(session.run(endless, {}, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      code: "interrupted",
    });
    expect((await session.run("select 1")).rowCount).toBe(1);
    database.close();
  });

  test("in a transaction that fails leaves nothing behind", async () => {
    const database = await open(warehouse.path, { mode: "read_write" });
    const session = await database.connect();
    await expect(
      session.transaction(async () => {
        await session.run("delete from t");
        await session.run("select nope");
      }),
    ).rejects.toBeInstanceOf(StatementError);
    expect((await session.run("select count(*) from t")).numbers(0)[0]).toBe(1);
    database.close();
  });
});

test("a file called like one of its schemas is read and written by names with that schema", async () => {
  const path = join(warehouse.folder, "shop.duckdb");
  const made = await openDatabase({ path, mode: "read_write", lockWaitMs: 5_000 });
  const first = await made.connect();
  await first.run("create schema shop");
  await first.run("create table shop.shop.orders as select 1 as a");
  made.close();

  const written = await openDatabase({ path, mode: "read_write", lockWaitMs: 5_000 });
  await (await written.connect()).run("insert into shop.orders values (2)");
  written.close();

  const read = await openDatabase({ path, mode: "read_only", lockWaitMs: 5_000 });
  const session = await read.connect();
  const rows = await session.run("select count(*) from shop.orders");
  expect(rows.numbers(0)[0]).toBe(2);
  await expect(session.run("insert into shop.orders values (3)")).rejects.toThrow(StatementError);
  read.close();
});
