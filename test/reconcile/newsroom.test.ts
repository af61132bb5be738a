// Method: real runs on a DuckDB warehouse with its ledger; a newsroom hears of their cycles as a daemon's would, and its bulletins
// are kept instead of sent. A new newsroom is what a restart leaves.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tellAll } from "../../src/compose/listeners.ts";
import type { Assessment } from "../../src/core/assessment.ts";
import type { News } from "../../src/core/news.ts";
import { ReconcilerError } from "../../src/errors.ts";
import { Newsroom } from "../../src/reconcile/newsroom.ts";
import type { Ledger } from "../../src/reconcile/ports.ts";
import { makeTempWarehouse, type TempWarehouse } from "../support/duckdb.ts";
import { composeShop } from "../support/shop-pipeline.ts";

let warehouse: TempWarehouse;
beforeEach(async () => {
  warehouse = await makeTempWarehouse([
    "create schema shop",
    "create table shop.days as select date '2024-01-01' + i::integer as day from range(20) as r (i)",
    ...["orders", "lines", "notes"].map((table) => `create table shop.${table} as select day from shop.days`),
  ]);
  await writeFile(
    join(warehouse.folder, "nothing.sql"),
    "select day from shop.days where false and day between $start_date and $end_date",
  );
});
afterEach(() => warehouse.remove());

const pipeline = `safety: { mass_gap: { max_share: 0.4, cells_min: 5 } }
defaults: { repair: { sql_file: nothing.sql, max_attempts: 1, max_dates_per_job: 1 } }
processors:
  orders: { table: shop.orders, date_column: day, owner: data-team }
  lines: { table: shop.lines, date_column: day, severity: critical }
  notes: { table: shop.notes, date_column: day, severity: info }
`;

/** The newsroom of one process, with all that it told, in words. */
interface Process {
  readonly newsroom: Newsroom;
  readonly told: string[];
  readonly failures: unknown[];
}

function startProcess(ledger: Pick<Ledger, "since">): Process {
  const told: string[] = [];
  const failures: unknown[] = [];
  const newsroom = new Newsroom({
    ledger,
    notifier: { send: ({ news }) => told.push(...news.map(textOf)), close: () => Promise.resolve() },
    onFailure: (thrown) => failures.push(thrown),
  });
  newsroom.onLeading(true);
  return { newsroom, told, failures };
}

function textOf(news: News): string {
  switch (news.kind) {
    case "converged":
      return "converged";
    case "mass_gap":
      return `mass_gap ${news.subject?.processor ?? "all"}`;
    default:
      return `${news.kind} ${news.processor} ${news.dates.map((date) => date.slice(-2)).join(",")}`;
  }
}

const app = () => composeShop(warehouse.folder, pipeline);

const everything = { processors: null, startDate: null, endDate: null };

/** One run to its end; each of its cycles is heard of before the next one begins. */
async function run(...processes: readonly Process[]): Promise<void> {
  const running = await app();
  const hear = (assessment: Assessment, cycleId: string) => {
    for (const { newsroom } of processes) newsroom.onCycle(assessment, cycleId);
  };
  await running.once(
    {
      selection: everything,
      asOf: null,
      maxAgeMs: null,
      singlePass: false,
      maxWaitMs: 0,
      listener: tellAll([{ onCycle: hear }]),
      signal: new AbortController().signal,
    },
    () => undefined,
  );
  for (const { newsroom } of processes) await newsroom.settled();
  await running.close();
}

const lose = (table: string, dates: string) =>
  warehouse.write([`delete from shop.${table} where day ${dates}`]);
const bringBack = (table: string) =>
  warehouse.write([
    `insert into shop.${table} select day from shop.days where day not in (select day from shop.${table})`,
  ]);

test("each thing is told once when it begins, by whoever plans, and not again after a restart", async () => {
  const { ledger } = (await app()).context;
  let isAway = false;
  const first = startProcess({
    since: (instant) =>
      isAway ? Promise.reject(new ReconcilerError("ledger_unavailable", "away")) : ledger.since(instant),
  });
  await run(first);
  expect(first.told, "a first look that finds all complete is no news").toEqual([]);

  await lose("orders", "in ('2024-01-03', '2024-01-04')");
  await lose("notes", "= '2024-01-05'");
  isAway = true;
  await run(first);
  expect(first.told, "while the ledger cannot be asked").toEqual([]);
  expect(first.failures).not.toEqual([]);
  isAway = false;
  await run(first);
  expect(first.told.toSorted(), "all of it then, but nothing of severity info").toEqual([
    "quarantined orders 03,04",
    "reopened orders 03,04",
  ]);

  const [restarted, onlooker] = [startProcess(ledger), startProcess(ledger)];
  onlooker.newsroom.onLeading(false);
  await run(restarted, onlooker);
  expect(restarted.told, "what stands still").toEqual([]);
  await bringBack("orders");
  await run(restarted, onlooker);
  expect(restarted.told).toEqual(["converged"]);
  expect(onlooker.told, "who does not plan").toEqual([]);
}, 60_000);

test("a mass gap is told when it begins, and not again after a restart while it stands", async () => {
  const shop = await app();
  const { ledger } = shop.context;
  await run();
  await lose("orders", "> '2024-01-10'");
  const first = startProcess(ledger);
  await run(first);
  expect(first.told).toEqual(["mass_gap orders"]);
  const restarted = startProcess(ledger);
  await run(restarted);
  expect(restarted.told).toEqual([]);

  await lose("lines", "> '2024-01-10'");
  await lose("notes", "> '2024-01-10'");
  const { assessment } = await shop.look({ selection: everything, asOf: null });
  restarted.newsroom.onCycle(assessment, "never-recorded");
  await restarted.newsroom.settled();
  expect(restarted.told, "a cycle that is not on record").toEqual([]);
  await run(restarted);
  expect(restarted.told, "all together is told instead of each").toEqual(["mass_gap all"]);
}, 60_000);

test("what a cycle on record saw is told also where the lease is lost before it is: nobody else would tell it", async () => {
  const { ledger } = (await app()).context;
  await run();
  await lose("orders", "= '2024-01-03'");
  const loser = startProcess({
    since(instant) {
      loser.newsroom.onLeading(false);
      return ledger.since(instant);
    },
  });
  await run(loser);
  const next = startProcess(ledger);
  await run(next);
  expect(next.told, "by its record the cycle before told it").toEqual([]);
  expect(loser.told.toSorted()).toEqual(["reopened orders 03"]);
}, 60_000);
