// Method: runs in this process on a real DuckDB warehouse, beside whoever else holds the lease or the queue that they share.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createInlineCellLock } from "../../src/adapters/inline/cell-lock.ts";
import { systemClock } from "../../src/adapters/inline/system-clock.ts";
import { tellAll } from "../../src/compose/listeners.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import { ReconcilerError } from "../../src/errors.ts";
import type { ReconcileContext } from "../../src/reconcile/context.ts";
import { reconcileAlways } from "../../src/reconcile/daemon.ts";
import type { Coordination } from "../../src/reconcile/daemon-options.ts";
import { reconcileOnce } from "../../src/reconcile/once.ts";
import type { OnceResult, RunListener } from "../../src/reconcile/once-options.ts";
import type { Clock, Warehouse } from "../../src/reconcile/ports.ts";
import type { RepairConsumer, RepairJob, RepairQueue } from "../../src/reconcile/ports/repair-queue.ts";
import type { RepairEvent } from "../../src/reconcile/ports/repair-events.ts";
import { everything, type SelectionSpec } from "../../src/reconcile/selection.ts";
import { type TempWarehouse, withTempWarehouse } from "../support/duckdb.ts";
import { event, inlineCoordination, queueBut, recordStartElsewhere } from "../support/running-daemon.ts";
import { composeShop } from "../support/shop-pipeline.ts";
import { wokenClock } from "../support/test-clocks.ts";

interface Shop {
  readonly warehouse: TempWarehouse;
  readonly context: ReconcileContext;
  readonly coordination: Coordination;
  run(options?: RunOptions): Promise<OnceResult>;
}

interface RunOptions {
  /** Tells processes apart. */
  readonly worker?: string;
  readonly selection?: SelectionSpec;
  readonly maxWaitMs?: number;
  readonly coordination?: Coordination;
  readonly listener?: Partial<RunListener>;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly warehouse?: Warehouse;
}

/** Has ten minutes pass in less than one second. */
const rapidClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() * 1000,
  sleep: (ms, signal) => systemClock.sleep(ms / 1000, signal),
};

const sqlRepair = "repair: { sql_file: orders.sql, max_dates_per_job: 1 }";

/** Ten days of orders of which three are lost, and bills that are made from them. */
async function withShop(work: (shop: Shop) => Promise<void>, repair = sqlRepair): Promise<void> {
  const statements = [
    "create schema shop",
    "create table shop.days as select date '2024-01-01' + i::integer as day from range(10) as r (i)",
    "create table shop.orders as select day, 'o' as id from shop.days where day not in ('2024-01-02', '2024-01-05', '2024-01-08')",
    "create table shop.bills as select day, id from shop.orders",
  ];
  await withTempWarehouse(statements, async (warehouse) => {
    const { folder } = warehouse;
    for (const [target, source] of [
      ["orders", "(select day, 'o' as id from shop.days)"],
      ["bills", "shop.orders"],
    ]) {
      const select = `select day, id from ${source} where day between $start_date and $end_date`;
      await writeFile(join(folder, `${target}.sql`), select);
    }
    const app = await composeShop(
      folder,
      `processors:
  orders: { table: shop.orders, date_column: day, ${repair} }
  bills: { table: shop.bills, date_column: day, depends_on: [orders], repair: { sql_file: bills.sql } }
`,
    );
    const context = { ...app.context, lock: createInlineCellLock() };
    const coordination = inlineCoordination();
    const run = ({
      worker = "host/1/1",
      listener = {},
      clock = systemClock,
      warehouse: seen = context.warehouse,
      ...options
    }: RunOptions = {}) =>
      reconcileOnce(
        { ...context, worker, clock, warehouse: seen },
        {
          selection: everything,
          asOf: null,
          maxAgeMs: null,
          singlePass: false,
          maxWaitMs: 60_000,
          coordination,
          listener: tellAll([listener]),
          signal: new AbortController().signal,
          ...options,
        },
      );
    try {
      await work({ warehouse, context, coordination, run });
    } finally {
      await coordination.queue.close();
      await app.close();
    }
  });
}

