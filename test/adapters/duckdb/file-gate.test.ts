import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "../../../src/adapters/duckdb/database.ts";
import { FileGate } from "../../../src/adapters/duckdb/file-gate.ts";
import { makeTempWarehouse, type TempWarehouse } from "../../support/duckdb.ts";

let warehouse: TempWarehouse;
let gate: FileGate;
beforeEach(async () => {
  warehouse = await makeTempWarehouse(["create table t as select 1 as a"]);
  gate = new FileGate({ path: warehouse.path, lockWaitMs: 20_000 }, 20_000);
});
afterEach(() => warehouse.remove());

/** Work that runs until it is told to end, and says when it has begun. */
function held() {
  let end: () => void = () => undefined;
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    begun,
    end: () => end(),
    work: () => {
      begin();
      return ended;
    },
  };
}

test("scans share one open file, and it is let go when the last one ends", async () => {
  const [one, two] = [held(), held()];
  const files = new Set<unknown>();
  const scans = [one, two].map(({ work }) =>
    gate.use("read", (database) => {
      files.add(database);
      return work();
    }),
  );
  await Promise.all([one.begun, two.begun]);
  one.end();
  await scans[0];
  await expect(
    openDatabase({ path: warehouse.path, mode: "read_write", lockWaitMs: 20 }),
  ).rejects.toMatchObject({
    code: "warehouse_locked",
  });
  two.end();
  await scans[1];
  expect(files.size).toBe(1);
  (await openDatabase({ path: warehouse.path, mode: "read_write", lockWaitMs: 20_000 })).close();
});

test("who waits is not overtaken: a scan that comes after a waiting repair runs after it", async () => {
  const order: string[] = [];
  const first = held();
  const scan = gate.use("read", first.work);
  await first.begun;
  const note = (name: string) => () => Promise.resolve(void order.push(name));
  const later = [
    gate.use("write", note("repair")),
    gate.use("read", note("late scan")),
    gate.released(note("released")),
    gate.use("write", note("late repair")),
  ];
  expect(order).toEqual([]);
  first.end();
  await Promise.all([scan, ...later]);
  expect(order).toEqual(["repair", "late scan", "released", "late repair"]);
});

test("released work holds no file, so that another process could write it", async () => {
  await gate.use("read", () => Promise.resolve());
  await gate.released(async () => {
    const database = await openDatabase({ path: warehouse.path, mode: "read_write", lockWaitMs: 0 });
    expect(database.mode).toBe("read_write");
    database.close();
  });
});

test("waiting has a limit, and one that gave up does not keep the others out", async () => {
  const impatient = new FileGate({ path: warehouse.path, lockWaitMs: 2_000 }, 40);
  const holder = held();
  const released = impatient.released(holder.work);
  await holder.begun;
  await expect(impatient.use("read", () => Promise.resolve())).rejects.toMatchObject({
    code: "warehouse_locked",
    message: expect.stringContaining("a repair that needs the file for itself"),
  });
  holder.end();
  await released;
  expect(await impatient.use("read", () => Promise.resolve("in"))).toBe("in");
});

test("one that is called off while it waits lets those behind it in", async () => {
  const first = held();
  const scan = gate.use("read", first.work);
  await first.begun;
  const off = new AbortController();
  const repair = gate.use("write", () => Promise.resolve(), off.signal);
  const behind = gate.use("read", () => Promise.resolve("in"));
  off.abort();
  await expect(repair).rejects.toMatchObject({ code: "interrupted" });
  expect(await behind).toBe("in");
  first.end();
  await scan;
});

test("a file that cannot be opened fails its users, and is tried anew by the next", async () => {
  const blocker = await openDatabase({ path: warehouse.path, mode: "read_only", lockWaitMs: 0 });
  const hasty = new FileGate({ path: warehouse.path, lockWaitMs: 20 }, 2_000);
  await expect(hasty.use("write", () => Promise.resolve())).rejects.toMatchObject({
    code: "warehouse_locked",
  });
  blocker.close();
  expect(await hasty.use("write", () => Promise.resolve("in"))).toBe("in");
});
