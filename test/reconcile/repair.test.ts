// Method: one job over a real DuckDB warehouse and ledger; its cells are locked on a Redis that is wiped while it runs.
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createRedisCellLock } from "../../src/adapters/redis/cell-lock.ts";
import { createInlineCellLock } from "../../src/adapters/inline/cell-lock.ts";
import { plan } from "../../src/core/plan.ts";
import { ReconcilerError } from "../../src/errors.ts";
import type { ReconcileContext } from "../../src/reconcile/context.ts";
import { type JobResult, type JobSignals, runJob } from "../../src/reconcile/repair.ts";
import type { CellLock, ProfileRequest, ProfileResult } from "../../src/reconcile/ports.ts";
import { Session } from "../../src/reconcile/session.ts";
import { isProcessAlive } from "../adapters/executors/fixtures.ts";
import { makeTempWarehouse, type TempWarehouse } from "../support/duckdb.ts";
import { asIfUsedBefore, connectAll, type RedisProcess, startRedis } from "../support/redis.ts";
import { soon } from "../support/repairs.ts";
import { composeShop } from "../support/shop-pipeline.ts";
import { hurriedClock } from "../support/test-clocks.ts";

const timeoutMs = 60_000;

const statements = [
  "create schema shop",
  "create table shop.days as select date '2024-01-01' + i::integer as day from range(2) as r (i)",
  "create table shop.load as select 1 as n",
  "create table shop.runs (name varchar, day date, status varchar, started_at timestamptz)",
  "create table shop.orders as select day from shop.days where false",
];

interface Job {
  readonly warehouse: TempWarehouse;
  readonly context: ReconcileContext;
  readonly begin: (signals?: Partial<JobSignals>) => Promise<JobResult>;
}

interface Surroundings {
  readonly lock?: CellLock;
  /** What stands above the processors. */
  readonly head?: string;
  /** Of the processor, beside its table. */
  readonly where?: string;
  /** Stands between the job and what it works with, once the job is planned. */
  readonly around?: (context: ReconcileContext) => ReconcileContext;
}

/** A job of two dates that are missing, for the repair that is given. */
async function planJob(
  repair: string,
  { lock = createInlineCellLock(), head = "", where = "true", around = (context) => context }: Surroundings,
): Promise<Job> {
  const warehouse = await makeTempWarehouse(statements);
  onTestFinished(() => warehouse.remove());
  const app = await composeShop(
    warehouse.folder,
    `${head}processors:
  orders: { table: shop.orders, date_column: day, where: "${where}", repair: { ${repair} } }`,
  );
  onTestFinished(() => app.close());
  const context = around({ ...app.context, lock });
  await context.ledger.create();
  const selection = { processors: null, startDate: null, endDate: null };
  const session = new Session(context, { selection, asOf: null, maxAgeMs: null, horizon: "moving" });
  await session.refresh();
  const [job] = plan(session.assess(), { jobsMax: 1, cellsMax: 10, recentSlots: 0, slots: true });
  if (job === undefined) throw new Error("expected a job");
  const events = {
    started: () => undefined,
    verified: () => undefined,
    ended: () => undefined,
    unconfirmed: () => undefined,
  };
  const never = new AbortController().signal;
  return {
    warehouse,
    context,
    begin(signals) {
      session.begun(job.id, { repairUnit: 0, state: "running", processors: [0], days: job.days });
      return runJob(context, session, job, "cycle-1", events, { stop: never, cancel: never, ...signals });
    },
  };
}

/** What the ledger says when the job is over. */
async function recorded({ context }: Job): Promise<unknown> {
  const { attempts, unfinished } = await context.ledger.read(Date.now());
  return [unfinished.length, ...attempts.map(({ outcome, charged }) => [outcome, charged])];
}

interface LockServer {
  readonly redis: RedisProcess;
  readonly lock: CellLock;
}

async function startLockServer(): Promise<LockServer> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const connections = await connectAll([redis.url]);
  onTestFinished(() => {
    for (const connection of connections) connection.close();
  });
  await asIfUsedBefore([redis], "gap-reconciler:{shop}:locks:");
  const times = { renewMs: 100, giveUpMs: 5000, ttlMs: 8000 };
  return { redis, lock: createRedisCellLock({ pipeline: "shop", connections, times }) };
}

const lost = { kind: "ran", ends: [{ outcome: "lost_lock", errorCode: "lost_lock" }] };
/** Uncharged. */
const lostOnBothDates = [0, ["lost_lock", false], ["lost_lock", false]];

