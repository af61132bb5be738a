import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type Described, describedBy } from "./described.ts";
import { type ServedShop, serveShop } from "./served-shop.ts";

let served: ServedShop;
let documentOf: Described["documentOf"];
beforeAll(async () => {
  served = await serveShop();
  await served.firstLook;
  ({ documentOf } = await describedBy(served));
});
afterAll(() => served.remove());

/** The letters of a row, one per day. */
function lettersOf(runs: string): string {
  return runs.replaceAll(/(\d+)(\D)/g, (_run, length: string, letter: string) =>
    letter.repeat(Number(length)),
  );
}

const gridOf = z.object({
  range: z.object({ start_date: z.string(), end_date: z.string() }),
  converged: z.boolean(),
  stale: z.boolean(),
  legend: z.object({
    states: z.record(z.string(), z.string()),
    dispositions: z.record(z.string(), z.string()),
  }),
  processors: z.array(
    z.object({
      processor: z.string(),
      counts: z.record(z.string(), z.number()),
      gaps: z.record(z.string(), z.number()),
      states: z.string(),
      dispositions: z.string(),
    }),
  ),
});

test("the grid has a letter for every day, which its legend explains, and counts as reconcile status does", async () => {
  const grid = gridOf.parse(await documentOf(await served.get("/api/v1/grid"), "Grid"));
  const { stdout } = await served.shop.run(["status", "--format", "json"]);
  const status = z
    .object({ converged: z.boolean(), counts: z.record(z.string(), z.record(z.string(), z.number())) })
    .parse(JSON.parse(stdout));
  expect(grid).toMatchObject({ converged: false, stale: false });
  expect(status.converged).toBe(false);
  expect(grid.processors.map(({ processor }) => processor)).toEqual(["orders", "revenue"]);
  for (const { processor, counts, states } of grid.processors) {
    const told = Object.entries(status.counts[processor] ?? {}).filter(([, count]) => count > 0);
    expect(counts).toEqual(Object.fromEntries(told));
    const letters = Array.from(lettersOf(states), (letter) => grid.legend.states[letter] ?? "?");
    for (const [state, count] of told) expect(letters.filter((name) => name === state)).toHaveLength(count);
  }
  const days = lettersOf(grid.processors[0]?.states ?? "").length;
  const dayMs = 86_400_000;
  expect(days).toBe((Date.parse(grid.range.end_date) - Date.parse(grid.range.start_date)) / dayMs + 1);
});

test("the grid is narrowed by processor, phase and dates, both ends included", async () => {
  const path = "/api/v1/grid?processor=revenue&start_date=2024-01-02&end_date=2024-01-04";
  const grid = gridOf.parse(await documentOf(await served.get(path), "Grid"));
  expect(grid.range).toEqual({ start_date: "2024-01-02", end_date: "2024-01-04" });
  expect(grid.processors).toMatchObject([
    {
      processor: "revenue",
      counts: { complete: 2, missing: 1 },
      gaps: { blocked: 1 },
      states: "cmc",
      dispositions: ".b.",
    },
  ]);
});

test.each([
  ["/api/v1/grid?processor=nobody", 400, "query.processor"],
  ["/api/v1/grid?phase=nobody", 400, "query.phase"],
  ["/api/v1/grid?start_date=2024-02-30", 400, "query.start_date"],
  ["/api/v1/grid?start_date=2024-01-04&end_date=2024-01-02", 400, "query"],
  ["/api/v1/grid?colour=red", 400, "query.colour"],
  ["/api/v1/plan?limit=many", 400, "query.limit"],
  ["/api/v1/cells/nobody/2024-01-03", 404, "path.processor"],
  ["/api/v1/cells/orders/yesterday", 400, "path.date"],
  ["/api/v1/cells/orders/1999-01-01", 400, null],
  ["/api/v1/nothing", 404, null],
])("%s is answered with a problem that names what is wrong", async (path, status, at) => {
  const answer = await served.get(path);
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  expect(await documentOf(answer, "Problem")).toMatchObject({ status, path: at });
});