async function rowsOf({ warehouse }: Shop): Promise<unknown> {
  return warehouse.read("select (select count(*) from shop.orders), (select count(*) from shop.bills)");
}

function cellsOf({ repairs }: OnceResult): readonly string[] {
  return repairs.flatMap(({ cells }) => cells.map(({ processor, date }) => `${processor}/${date}`)).sort();
}

function jobOfOthers(date: string): RepairJob {
  return {
    id: `orders/${date}..${date}/1`,
    repair: "orders",
    dates: [parseIsoDate(date)],
    attempt: 1,
    reason: "1 missing",
    cycleId: "of-a-run-that-was-killed",
  };
}

const lost = ["2024-01-02", "2024-01-05", "2024-01-08"];
const allLost = ["bills", "orders"].flatMap((name) => lost.map((date) => `${name}/${date}`));

test(
  "a run that finds nobody else enqueues, works itself, reports, and leaves nothing behind",
  () =>
    withShop(async (shop) => {
      const result = await shop.run();
      expect([result.converged, cellsOf(result)]).toEqual([true, allLost]);
      expect(await rowsOf(shop)).toEqual([["10", "10"]]);
      expect(await shop.coordination.queue.outstanding()).toEqual([]);
      const term = await shop.coordination.lease.acquire();
      expect(term).not.toBeNull();
    }),
  60_000,
);

test(
  "two runs at once do each repair once, and each reports all of its selection, whoever did it",
  () =>
    withShop(async (shop) => {
      const started: string[] = [];
      const listener = { onStarted: ({ repairId }: { readonly repairId: string }) => started.push(repairId) };
      const results = await Promise.all([
        shop.run({ worker: "host/1/1", listener }),
        shop.run({ worker: "host/2/2", listener }),
      ]);
      for (const result of results) expect(result.converged).toBe(true);
      const { attempts } = await shop.context.ledger.read(Date.now());
      expect(attempts.map(({ processor, date }) => `${processor}/${date}`).sort()).toEqual(allLost);
      expect(new Set(started).size).toBe(started.length);
      expect(await rowsOf(shop)).toEqual([["10", "10"]]);
    }),
  60_000,
);

test(
  "where another process plans for good, a run asks it for its selection and takes no job, and goes on by itself when that one is gone",
  () =>
    withShop(async (shop) => {
      const { lease, events, queue } = shop.coordination;
      const daemon = await lease.acquire();
      const heard: RepairEvent[] = [];
      events.subscribe((event) => heard.push(event));
      const selection = { ...everything, startDate: parseIsoDate("2024-01-05") };
      let outstandingThen: Promise<unknown> = Promise.resolve(null);
      const result = await shop.run({
        selection,
        listener: {
          onAsking() {
            outstandingThen = queue.outstanding();
            void daemon?.release();
          },
        },
      });
      expect(await outstandingThen).toEqual([]);
      expect(heard).toContainEqual({ kind: "repairs_wanted", worker: "host/1/1", selection });
      expect([result.converged, cellsOf(result)]).toEqual([
        true,
        allLost.filter((cell) => !cell.endsWith(lost[0] ?? "")),
      ]);
    }),
  60_000,
);

test(
  "a daemon that only observes lets a run plan",
  () =>
    withShop(async (shop) => {
      const end = new AbortController();
      const observing = event();
      const observer = reconcileAlways(
        { ...shop.context, worker: "host/9/9" },
        {
          role: "all",
          mode: "observe",
          coordination: shop.coordination,
          maxAgeMs: null,
          cycleTimeoutMs: 60_000,
          shutdownGraceMs: 60_000,
          ticks: { start: () => ({ stop: () => undefined }) },
          listener: tellAll([{ onCycle: () => observing.happens() }]),
          signal: end.signal,
        },
      );
      await observing.happened;
      expect(await shop.coordination.lease.acquire()).toBeNull();
      expect(await shop.run()).toMatchObject({ converged: true });
      end.abort();
      await observer;
    }),
  60_000,
);

