// Goal: a table is listed as little as can be, and nothing of it is missed. Method: a server that answers as it is told, and
// what it was asked.
import { afterEach, expect, test, vi } from "vitest";
import { Api } from "../../../src/adapters/bigquery/api.ts";
import { AppendedTable, type AppendedRow } from "../../../src/adapters/bigquery/appended-table.ts";
import { limitsOf } from "../../../src/adapters/bigquery/limits.ts";
import { errorAnswer, type Scripted, startScripted } from "./scripted.ts";

const day = (text: string) => Date.parse(`${text}T00:00:00Z`);
const hour = 3_600_000;

/** A table with the times of its rows, by the name of their partition. */
interface Table {
  modifiedAt: number;
  createdAt: number;
  rows: { readonly at: number; readonly name: string }[];
}

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function start(agrees = () => true) {
  const table: Table & { pageRows: number; isDenied: boolean; refused: string; beforeList: () => void } = {
    modifiedAt: day("2024-03-01") + 12 * hour,
    createdAt: 1,
    rows: [],
    pageRows: 1_000,
    isDenied: false,
    refused: "none",
    beforeList: () => {},
  };
  const server = await startScripted(({ path, query }) => {
    if (!path.endsWith("/data")) return { body: resourceOf(table) };
    if (table.isDenied) return errorAnswer(403, "accessDenied", "Access Denied");
    table.beforeList();
    const [, partition] = /\$(\d{8})/.exec(decodeURIComponent(path)) ?? [];
    if (partition === table.refused) return errorAnswer(404, "notFound", "Not found");
    const rows = table.rows.filter(({ at }) => partition === undefined || nameOf(at) === partition);
    const first = Number(query.get("pageToken") ?? 0);
    return {
      body: {
        rows: rows.slice(first, first + table.pageRows).map(({ at, name }) => ({
          f: [{ v: name }, { v: String(at * 1000) }],
        })),
        ...(first + table.pageRows < rows.length ? { pageToken: String(first + table.pageRows) } : {}),
      },
    };
  });
  cleanups.push(() => server.stop());
  const kept = new Set<string>();
  const keep = (rows: readonly AppendedRow[]) => {
    for (const { values } of rows) kept.add(values[0] ?? "");
  };
  const keeper = {
    replace(rows: readonly AppendedRow[]) {
      kept.clear();
      keep(rows);
    },
    add(rows: readonly AppendedRow[]) {
      if (agrees()) keep(rows);
      return agrees();
    },
  };
  const api = new Api({ project: "shop", apiEndpoint: server.url, retryFromMs: 1 });
  const path = { project: "shop", dataset: "ledger", table: "records" };
  const appended = new AppendedTable(api, path, ["name"], keeper);
  const look = async (timeoutMs = 10_000) => {
    await appended.refresh(() => {}, limitsOf(timeoutMs));
    return [...kept].toSorted();
  };
  const write = (name: string, at: number, modifiedAt = at) => {
    table.rows.push({ at, name });
    table.modifiedAt = modifiedAt;
  };
  return { table, server, appended, look, write };
}

function resourceOf({ modifiedAt, createdAt, rows }: Table): object {
  return {
    schema: {
      fields: [
        { name: "name", type: "STRING" },
        { name: "recorded_at", type: "TIMESTAMP" },
      ],
    },
    numRows: String(rows.length),
    creationTime: String(createdAt),
    lastModifiedTime: String(modifiedAt),
  };
}

function nameOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10).replaceAll("-", "");
}

/** What was listed since this was asked last. */
function listed(server: Scripted): readonly string[] {
  const paths = server.asked.map(({ path }) => decodeURIComponent(path));
  const lists = paths.filter((path) => path.endsWith("/data"));
  const done = seen.get(server) ?? 0;
  seen.set(server, lists.length);
  return lists.slice(done).map((path) => path.replace("/datasets/ledger/tables/", "").replace("/data", ""));
}
const seen = new WeakMap<Scripted, number>();

test("all is listed once, page by page, then nothing until it changes", async () => {
  const { look, server, table, write } = await start();
  for (const name of ["a", "b", "c", "d", "e"]) write(name, day("2024-02-01"), day("2024-02-02"));
  table.pageRows = 2;
  expect(await look()).toEqual(["a", "b", "c", "d", "e"]);
  expect(listed(server)).toEqual(["records", "records", "records"]);
  await look();
  expect(listed(server)).toEqual([]);
});

test("a list of many pages has time for each of them, but not for ever", async () => {
  const { table, look, write } = await start();
  table.pageRows = 1;
  const names = Array.from({ length: 20 }, (_, index) => `row ${String(index).padStart(2, "0")}`);
  for (const name of names) write(name, day("2024-03-01"));
  let passedMs = 0;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + passedMs);
  let pageMs = 5_000;
  table.beforeList = () => {
    passedMs += pageMs;
  };
  expect(await look()).toEqual(names);
  pageMs = 100_000;
  write("another", day("2024-03-20"));
  await expect(look(200_000)).rejects.toMatchObject({ code: "warehouse_timeout" });
});