test("who has the grid already is told so, and who takes gzip gets it zipped", async () => {
  let first = await served.get("/api/v1/grid");
  const etagOf = ({ headers }: Response) => headers.get("etag") ?? "";
  // What is read for whoever asks first, such as the history, may still come, and is a change.
  await expect
    .poll(async () => {
      first = await served.get("/api/v1/grid");
      const again = await served.get("/api/v1/grid", { "if-none-match": etagOf(first) });
      return [again.status, await again.text()];
    })
    .toEqual([304, ""]);
  const etag = etagOf(first);
  const plain = await served.get("/api/v1/grid", { "accept-encoding": "identity" });
  expect([first, plain].map(({ headers }) => headers.get("content-encoding"))).toEqual(["gzip", null]);
  expect(await plain.text()).toBe(await first.text());
  served.tick();
  await served.looked();
  expect((await served.get("/api/v1/grid", { "if-none-match": etag })).status).toBe(200);
});

test("a cell is told as reconcile explain tells it", async () => {
  const { stdout } = await served.shop.run(["explain", "revenue", "2024-01-03", "--format", "json"]);
  const cell = await documentOf(await served.get("/api/v1/cells/revenue/2024-01-03"), "Cell");
  const { as_of, ...told } = z.record(z.string(), z.unknown()).parse(JSON.parse(stdout));
  const { as_of: asOf, ...answered } = cell;
  expect(answered).toEqual(told);
  expect(typeof asOf).toBe(typeof as_of);
});

test("the plan has the steps of reconcile plan, in its order, and no more than asked for", async () => {
  const { stdout } = await served.shop.run(["plan", "--format", "json"]);
  const told = z.object({ plan: z.array(z.unknown()) }).parse(JSON.parse(stdout)).plan;
  const plan = await documentOf(await served.get("/api/v1/plan"), "Plan");
  expect(plan["steps"]).toEqual(told);
  expect(told).toHaveLength(2);
  const first = await documentOf(await served.get("/api/v1/plan?limit=1"), "Plan");
  expect(first).toMatchObject({ steps_total: 2, steps: [told[0]] });
});

test("health, readiness and metrics are told", async () => {
  expect(await documentOf(await served.get("/healthz"), "Health")).toMatchObject({ status: "ok" });
  expect(await documentOf(await served.get("/readyz"), "Ready")).toEqual({
    status: "ready",
    ledger: "up",
    degraded: [],
  });
  const metrics = await served.get("/metrics");
  expect(metrics.headers.get("content-type")).toMatch(/^text\/plain/);
  expect(await metrics.text()).toContain("gap_reconciler_build_info");
});

test("the page is served with files of its own", async () => {
  const page = await served.get("/");
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const text = await page.text();
  const files = [...text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path = ""]) => path);
  expect(files.length).toBeGreaterThan(2);
  for (const file of files) expect((await served.get(file)).status, file).toBe(200);
  expect((await served.get("/cells/revenue/2024-01-03")).status).toBe(200);
  expect((await served.get("/cells/revenue/nonsense")).status).toBe(400);
});

test("every path that is described is there, and every action wants the token", async () => {
  const { paths } = z
    .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse(await (await served.get("/api/v1/openapi.json")).json());
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method, path })),
  );
  expect(all.filter(({ method }) => method === "post")).toHaveLength(10);
  for (const { method, path } of all) {
    const address = path.replace("{processor}", "orders").replace("{date}", "2024-01-03");
    const answer = await fetch(`${served.url}${address}`, { method });
    expect(answer.status, `${method} ${path}`).toBe(method === "post" ? 401 : 200);
    await answer.body?.cancel();
  }
});

test("before the first look nothing passes for empty: grid, repairs and plan are not answered", async () => {
  const { live } = served;
  const blind = await serveShop({
    shop: served.shop,
    http: {
      live: {
        standing: () => live.standing(),
        view: () => ({ ...live.view(), sight: null }),
        plan: () => live.plan(),
        subscribe: (listener) => live.subscribe(listener),
        cycleNow: () => undefined,
        heedDecisions: () => undefined,
        loopAgeMs: () => 0,
      },
    },
  });
  for (const path of ["grid", "repairs", "plan", "cells/orders/2024-01-03"]) {
    const answer = await blind.get(`/api/v1/${path}`);
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: "not_looked_yet" }]);
  }
  await blind.stop();
});

test("a server on all interfaces says that it listens there, and with which port", async () => {
  const open = await serveShop({ shop: served.shop, http: { listen: "0.0.0.0:0" } });
  const { hostname, port } = new URL(open.url);
  expect(hostname).toBe("0.0.0.0");
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  await open.stop();
});