/** A program with a helper, which tells the pids of both and goes on for a minute. */
const endless = [
  "const { spawn } = require('node:child_process')",
  "const helper = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'])",
  "require('node:fs').writeFileSync('pids', process.pid + ' ' + helper.pid)",
  "setTimeout(() => {}, 60000)",
].join("; ");

test(
  "a command whose locks are lost is ended with its whole process group, and on record as lost_lock",
  async () => {
    const { redis, lock } = await startLockServer();
    const job = await planJob(`command: [node, -e, "${endless}", "{{dates}}"], batch: list`, { lock });
    const ended = job.begin();
    const file = join(job.warehouse.folder, "pids");
    const pids = () => (existsSync(file) ? readFileSync(file, "utf8").split(" ").map(Number) : []);
    await soon(() => expect(pids().map(isProcessAlive)).toEqual([true, true]), timeoutMs);
    await redis.command("flushall");
    expect(await ended).toMatchObject(lost);
    expect(pids().map(isProcessAlive)).toEqual([false, false]);
    expect(await recorded(job)).toEqual(lostOnBothDates);
  },
  timeoutMs,
);

test(
  "a request whose locks are lost is given up, and on record as lost_lock",
  async () => {
    const { redis, lock } = await startLockServer();
    // Takes requests and never answers.
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = address === null || typeof address === "string" ? 0 : address.port;
    const url = `http://127.0.0.1:${port}/fill`;
    const job = await planJob(`http: { url: "${url}", body: { days: "{{dates}}" } }, batch: list`, { lock });
    const closed = new Promise((resolve) => {
      server.once("connection", (socket) => socket.once("close", resolve));
    });
    const asked = once(server, "request");
    const ended = job.begin();
    await asked;
    await redis.command("flushall");
    expect(await ended).toMatchObject(lost);
    await closed;
    expect(await recorded(job)).toEqual(lostOnBothDates);
  },
  timeoutMs,
);

const done = `command: [node, -e, "", "{{dates}}"], batch: list`;

/** True, and as slow to find out as the table is large. */
const slow =
  "(select count(*) from shop.load as a, shop.load as b, shop.load as c where a.n + b.n > c.n) > 0";
const slowHistory = `run_history:
  table: shop.runs
  date_column: day
  processor_column: name
  status_column: status
  started_at_column: started_at
  where: "${slow}"
`;

test.each([
  ["at its cells", { where: slow }],
  ["at what others run", { head: slowHistory }],
])(
  "a stop does not wait for the look before a run %s, and nothing is begun",
  async (_what, surroundings) => {
    const stop = new AbortController();
    const job = await planJob(done, surroundings);
    await job.warehouse.write(["insert into shop.load select i from range(100000) as r (i)"]);
    setTimeout(() => stop.abort(), 200);
    expect(await job.begin({ stop: stop.signal })).toEqual({ kind: "stopped" });
    expect(await recorded(job)).toEqual([0]);
  },
  timeoutMs,
);

test(
  "a process that is to end waits only a moment for a look that has no answer, and the end is on record as not proven",
  async () => {
    const cancel = new AbortController();
    let looks = 0;
    const job = await planJob(done, {
      around: (context) => ({
        ...besides(context, (request, profile) => {
          looks += 1;
          if (looks === 1) return profile(request);
          cancel.abort();
          return unanswered(request);
        }),
        clock: hurriedClock,
      }),
    });
    const result = await job.begin({ cancel: cancel.signal });
    expect(result).toMatchObject({ kind: "ran", ends: [{ errorCode: "not_verified" }] });
    // Charged to nobody: whoever looks next may find it whole.
    expect([looks, await recorded(job)]).toEqual([2, [0]]);
  },
  timeoutMs,
);

type Profile = (request: ProfileRequest) => Promise<ProfileResult>;

/** The context with looks that something stands before. */
function besides(
  context: ReconcileContext,
  look: (request: ProfileRequest, profile: Profile) => Promise<ProfileResult>,
): ReconcileContext {
  const { warehouse } = context;
  const profile: Profile = (request) => warehouse.profile(request);
  return { ...context, warehouse: { ...warehouse, profile: (request) => look(request, profile) } };
}

/** As a warehouse does that can be reached and does not answer. */
function unanswered({ signal }: ProfileRequest): Promise<ProfileResult> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(new ReconcilerError("interrupted", "called off")));
  });
}
