// What a supervisor sees in each failure; the clock is the test's, so that nothing waits.
import { afterEach, expect, test } from "vitest";
import { ReconcilerError } from "../../src/errors.ts";
import { defaultLimits, harden, newServer } from "../../src/http/hardening.ts";
import { addHealth } from "../../src/http/health.ts";
import type { Clock, Ledger } from "../../src/reconcile/ports.ts";
import type { LiveDaemon, LiveFailure, LiveStanding } from "../../src/reconcile/ports/live-view.ts";
import { liveViewOf } from "../support/live-view.ts";

const away = (code: LiveFailure["code"]): LiveFailure => ({
  code,
  message: "connection refused",
  hint: null,
  since: 0,
});

let close: () => Promise<void> = () => Promise.resolve();
afterEach(() => close());

interface Condition {
  readonly standing?: Partial<LiveStanding>;
  readonly loopAgeMs?: number;
  readonly decisions?: Ledger["decisions"];
  readonly partlyAway?: readonly ReconcilerError[];
}

/** Waiting for the ledger's answer is over at once: what answers in time has answered before. */
async function probed({
  standing = {},
  loopAgeMs = 0,
  decisions = () => Promise.resolve([]),
  partlyAway = [],
}: Condition) {
  let at = 0;
  let asked = 0;
  const clock: Clock = {
    now: () => at,
    monotonic: () => at,
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
  };
  const { view, plan } = liveViewOf({ processors: { raw: {} } }, standing);
  const live: LiveDaemon = {
    standing: () => view,
    view: () => expect.unreachable("a probe is nobody who watches"),
    plan: () => plan,
    subscribe: () => () => undefined,
    cycleNow: () => undefined,
    heedDecisions: () => undefined,
    loopAgeMs: () => loopAgeMs,
  };
  const server = newServer(defaultLimits);
  close = () => server.close();
  await harden(server, { ...defaultLimits, requestsPerMinute: 1 });
  const ledger = {
    decisions() {
      asked++;
      return decisions();
    },
  };
  addHealth(server, { live, clock, ledger, partlyAway: () => partlyAway });
  return {
    ask: async (path: string): Promise<readonly [number, unknown]> => {
      const { statusCode, body } = await server.inject(path);
      return [statusCode, JSON.parse(body)];
    },
    pass: (ms: number) => (at += ms),
    asked: () => asked,
  };
}

test.each([
  ["Redis", { degraded: away("redis_unavailable") }, ["redis_unavailable"]],
  ["the warehouse", { cycleFailure: away("warehouse_unavailable") }, ["warehouse_unavailable"]],
  ["neither", {}, []],
])("without %s it is ready, and says what is away", async (_what, standing, degraded) => {
  const { ask } = await probed({ standing });
  expect(await ask("/readyz")).toEqual([200, { status: "ready", ledger: "up", degraded }]);
  expect(await ask("/healthz")).toEqual([200, { status: "ok", loop_age_seconds: 0 }]);
});

test("one of several lock servers that is away is said, and two are not said twice", async () => {
  const partlyAway = [1, 2].map(() => new ReconcilerError("redis_unavailable", "connection refused"));
  const { ask } = await probed({ partlyAway });
  expect(await ask("/readyz")).toEqual([
    200,
    { status: "ready", ledger: "up", degraded: ["redis_unavailable"] },
  ]);
});

test("a ledger that is away makes it unready and no less alive, and is asked anew after a while, however many probe", async () => {
  let isUp = false;
  const { ask, pass, asked } = await probed({
    decisions: () =>
      isUp
        ? Promise.resolve([])
        : Promise.reject(new ReconcilerError("ledger_unavailable", "the ledger is away")),
  });
  const unready = [503, { status: "not_ready", ledger: "the ledger is away", degraded: [] }];
  expect(await ask("/readyz")).toEqual(unready);
  isUp = true;
  expect(await ask("/readyz")).toEqual(unready);
  expect((await ask("/healthz"))[0]).toBe(200);
  expect(asked()).toBe(1);
  pass(15_001);
  expect(await ask("/readyz")).toEqual([200, { status: "ready", ledger: "up", degraded: [] }]);
});

test("a ledger that never answers is not waited for", async () => {
  const { ask } = await probed({ decisions: () => new Promise(() => undefined) });
  expect(await ask("/readyz")).toMatchObject([503, { ledger: "it does not answer in time" }]);
});

test("a daemon that stops is sent no requests, and is not started anew before it has stopped", async () => {
  const { ask } = await probed({ standing: { isStopping: true } });
  expect(await ask("/readyz")).toMatchObject([503, { status: "stopping" }]);
  expect((await ask("/healthz"))[0]).toBe(200);
});

test("a loop that does not turn for five minutes is to be started anew, and no ledger is asked for that", async () => {
  const { ask, asked } = await probed({ loopAgeMs: 300_001 });
  expect(await ask("/healthz")).toEqual([503, { status: "stuck", loop_age_seconds: 300 }]);
  expect(asked()).toBe(0);
});
