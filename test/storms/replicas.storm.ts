// Goal: three daemons converge as one, whoever of them dies or stands still. Method: the NBA example with all its stories, with its
// repairs by SQL and by a service; the proof is in the ledger, in the service's own log and in the tables.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { writeLate } from "./late-write.ts";
import { until } from "./replicas.ts";
import { scraped } from "./scraper.ts";
import { withStorm, wrongs } from "./storm.ts";

const sqlStart = (line: { readonly msg: string; readonly repair?: string | undefined }) =>
  line.msg === "repair started" && !scraped.some((name) => name === line.repair);

test("three daemons converge as one does: one plans, all work, no cell twice at once", () =>
  withStorm({}, async (storm) => {
    await storm.untilConverged();
    expect(await wrongs(storm)).toEqual([]);
    expect(storm.replicas.reigns).toHaveLength(1);
    const workers = "select distinct worker from nba_reconciler.repair_starts";
    expect(await storm.ledger(workers)).toHaveLength(3);
    expect(await storm.ledger("select distinct outcome from nba_reconciler.repair_ends")).toEqual([
      "repaired",
    ]);
  }));

test("a planner or a worker that is killed every second of a minute costs time only", () =>
  withStorm({}, async (storm) => {
    const { replicas } = storm;
    await storm.untilStarted(1);
    for (let second = 0; second < 60; second += 1) {
      const { alive } = replicas;
      // In turn the one that plans, where there is one, and the one that lives longest: a young one has nothing to lose yet.
      const victim = (second % 3 === 0 ? alive.find(({ isLeading }) => isLeading) : undefined) ?? alive[0];
      victim?.signal("SIGKILL");
      await victim?.ended;
      replicas.start();
      await sleep(1000);
    }
    await storm.untilConverged();
    expect(await wrongs(storm)).toEqual([]);
    expect(replicas.reigns.length).toBeGreaterThan(1);
    // What was begun by a worker that was killed may have been done all the same, by the service that it had asked.
    const orphans = "select distinct outcome from nba_reconciler.repair_ends where error_code = 'lost'";
    const found = await storm.ledger(orphans);
    expect(found).not.toEqual([]);
    expect(["lost", "repaired"]).toEqual(expect.arrayContaining([...found]));
  }));

test("a worker that is stopped in mid-repair ends within its grace, leaves no lock, and its job is done by another", () =>
  withStorm({}, async (storm) => {
    const { replicas, redis } = storm;
    await storm.untilStarted(1);
    const worker = replicas.alive.find(({ isLeading }) => !isLeading);
    if (worker === undefined) throw new Error("expected a replica that does not plan");
    const started = await worker.next(sqlStart);
    const stoppedAt = performance.now();
    worker.signal("SIGTERM");
    expect(await worker.ended).toMatchObject({ code: 0, signal: null });
    // The grace is 10 s; what is cancelled is recorded, which takes the local BigQuery a while.
    expect(performance.now() - stoppedAt).toBeLessThan(30_000);
    await storm.untilConverged();
    expect(await wrongs(storm)).toEqual([]);
    await replicas.stopAll("SIGTERM");
    expect(await redis.command("keys", "*:lock:*")).toEqual([]);
    const unfinished = `select count(*) from nba_reconciler.repair_ends where repair_id = '${started.repair_id}'`;
    expect(await storm.ledger(unfinished)).toEqual(["1"]);
  }));

test("a worker that stands still beyond its lock is replaced, and what it would write late is refused", () =>
  withStorm({}, async (storm) => {
    const { replicas, league } = storm;
    await storm.untilStarted(1);
    const worker = replicas.alive.find(({ isLeading }) => !isLeading);
    if (worker === undefined) throw new Error("expected a replica that does not plan");
    const { repair_id: repairId = "" } = await worker.next(sqlStart);
    worker.signal("SIGSTOP");
    await storm.untilConverged();
    const before = await league.digests();
    worker.signal("SIGCONT");
    const isTold = () =>
      worker.log.some((line) => line.repair_id === repairId && line.msg === "repair ended");
    await until("the worker to end its run", isTold);
    await expect(writeLate(league, repairId)).rejects.toMatchObject({ code: "fence_refused" });
    expect(await league.digests()).toEqual(before);
    expect(await wrongs(storm)).toEqual([]);
  }));