test(
  "jobs of its selection that nobody takes any more are taken by a run that planned none of them",
  () =>
    withShop(async (shop) => {
      await shop.coordination.queue.enqueue(lost.map(jobOfOthers), 1);
      const result = await shop.run({ selection: { ...everything, processors: ["orders"] } });
      expect([result.converged, cellsOf(result)]).toEqual([true, lost.map((date) => `orders/${date}`)]);
    }),
  60_000,
);

test(
  "a run looks once for all jobs that were there before it looked, however many runs planned them",
  () =>
    withShop(async (shop) => {
      const jobs = lost.map((date) => ({ ...jobOfOthers(date), cycleId: `of-the-run-for-${date}` }));
      await shop.coordination.queue.enqueue(jobs, 1);
      let [looks, cycles] = [0, 0];
      const { warehouse } = shop.context;
      const survey: Warehouse["survey"] = (request) => {
        looks++;
        return warehouse.survey(request);
      };
      const result = await shop.run({
        selection: { ...everything, processors: ["orders"] },
        warehouse: { ...warehouse, survey },
        listener: { onCycle: () => void cycles++ },
      });
      expect([result.converged, looks - cycles]).toEqual([true, 1]);
    }),
  60_000,
);

const ofOneDay = {
  processors: ["orders"],
  startDate: parseIsoDate("2024-01-05"),
  endDate: parseIsoDate("2024-01-05"),
};

/** The queue, with the job of that day in the hands of a process that was killed, until somebody takes jobs and so notices it. */
function withLeftBehind(queue: RepairQueue, isNoticed: boolean): RepairQueue {
  let isLeft = true;
  return queueBut(queue, {
    outstanding: async () => {
      const left = { ...jobOfOthers("2024-01-05"), epoch: 1, state: "running" } as const;
      return [...(isLeft ? [left] : []), ...(await queue.outstanding())];
    },
    consume(...of) {
      isLeft &&= !isNoticed;
      return queue.consume(...of);
    },
  });
}

test(
  "a run has noticed that a job of its selection was taken by a process that is dead",
  () =>
    withShop(async (shop) => {
      const queue = withLeftBehind(shop.coordination.queue, true);
      const result = await shop.run({
        selection: ofOneDay,
        coordination: { ...shop.coordination, queue },
      });
      expect([result.converged, cellsOf(result)]).toEqual([true, ["orders/2024-01-05"]]);
    }),
  60_000,
);

test(
  "a job that is taken and never ends is not waited for beyond what it may take and the longest wait",
  () =>
    withShop(async (shop) => {
      const { lease, queue } = shop.coordination;
      await lease.acquire();
      const result = await shop.run({
        selection: ofOneDay,
        coordination: { ...shop.coordination, queue: withLeftBehind(queue, false) },
        clock: rapidClock,
      });
      expect([result.converged, result.stopped]).toEqual([false, false]);
    }, "repair: { sql_file: orders.sql, timeout: 1s }"),
  60_000,
);

test(
  "a run that waits for what runs elsewhere says so once, however often it looks whether it is over",
  () =>
    withShop(async (shop) => {
      await shop.context.ledger.create();
      await recordStartElsewhere(shop.context, jobOfOthers("2024-01-05"), "theirs");
      const waits: (number | null)[] = [];
      const end = new AbortController();
      let turns = 0;
      const result = await shop.run({
        selection: ofOneDay,
        clock: { ...systemClock, sleep: (_ms, signal) => systemClock.sleep(1, signal) },
        signal: end.signal,
        listener: {
          onPlanned: () => {
            if (++turns === 10) end.abort();
          },
          onWaiting: (until) => void waits.push(until),
        },
      });
      expect([result.stopped, waits]).toEqual([true, [null]]);
    }),
  60_000,
);

test(
  "a run does not wait for a job about a date that it does not look at",
  () =>
    withShop(async (shop) => {
      const { queue } = shop.coordination;
      const ahead = { ...jobOfOthers("2199-01-01"), epoch: 1, state: "running" } as const;
      const busy = queueBut(queue, { outstanding: async () => [ahead, ...(await queue.outstanding())] });
      const result = await shop.run({ coordination: { ...shop.coordination, queue: busy } });
      expect([result.converged, cellsOf(result)]).toEqual([true, allLost]);
    }),
  60_000,
);

