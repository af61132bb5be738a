// One storm over three daemons: set up, let loose, and what has to hold whatever happened.
import { expect, inject } from "vitest";
import { keyPrefix } from "../../src/adapters/redis/server.ts";
import { messageOf } from "../../src/errors.ts";
import { documentOf } from "../e2e/scene.ts";
import { reconcile } from "../support/cli.ts";
import { asIfUsedBefore, type RedisProcess, startRedis } from "../support/redis.ts";
import { type League, startLeague } from "./league.ts";
import { type Reign, Replicas, until } from "./replicas.ts";

export interface Storm {
  readonly league: League;
  readonly redis: RedisProcess;
  /** The lock servers, where they are not the one above. */
  readonly lockServers: readonly RedisProcess[];
  readonly replicas: Replicas;
  /** Resolves when so many repairs have been started since the beginning. */
  untilStarted(repairs: number): Promise<void>;
  /** Resolves when a look of another process finds nothing left to do. */
  untilConverged(): Promise<void>;
  /** Asks the ledger; one value per row. */
  readonly ledger: (sql: string) => Promise<readonly unknown[]>;
}

const daemons = 3;
/** On a machine that does much beside; an idle one takes a third. */
const convergenceMs = 220_000;
const lockMemory = `${keyPrefix("nba-props")}locks:`;

/** Lets `work` loose on three daemons and stops everything; where it fails, its error says what the daemons logged. */
export async function withStorm(
  options: { readonly lockServers?: number; readonly envs?: readonly Readonly<Record<string, string>>[] },
  work: (storm: Storm) => Promise<void>,
): Promise<void> {
  const { lockServers: count = 0, envs = [] } = options;
  const [league, redis, ...lockServers] = await Promise.all([
    startLeague(),
    startRedis(),
    ...Array.from({ length: count }, () => startRedis()),
  ]);
  const replicas = new Replicas(league);
  const ledger = async (sql: string) => (await league.bigquery.run(sql)).map(([value]) => value);
  try {
    await asIfUsedBefore(count === 0 ? [redis] : lockServers, lockMemory);
    await league.configure({ url: redis.url, lockUrls: lockServers.map(({ url }) => url) });
    expect(await reconcile(["validate", "--create"], { cwd: league.folder, env: league.env })).toMatchObject({
      code: 0,
    });
    for (let index = 0; index < daemons; index += 1) replicas.start(envs[index]);
    await work({
      league,
      redis,
      lockServers,
      replicas,
      ledger,
      untilStarted: (repairs) =>
        until(`${repairs} repairs to have been started`, async () => {
          const [started] = await ledger("select count(*) from nba_reconciler.repair_starts");
          return Number(started) >= repairs;
        }),
      untilConverged: () =>
        until("convergence", async () => (await isSettled(ledger)) && isConverged(league), convergenceMs),
    });
  } catch (cause) {
    throw new Error(`${messageOf(cause)}\nThe daemons logged:\n${await replicas.logs()}`, { cause });
  } finally {
    await replicas.stopAll("SIGKILL");
    await Promise.all([league.remove(), ...[redis, ...lockServers].map((server) => server.stop())]);
  }
}

/** Whether nothing can run any more, by the ledger: asking it costs less than a look at everything. */
async function isSettled(ledger: Storm["ledger"]): Promise<boolean> {
  const [unfinished] = await ledger(`
    select count(*) from nba_reconciler.repair_starts
    where deadline_at > current_timestamp() and repair_id not in (select repair_id from nba_reconciler.repair_ends)`);
  return Number(unfinished) === 0;
}

async function isConverged({ folder, env }: League): Promise<boolean> {
  const result = await reconcile(["status", "--format", "json"], { cwd: folder, env });
  return documentOf(result).converged;
}

/** What is wrong when a storm is over; nothing has to be, whatever the storm was. */
export async function wrongs({ league, replicas, ledger }: Storm): Promise<readonly string[]> {
  const ineffective = "select repair_id from nba_reconciler.repair_ends where outcome = 'ineffective'";
  const undisturbed = inject("undisturbed");
  const tables = Object.entries(await league.digests());
  return [
    ...(await overlappingCells(ledger)).map(
      (text) => `two runs had a cell at the same time: ${String(text)}`,
    ),
    ...overlappingScrapes(league).map((text) => `the service ran a cell twice at the same time: ${text}`),
    ...overlappingReigns(replicas.reigns).map((text) => `two replicas planned at the same time: ${text}`),
    ...(await ledger(ineffective)).map((text) => `a repair left its gap: ${String(text)}`),
    ...tables
      .filter(([table, digest]) => undisturbed[table] !== digest)
      .map(([table, digest]) => `${table}: expected ${undisturbed[table]}, found ${digest}`),
  ];
}

/** Cells that two runs had at the same time, by the ledger: of a run that was lost, until another process said so. */
function overlappingCells(ledger: Storm["ledger"]): Promise<readonly unknown[]> {
  return ledger(`
    with runs as (
      select repair_id, processor, date, started_at, ended_at from nba_reconciler.cell_outcomes
    )
    select a.repair_id || ' and ' || b.repair_id
    from runs as a join runs as b
      on a.processor = b.processor and a.date = b.date and a.repair_id < b.repair_id
      and a.started_at < b.ended_at and b.started_at < a.ended_at`);
}

/** The same by the log of the service that did the work. */
function overlappingScrapes({ scraper }: League): readonly string[] {
  return pairs(scraper.runs)
    .filter(
      ([a, b]) =>
        a.processor === b.processor &&
        a.startDate <= b.endDate &&
        b.startDate <= a.endDate &&
        b.beganAt < (a.endedAt ?? Infinity),
    )
    .map(([a]) => `${a.processor} ${a.startDate}`);
}

function overlappingReigns(reigns: readonly Reign[]): readonly string[] {
  return pairs(reigns)
    .filter(([a, b]) => a.from < b.to && b.from < a.to)
    .map(([a, b]) => `${a.pid} and ${b.pid} for ${Math.min(a.to, b.to) - b.from} ms`);
}

function pairs<T>(items: readonly T[]): readonly (readonly [T, T])[] {
  return items.flatMap((a, index) => items.slice(index + 1).map((b) => [a, b] as const));
}
