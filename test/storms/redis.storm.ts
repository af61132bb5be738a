// Goal: Redis may forget everything, be gone or lose its majority at any moment, and what it costs is time. Method: as in
// replicas.storm.ts, with the Redis processes wiped, killed and started again in mid-run.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { until } from "./replicas.ts";
import { withStorm, wrongs } from "./storm.ts";

test("a Redis that is wiped in mid-run", () =>
  withStorm({}, async (storm) => {
    await storm.untilStarted(3);
    await storm.redis.command("flushall");
    await storm.untilConverged();
    expect(await wrongs(storm)).toEqual([]);
  }));

test("a Redis that is killed for ten seconds and comes back empty", () =>
  withStorm({}, async (storm) => {
    await storm.untilStarted(3);
    await storm.redis.kill();
    await sleep(10_000);
    await storm.redis.restart();
    await storm.untilConverged();
    expect(await wrongs(storm)).toEqual([]);
  }));

test("one of three lock servers dies, then a second one: nothing new begins until it is back", () =>
  withStorm({ lockServers: 3 }, async (storm) => {
    const [first, second] = storm.lockServers;
    const starts = "select count(*) from nba_reconciler.repair_starts";
    await storm.untilStarted(1);
    await first?.kill();
    const [before] = await storm.ledger(starts);
    await storm.untilStarted(Number(before) + 3);
    await second?.kill();
    // A lock is given up after ten seconds without a majority, and what runs then is cancelled.
    await sleep(12_000);
    const [settled] = await storm.ledger(starts);
    await sleep(10_000);
    expect(await storm.ledger(starts)).toEqual([settled]);
    await second?.restart();
    await storm.untilConverged();
    expect(await wrongs(storm)).toEqual([]);
    expect(Number((await storm.ledger(starts))[0])).toBeGreaterThan(Number(settled));
  }));

test("workers that take nothing any more are noticed, and jobs are taken again when they may be", () =>
  withStorm({}, async (storm) => {
    const { replicas, redis } = storm;
    // As somebody would who pauses the queue in a dashboard: no error is raised anywhere.
    await redis.command("hset", "gap-reconciler:{nba-props}:repairs:meta", "paused", "1");
    await until("a replica to notice it", () =>
      replicas.alive.some(({ log }) => log.some(({ msg }) => msg.startsWith("jobs wait and none is taken"))),
    );
    expect(await storm.ledger("select count(*) from nba_reconciler.repair_starts")).toEqual(["0"]);
    await redis.command("hdel", "gap-reconciler:{nba-props}:repairs:meta", "paused");
    await storm.untilConverged();
    expect(await wrongs(storm)).toEqual([]);
  }));