test(
  "what ends while a run still enqueues is not slept through",
  () =>
    withShop(async (shop) => {
      const { queue, events } = shop.coordination;
      const ended = event();
      events.subscribe(({ kind }) => void (kind === "ended" && ended.happens()));
      const slow = queueBut(queue, {
        async enqueue(...of) {
          const added = await queue.enqueue(...of);
          await ended.happened;
          return added;
        },
      });
      const result = await shop.run({
        selection: ofOneDay,
        coordination: { ...shop.coordination, queue: slow },
        clock: wokenClock,
      });
      expect(result.converged).toBe(true);
    }),
  60_000,
);

test(
  "a run whose selection is done takes no jobs of others any more",
  () =>
    withShop(async (shop) => {
      const { queue } = shop.coordination;
      const other = jobOfOthers("2024-01-02");
      let looks = 0;
      const onCycle = () => {
        if (++looks === 2) void queue.enqueue([other], Number.MAX_SAFE_INTEGER);
      };
      const result = await shop.run({ selection: ofOneDay, listener: { onCycle } });
      expect([result.converged, looks]).toEqual([true, 2]);
      expect(await queue.outstanding()).toMatchObject([{ id: other.id, state: "queued" }]);
    }),
  60_000,
);

test(
  "a run that is stopped cancels what it runs and takes back what nobody has begun",
  () =>
    withShop(async (shop) => {
      const end = new AbortController();
      const result = await shop.run({ signal: end.signal, listener: { onStarted: () => end.abort() } });
      expect([result.stopped, result.converged]).toEqual([true, false]);
      expect(await shop.coordination.queue.outstanding()).toEqual([]);
      const { unfinished, attempts } = await shop.context.ledger.read(Date.now());
      expect([unfinished, attempts.filter(({ charged }) => charged)]).toEqual([[], []]);
    }, `repair: { command: [node, -e, "setTimeout(() => {}, 60000)", "{{start_date}}"], max_dates_per_job: 1 }`),
  60_000,
);

test(
  "a run takes back what it enqueued without hearing so, as the queue was away before it answered",
  () =>
    withShop(async (shop) => {
      const { queue } = shop.coordination;
      let leftWaiting = 0;
      const idle: RepairConsumer = {
        running: 0,
        lastTakenAt: null,
        pause: () => undefined,
        resume: () => undefined,
        close: () => Promise.resolve(),
      };
      const deaf = queueBut(queue, {
        consume: () => idle,
        async enqueue(...of) {
          leftWaiting = (await queue.enqueue(...of)).length;
          throw new ReconcilerError("redis_unavailable", "no answer");
        },
      });
      const end = new AbortController();
      const result = await shop.run({
        coordination: { ...shop.coordination, queue: deaf },
        signal: end.signal,
        listener: { onDegraded: () => end.abort() },
      });
      expect([result.stopped, leftWaiting > 0]).toEqual([true, true]);
      expect(await queue.outstanding()).toEqual([]);
    }),
  60_000,
);

test(
  "a run whose queue is away says so and goes on when it is back, and otherwise fails with what is away",
  () =>
    withShop(async (shop) => {
      const { queue } = shop.coordination;
      let left = 1;
      const outstanding: RepairQueue["outstanding"] = () =>
        left-- > 0
          ? Promise.reject(new ReconcilerError("redis_unavailable", "nobody there"))
          : queue.outstanding();
      const coordination = { ...shop.coordination, queue: queueBut(queue, { outstanding }) };
      const degraded: boolean[] = [];
      const listener = { onDegraded: (thrown: unknown) => void degraded.push(thrown !== null) };
      expect(await shop.run({ coordination, listener })).toMatchObject({ converged: true });
      expect(degraded).toEqual([true, false]);
      left = Infinity;
      await shop.warehouse.write(["delete from shop.orders where day = date '2024-01-02'"]);
      const failed = shop.run({ coordination, maxWaitMs: 1 });
      await expect(failed).rejects.toMatchObject({ code: "redis_unavailable" });
    }),
  60_000,
);