test("of what is new only the day of the last writing is listed, and the days since", async () => {
  const { look, server, write } = await start();
  write("a", day("2024-03-01") + 12 * hour);
  await look();
  listed(server);
  write("b", day("2024-03-01") + 13 * hour);
  expect(await look()).toEqual(["a", "b"]);
  expect(listed(server)).toEqual(["records$20240301"]);
  write("c", day("2024-03-03") + 13 * hour);
  expect(await look()).toEqual(["a", "b", "c"]);
  expect(listed(server)).toEqual(["records$20240301", "records$20240302", "records$20240303"]);
});

test("a writing that began before midnight is found after it", async () => {
  const { look, server, write } = await start();
  write("a", day("2024-03-02") + 60_000);
  await look();
  listed(server);
  write("late", day("2024-03-01") + 23.9 * hour, day("2024-03-02") + 2 * 60_000);
  expect(await look()).toEqual(["a", "late"]);
  expect(listed(server)).toEqual(["records$20240301", "records$20240302"]);
});

test("after a week of silence all is listed again", async () => {
  const { look, server, write } = await start();
  write("a", day("2024-03-01"));
  await look();
  listed(server);
  write("b", day("2024-03-09"));
  expect(await look()).toEqual(["a", "b"]);
  expect(listed(server)).toEqual(["records"]);
});

test("where the count of rows says that other days changed too, all is listed again", async () => {
  const { look, server, table, write } = await start();
  write("a", day("2024-01-01"));
  write("b", day("2024-03-01"));
  await look();
  listed(server);
  write("past", day("2024-01-02"), day("2024-03-01") + hour);
  expect(await look()).toEqual(["a", "b", "past"]);
  expect(listed(server).at(-1)).toBe("records");
  // Rows expire with their day.
  table.rows.shift();
  table.modifiedAt += 1;
  expect(await look()).toEqual(["b", "past"]);
});

test("rows that come while the days are listed are no such change", async () => {
  const { look, server, table, write } = await start();
  write("a", day("2024-03-01"));
  await look();
  write("b", day("2024-03-01") + hour);
  listed(server);
  table.beforeList = () => {
    table.beforeList = () => {};
    write("c", day("2024-03-01") + 2 * hour);
  };
  expect(await look()).toEqual(["a", "b", "c"]);
  expect(listed(server)).toEqual(["records$20240229", "records$20240301"]);
});

test("after a writing of our own it looks even where the figures are the old ones", async () => {
  const { look, server, table, appended, write } = await start();
  write("a", day("2024-03-01") + 12 * hour);
  await look();
  listed(server);
  const { modifiedAt } = table;
  write("b", day("2024-03-01") + 13 * hour);
  table.modifiedAt = modifiedAt;
  appended.touch();
  expect(await look()).toEqual(["a", "b"]);
});

test("a table that was made anew is another one", async () => {
  const { look, server, table, write } = await start();
  write("a", day("2024-03-01"));
  await look();
  listed(server);
  table.rows = [];
  table.createdAt = 2;
  write("b", day("2024-03-01") + 1);
  expect(await look()).toEqual(["b"]);
  expect(listed(server)).toEqual(["records"]);
});

test("a day that is not listed by itself is listed with all others", async () => {
  const { look, server, table, write } = await start();
  write("a", day("2024-03-01") + 12 * hour);
  await look();
  listed(server);
  write("b", day("2024-03-03") + 12 * hour);
  table.refused = "20240302";
  expect(await look()).toEqual(["a", "b"]);
  expect(listed(server)).toEqual(["records$20240301", "records$20240302", "records"]);
});

test("a keeper that cannot take the new rows gets all", async () => {
  const { look, server, write } = await start(() => false);
  write("a", day("2024-03-01") + 12 * hour);
  await look();
  listed(server);
  write("b", day("2024-03-01") + 13 * hour);
  expect(await look()).toEqual(["a", "b"]);
  expect(listed(server)).toEqual(["records$20240301", "records"]);
});

test("questions asked at once share one reading", async () => {
  const { look, server, write } = await start();
  write("a", day("2024-03-01"));
  await Promise.all([look(), look(), look()]);
  expect(listed(server)).toEqual(["records"]);
});

test("a reading that broke off is made up for by the next one", async () => {
  const { look, server, table, write } = await start();
  write("a", day("2024-03-01") + 12 * hour);
  await look();
  write("b", day("2024-03-01") + 13 * hour);
  table.isDenied = true;
  await expect(look()).rejects.toThrow("Access Denied");
  table.isDenied = false;
  listed(server);
  expect(await look()).toEqual(["a", "b"]);
  expect(listed(server)).toEqual(["records"]);
});
