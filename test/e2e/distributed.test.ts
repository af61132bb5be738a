// Goal: several processes are one: they converge as one would, no cell is ever run by two of them at once, and whoever dies is replaced.
// Method: real daemons beside one Redis process and one local BigQuery; what ran when is read from the ledger.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { keyPrefix } from "../../src/adapters/redis/server.ts";
import { messageOf } from "../../src/errors.ts";
import { type CliProcess, startReconcile } from "../support/cli.ts";
import { asIfUsedBefore, type RedisProcess, startRedis } from "../support/redis.ts";
import {
  type BigQueryPlatform,
  bigQueryPlatform,
  duckDbPlatform,
  someHoles,
  tableNames,
} from "./platform.ts";

const timeoutMs = 180_000;
/** Of each wait, and shorter than the test's own: what hangs is to say where. */
const patienceMs = 120_000;

interface Fleet {
  readonly redis: RedisProcess;
  readonly platform: BigQueryPlatform;
  start(...args: readonly string[]): CliProcess;
}

/** A broken platform with its Redis; whatever was started is gone afterwards. Where `work` fails, its error says what the daemons logged. */
async function withFleet(work: (fleet: Fleet) => Promise<void>, more = ""): Promise<void> {
  const daemons: CliProcess[] = [];
  const [redis, platform] = await Promise.all([startRedis(), bigQueryPlatform(someHoles)]);
  const endAll = () => {
    for (const { child } of daemons) child.kill("SIGKILL");
    return Promise.all(daemons.map(({ ended }) => ended));
  };
  try {
    await asIfUsedBefore([redis], `${keyPrefix("platform")}locks:`);
    await platform.configure({
      more: `redis: { url: "${redis.url}" }\ndaemon: { cron: "0 4 1 1 *", shutdown_grace: 5s }\nlimits: { jobs_max: 4 }\n${more}\n`,
    });
    expect(await platform.run("validate", "--create")).toMatchObject({ code: 0 });
    await work({
      redis,
      platform,
      start(...args) {
        const daemon = startReconcile(["daemon", "--log-level", "debug", ...args], {
          cwd: platform.folder,
          patienceMs: timeoutMs,
        });
        daemons.push(daemon);
        return daemon;
      },
    });
  } catch (cause) {
    const logs = (await endAll()).map(({ code, signal, stderr }) => `ended by ${code ?? signal}:\n${stderr}`);
    throw new Error(`${messageOf(cause)}\nthe daemons logged, one after the other:\n${logs.join("\n")}`, {
      cause,
    });
  } finally {
    await endAll();
    await Promise.all([redis.stop(), platform.remove()]);
  }
}

/** Seldom enough that the asking is no load: the local BigQuery and the processes share what there is of CPU. */
async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`expected ${what} within ${patienceMs / 1000} s`);
    await sleep(500);
  }
}

function untilRepairing({ platform }: Fleet): Promise<void> {
  const started = "select 1 from reconciler.repair_starts limit 1";
  return until("a repair to start", async () => (await platform.server.run(started)).length > 0);
}

async function untilConverged({ platform }: Fleet): Promise<void> {
  await until("the tables to be whole", () => platform.isWhole());
  await until("the status to be converged", async () => (await platform.report("status")).document.converged);
}

/** Runs of one cell that were under way at the same time, by the ledger. */
function overlaps({ platform }: Fleet): Promise<unknown> {
  return platform.server.run(`
    with runs as (
      select repair_id, processor, date, started_at, ended_at from reconciler.cell_outcomes
    )
    select a.repair_id as first, b.repair_id as second
    from runs as a join runs as b
      on a.processor = b.processor and a.date = b.date and a.repair_id < b.repair_id
      and a.started_at < b.ended_at and b.started_at < a.ended_at`);
}

/** The tables as one undisturbed process leaves them. */
async function expectWhole({ platform }: Fleet): Promise<void> {
  const whole = await duckDbPlatform({});
  try {
    for (const table of tableNames) expect(await platform.rows(table)).toEqual(await whole.rows(table));
  } finally {
    await whole.remove();
  }
}

