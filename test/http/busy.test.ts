// More is asked for than a daemon may spend its time on. Its rests are the test's: none ends before the test says so.
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/adapters/inline/system-clock.ts";
import { explainCell } from "../../src/core/explain.ts";
import { toDay } from "../../src/core/iso-date.ts";
import { formatInstant } from "../../src/core/wall-clock.ts";
import { type HttpServer, startHttpServer } from "../../src/http/server.ts";
import { liveViewOf } from "../support/live-view.ts";

const { view, plan } = liveViewOf({
  processors: { raw: { phase: "2" }, features: { phase: "4", needs: ["raw"] } },
  seen: { raw: "##.#", features: "##.." },
});
/** What one can wait for beside what is being made. */
const waitingMax = 32;
let server: HttpServer;
let endRest: (() => void) | null;
/** How often the view was asked for, as each question does before it waits. */
let asked: number;
/** Pages and plans that were made, each of which asks for the plan once. */
let made: number;

beforeEach(async () => {
  [asked, made] = [0, 0];
  let now = 0;
  let hasToRest = true;
  endRest = null;
  server = await startHttpServer({
    partlyAway: () => [],
    listen: "127.0.0.1:0",
    token: null,
    secrets: [],
    clock: {
      ...systemClock,
      // Whatever is done takes longer than nothing, on a fast machine too.
      monotonic: () => ++now,
      sleep: (_ms, signal) =>
        hasToRest
          ? new Promise((resolve) => {
              endRest = () => {
                hasToRest = false;
                resolve();
              };
              signal?.addEventListener("abort", endRest);
            })
          : Promise.resolve(),
    },
    live: {
      standing: () => view,
      view() {
        asked++;
        return view;
      },
      plan() {
        made++;
        return plan;
      },
      subscribe: () => () => undefined,
      cycleNow: () => undefined,
      heedDecisions: () => undefined,
      loopAgeMs: () => 0,
    },
    ledger: { decisions: () => Promise.resolve([]) },
    metrics: { render: () => Promise.resolve({ contentType: "text/plain", text: "" }) },
    explain: (assessment, processor, date) =>
      Promise.resolve({
        schema_version: 1,
        pipeline: view.pipeline,
        target: view.target,
        as_of: formatInstant(assessment.now),
        ...explainCell(assessment, processor, toDay(date) - assessment.grid.axis.first),
        sql: null,
        attempts: [],
      }),
    record: () => Promise.reject(new Error("nobody asks for it")),
    onFailure: (thrown) => {
      throw thrown;
    },
  });
});
afterEach(() => server.close());

const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${server.url}${path}`, { headers });

async function answered(path: string): Promise<string> {
  const answer = await get(path);
  expect(answer.status).toBe(200);
  return answer.text();
}

test("pages and documents at ever other addresses wait for their turn, and are refused where too many wait", async () => {
  await answered("/");
  const before = asked;
  const alike = [answered("/?phase=4"), answered("/?phase=4"), answered("/?phase=4&nothing=1")];
  await expect.poll(() => asked - before).toBe(alike.length);
  const refused: Response[] = [];
  const others = [
    ...Array.from({ length: 20 }, (_, index) => `/?part=${index + 2}`),
    ...Array.from({ length: 20 }, (_, index) => `/api/v1/plan?limit=${index + 1}`),
  ].map(async (path) => {
    const answer = await get(path);
    if (answer.status === 503) refused.push(answer);
    return answer.status;
  });
  // Those that show the same wait as one.
  const room = waitingMax - 1;
  await expect.poll(() => refused.length).toBe(others.length - room);
  for (const answer of refused) expect(answer.headers.get("retry-after")).toBe("5");
  const texts = await Promise.all(refused.map((answer) => answer.text()));
  for (const text of texts) expect(text).toContain("the daemon is asked for more than it can show at once");
  expect(made).toBe(1);
  // Whoever asks whether the process is well does not wait for pages.
  await answered("/healthz");

  endRest?.();
  expect(new Set(await Promise.all(alike)).size).toBe(1);
  expect((await Promise.all(others)).filter((status) => status === 200)).toHaveLength(room);
  expect(made).toBe(1 + waitingMax);
});

test("the page of a cell, which says how the whole grid stands too, waits for its turn", async () => {
  await answered("/");
  let isThere = false;
  const page = answered("/cells/raw/2024-01-03").then((text) => {
    isThere = true;
    return text;
  });
  await expect.poll(() => endRest).not.toBeNull();
  await answered("/healthz");
  expect(isThere).toBe(false);
  endRest?.();
  expect(await page).toContain("<title>missing: raw 2024-01-03");
});

test("who has a document already is told so, however much is asked for", async () => {
  const etag = (await get("/api/v1/grid")).headers.get("etag") ?? "";
  const waiting = answered("/api/v1/grid?processor=raw");
  for (const path of ["grid", "grid?processor=raw", "repairs"])
    expect((await get(`/api/v1/${path}`, { "if-none-match": etag })).status).toBe(304);
  await expect.poll(() => endRest).not.toBeNull();
  endRest?.();
  await waiting;
});

test("a server that closes waits for no answer", async () => {
  await answered("/");
  const waiting = get("/?phase=4").catch(() => null);
  await expect.poll(() => endRest).not.toBeNull();
  await server.close();
  await waiting;
  expect(made).toBe(1);
});
