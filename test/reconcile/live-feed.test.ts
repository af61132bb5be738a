// Two daemons of one pipeline over a real DuckDB shop: one plans, the other one is only looked at.
import { afterEach, beforeEach, expect, test } from "vitest";
import { tellAll } from "../../src/compose/listeners.ts";
import { Disposition, dispositionName } from "../../src/core/grid.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { Coordination, DaemonOptions } from "../../src/reconcile/daemon-options.ts";
import type { PlanningLease } from "../../src/reconcile/ports.ts";
import { makeShop, type Shop } from "../commands/in-process.ts";
import { type ServedShop, serveShop } from "../http/served-shop.ts";
import { inlineCoordination } from "../support/running-daemon.ts";

let shop: Shop;
let coordination: Coordination;
let open: ServedShop[];
beforeEach(async () => {
  shop = await makeShop();
  open = [];
  coordination = inlineCoordination();
});
afterEach(async () => {
  for (const served of open) await served.stop();
  await shop.warehouse.remove();
});

async function serve(daemon: Partial<DaemonOptions> = {}): Promise<ServedShop> {
  const served = await serveShop({ shop, daemon: { coordination, ...daemon } });
  open.push(served);
  return served;
}

const gapsOf = ({ live }: ServedShop) => {
  const { sight } = live.view();
  return sight === null ? null : sight.assessment.grid.dispositions.filter((code) => code !== 0).length;
};

test("a process that does not plan looks only when somebody watches it, and then learns of repairs elsewhere", async () => {
  const planner = await serve();
  await planner.firstLook;
  let [turns, looks] = [0, 0];
  const lease: PlanningLease = {
    acquire() {
      turns++;
      return coordination.lease.acquire();
    },
    currentEpoch: () => coordination.lease.currentEpoch(),
  };
  const follower = await serve({
    coordination: { ...coordination, lease },
    listener: tellAll([{ onCycleStarted: () => looks++ }]),
  });
  // Each turn of the loop is one in which it could look, and a supervisor that probes is nobody who watches.
  for (const turn of [1, 2, 3]) {
    await expect.poll(() => turns, { timeout: 20_000 }).toBeGreaterThanOrEqual(turn);
    expect((await follower.get("/readyz")).status).toBe(200);
    expect((await follower.get("/metrics")).status).toBe(200);
    follower.tick();
  }
  expect(looks).toBe(0);
  expect(follower.live.view()).toMatchObject({ sight: null, isLeading: false });
  await follower.firstLook;
  expect(gapsOf(follower)).toBe(2);
  expect(follower.live.view()).toMatchObject({ isLeading: false, sight: { isStale: false } });
});

test("a cycle that is asked for where nobody plans is made by the process that does", async () => {
  const planner = await serve({ mode: "repair" });
  await planner.firstLook;
  await expect.poll(() => gapsOf(planner), { timeout: 20_000 }).toBe(0);
  const follower = await serve();
  await shop.warehouse.write(["delete from shop.revenue where day = date '2024-01-05'"]);
  const looked = planner.looked();
  follower.live.cycleNow();
  await looked;
  await expect
    .poll(() => planner.live.view().ended[0], { timeout: 20_000 })
    .toMatchObject({ outcome: "repaired", cells: [{ processor: "revenue", date: "2024-01-05" }] });
});

test("what is known stays shown when a look fails, and says that it is old and why", async () => {
  const served = await serve();
  await served.firstLook;
  const before = served.live.view();
  expect(before.sight?.isStale).toBe(false);
  let told = 0;
  served.live.subscribe(() => told++);
  await shop.warehouse.write(["alter table shop.days rename to lost"]);
  served.tick();
  await expect
    .poll(() => served.live.view().cycleFailure, { timeout: 20_000 })
    .toMatchObject({
      code: "schedule_failed",
    });
  const after = served.live.view();
  expect(after.revision).toBeGreaterThan(before.revision);
  expect(told).toBeGreaterThan(0);
  expect(after.sight).toMatchObject({ isStale: true, lookedAt: before.sight?.lookedAt });
  expect(after.sight?.ageMs).toBeGreaterThan(before.sight?.ageMs ?? Infinity);
  expect(gapsOf(served)).toBe(2);
  const grid: unknown = await (await served.get("/api/v1/grid")).json();
  expect(grid).toMatchObject({ stale: true });

  await shop.warehouse.write(["alter table shop.lost rename to days"]);
  served.tick();
  await expect.poll(() => served.live.view().sight?.isStale, { timeout: 20_000 }).toBe(false);
  expect(served.live.view().cycleFailure).toBeNull();
});

test("before the first look has worked there is no grid, and the answer says why", async () => {
  await shop.warehouse.write(["drop table shop.days"]);
  const served = await serve();
  await expect.poll(() => served.live.view().cycleFailure, { timeout: 20_000 }).not.toBeNull();
  const answer = await served.get("/api/v1/grid");
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("5");
  expect(await answer.json()).toMatchObject({
    code: "not_looked_yet",
    detail: expect.stringContaining("the first look at the warehouse has not ended"),
  });
  const page = await served.get("/");
  expect(page.status).toBe(200);
  expect(await page.text()).not.toContain("Converged");
});

test("what waits in the queue is shown as queued by a process that does not plan too, for as long as it waits", async () => {
  const planner = await serve();
  await planner.firstLook;
  const follower = await serve();
  const standings = () => {
    const codes = follower.live.view().sight?.assessment.grid.dispositions ?? [];
    return Array.from(
      codes.filter((code) => code !== Disposition.none),
      dispositionName,
    ).toSorted();
  };
  await expect.poll(standings, { timeout: 20_000 }).toEqual(["blocked", "ready"]);
  const { queue } = coordination;
  const dates = [parseIsoDate("2024-01-03")];
  const job = {
    id: "orders/2024-01-03..2024-01-03/1",
    repair: "orders",
    dates,
    attempt: 1,
    reason: "1 missing",
  };
  const epoch = await coordination.lease.currentEpoch();
  await queue.enqueue([{ ...job, cycleId: "c1" }], epoch);
  await expect.poll(standings, { timeout: 20_000 }).toEqual(["blocked", "queued"]);
  await queue.remove([job.id]);
  await expect.poll(standings, { timeout: 20_000 }).toEqual(["blocked", "ready"]);
});