describe.concurrent("several processes", () => {
  test(
    "of which one only plans and one only works converge as one, and stop cleanly",
    () =>
      withFleet(async (fleet) => {
        const all = [fleet.start("--role", "planner"), fleet.start("--role", "worker"), fleet.start()];
        await untilConverged(fleet);
        for (const { child } of all) child.kill("SIGTERM");
        for (const { ended } of all) expect(await ended).toMatchObject({ code: 0, signal: null });
        await expectWhole(fleet);
        expect(await overlaps(fleet)).toEqual([]);
        const outcomes = "select distinct outcome from reconciler.cell_outcomes";
        expect(await fleet.platform.server.run(outcomes)).toEqual([["repaired"]]);
        // No lock and no lease is left behind.
        expect(await fleet.redis.command("keys", "*:lock:*")).toEqual([]);
      }),
    timeoutMs,
  );

  test(
    "replace a planner that is killed, and what it had begun is finished",
    () =>
      withFleet(async (fleet) => {
        const first = fleet.start();
        await untilRepairing(fleet);
        first.child.kill("SIGKILL");
        fleet.start();
        await untilConverged(fleet);
        await expectWhole(fleet);
        expect(await overlaps(fleet)).toEqual([]);
      }),
    timeoutMs,
  );

  test(
    "lose nothing but time where Redis is wiped in mid-run",
    () =>
      withFleet(async (fleet) => {
        fleet.start();
        fleet.start();
        await untilRepairing(fleet);
        await fleet.redis.command("flushall");
        await untilConverged(fleet);
        await expectWhole(fleet);
        expect(await overlaps(fleet)).toEqual([]);
      }),
    timeoutMs,
  );

  test(
    "of which two are runs of --once at the same time do no work twice, and both say that all is done",
    () =>
      withFleet(async (fleet) => {
        const { platform } = fleet;
        const runs = await Promise.all([platform.report("--once"), platform.report("--once")]);
        for (const { code, document } of runs) expect([code, document.converged]).toEqual([0, true]);
        await expectWhole(fleet);
        expect(await overlaps(fleet)).toEqual([]);
        const twice = `select processor, date from reconciler.cell_outcomes group by processor, date having count(*) > 1`;
        expect(await platform.server.run(twice)).toEqual([]);
      }),
    timeoutMs,
  );

  test(
    "of which one is a run of --once that asks a daemon for dates which are too old for it, and waits until they are done",
    () =>
      withFleet(async (fleet) => {
        const { platform } = fleet;
        const daemon = fleet.start();
        await until("the daemon to plan", async () => {
          const cycles = "select 1 from reconciler.cycles limit 1";
          return (await platform.server.run(cycles)).length > 0;
        });
        const { code, document } = await platform.report("--once", "--start-date", "2024-02-01");
        expect([code, document.converged]).toEqual([0, true]);
        const done = await platform.server.run(
          "select distinct e.processor, cast(e.date as string), s.worker from reconciler.cell_outcomes as e join reconciler.repair_starts as s using (repair_id) order by 1, 2",
        );
        const worker = expect.stringContaining(`/${daemon.child.pid}/`);
        expect(done).toEqual([
          ["factors", "2024-02-01", worker],
          ["predictions", "2024-02-01", worker],
          ["predictions", "2024-02-05", worker],
        ]);
      }, "safety: { auto_repair_max_age: 30d }"),
    timeoutMs,
  );

  test(
    "go on looking where Redis is away, begin nothing, and repair once it is back",
    () =>
      withFleet(async (fleet) => {
        await fleet.redis.kill();
        const daemon = fleet.start();
        let logged = "";
        daemon.child.stderr?.on("data", (chunk: Buffer) => {
          logged += chunk.toString("utf8");
        });
        await until("a cycle", () => logged.includes('"cycle observed"'));
        expect(logged).toMatch(/"code":"redis_unavailable".*"coordination is away: nothing new is enqueued"/);
        const starts = "select count(*) from reconciler.repair_starts";
        expect(await fleet.platform.server.run(starts)).toEqual([["0"]]);
        await fleet.redis.restart();
        await untilConverged(fleet);
        await expectWhole(fleet);
      }),
    timeoutMs,
  );
});
