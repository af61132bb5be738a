/**
 * What it costs to show a large grid, and to have many watch it.
 *
 * The grid: 200 processors × 1,825 dates, a tenth of the cells are gaps, at random places (seeded). Time: the whole grid over HTTP
 * for a revision that nobody has asked for before; baseline is a bare `node:http` server that sends the same bytes, ready
 * made. Bytes: as sent, zipped; baseline is one object per cell, zipped. Watchers: 200 sockets in another thread follow
 * the events; baseline are 200 open answers of a bare server, for memory, and nobody watching, for the delay of the loop.
 */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { systemClock } from "../src/adapters/inline/system-clock.ts";
import type { Assessment } from "../src/core/assessment.ts";
import { dateAt, dispositionName, stateName } from "../src/core/grid.ts";
import { startHttpServer } from "../src/http/server.ts";
import type { LiveDaemon, LiveStanding } from "../src/reconcile/ports/live-view.ts";
import { tableSchedule } from "../test/support/pipeline.ts";
import { assessed } from "../test/support/sight.ts";
import { type Benchmark, compare } from "./measure.ts";
import { random } from "./plan.ts";

const processors = 200;
const dates = 1825;
const watchers = 200;
const rounds = 21;
/** As often as a busy daemon has something to tell. */
const changeEveryMs = 250;
const watchedMs = 5_000;

export async function httpBenchmarks(): Promise<readonly Benchmark[]> {
  const live = changingDaemon(largeAssessment());
  const server = await startHttpServer({
    partlyAway: () => [],
    listen: "127.0.0.1:0",
    token: null,
    live,
    secrets: [],
    clock: systemClock,
    ledger: { decisions: () => Promise.resolve([]) },
    metrics: { render: () => Promise.resolve({ contentType: "text/plain", text: "" }) },
    explain: () => Promise.reject(new Error("nobody asks for a cell")),
    record: () => Promise.reject(new Error("nobody decides")),
    onFailure: (thrown) => {
      throw thrown;
    },
    limits: { requestsPerMinute: 1_000_000 },
  });
  try {
    return [...(await gridBenchmarks(server.url, live)), ...(await watcherBenchmarks(server.url, live))];
  } finally {
    await server.close();
  }
}

async function gridBenchmarks(url: string, live: ChangingDaemon): Promise<readonly Benchmark[]> {
  const ask = async (address: string) => Buffer.from(await (await fetch(address)).arrayBuffer());
  const whole = await ask(`${url}/api/v1/grid`);
  const zipped = gzipSync(whole, { level: 4 });
  const bare = await listening((_request, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(zipped);
  });
  const time = await compare(
    "grid over http",
    "ms",
    rounds,
    async () => void (await ask(`${url}/api/v1/grid`)),
    async () => void (await ask(bare.url)),
    () => live.change(),
  );
  bare.server.close();
  const cells = gzipSync(JSON.stringify(eachCell(live.assessment)), { level: 4 });
  const kib = (bytes: number) => Math.round(bytes / 102.4) / 10;
  return [time, benchmark("grid over http, zipped", "KiB", kib(zipped.length), kib(cells.length))];
}

async function watcherBenchmarks(url: string, live: ChangingDaemon): Promise<readonly Benchmark[]> {
  const open: ServerResponse[] = [];
  const bare = await listening((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("retry: 3000\n\n");
    open.push(response);
  });
  const [baseline] = await whileWatched(bare.url, () => Promise.resolve(0));
  for (const response of open) response.destroy();
  bare.server.close();
  const alone = await loopDelay(live);
  const [own, delay] = await whileWatched(`${url}/api/v1/events`, () => loopDelay(live));
  return [
    benchmark(`memory of ${watchers} watchers`, "MiB", own, baseline),
    benchmark(`event loop delay, ${watchers} watchers, p99`, "ms", delay, alone),
  ];
}

function benchmark(name: string, unit: string, value: number, baseline: number): Benchmark {
  return { name, value, unit, baseline, ratio: Math.round((value / baseline) * 100) / 100 };
}

/** What the work answers while sockets of another thread follow the address, and the MiB that these cost here. */
async function whileWatched<T>(
  url: string,
  work: () => Promise<T>,
): Promise<readonly [mib: number, answer: T]> {
  const before = usedBytes();
  const worker = new Worker(watching, { eval: true, workerData: { url, watchers } });
  await once(worker, "message");
  const mib = Math.round(((usedBytes() - before) / 2 ** 20) * 100) / 100;
  const answer = await work();
  await worker.terminate();
  return [mib, answer];
}

/** Opens all sockets, reads whatever comes, and says when each has had its first bytes. */
const watching = `
const { connect } = require("node:net");
const { parentPort, workerData: { url, watchers } } = require("node:worker_threads");
const { hostname, port, pathname } = new URL(url);
let told = 0;
for (let each = 0; each < watchers; each++) {
  const socket = connect(Number(port), hostname, () => socket.write("GET " + pathname + " HTTP/1.1\\r\\nhost: localhost\\r\\n\\r\\n"));
  socket.once("data", () => { if (++told === watchers) parentPort.postMessage("ready"); });
  socket.resume();
}`;

/** Of the loop while the daemon has news all the time, in ms: how late the 99th of 100 timers is. */
async function loopDelay(live: ChangingDaemon): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution: 5 });
  const news = setInterval(() => live.change(), changeEveryMs);
  histogram.enable();
  await new Promise((resolve) => setTimeout(resolve, watchedMs));
  histogram.disable();
  clearInterval(news);
  return Math.round(histogram.percentile(99) / 1e4) / 100;
}

function usedBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc()");
}

async function listening(
  answer: (request: unknown, response: ServerResponse) => void,
): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { server, url: `http://127.0.0.1:${port}/` };
}

interface ChangingDaemon extends LiveDaemon {
  readonly assessment: Assessment;
  /** As if something had changed. */
  readonly change: () => void;
}

const standing: LiveStanding = {
  pipeline: "bench",
  target: null,
  worker: "bench/1/1",
  role: "all",
  mode: "repair",
  isLeading: true,
  isStopping: false,
  cycleFailure: null,
  degraded: null,
  repairFailure: null,
};

function changingDaemon(assessment: Assessment): ChangingDaemon {
  const listeners = new Set<() => void>();
  let revision = 1;
  return {
    assessment,
    change() {
      revision++;
      for (const listener of listeners) listener();
    },
    standing: () => standing,
    view: () => ({
      ...standing,
      revision,
      sight: { assessment, lookedAt: assessment.now, ageMs: 0, isStale: false, secondsToConvergence: null },
      running: [],
      queued: [],
      ended: [],
      decisions: [],
      history: [],
      scan: { bytesLast24h: 0, bytesPerDayMax: null, pricePerTibUsd: null },
    }),
    plan: () => ({ asOf: assessment.now, steps: [] }),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    cycleNow: () => undefined,
    heedDecisions: () => undefined,
    loopAgeMs: () => 0,
  };
}

function largeAssessment(): Assessment {
  const names = Array.from({ length: processors }, (_, index) => `p${index}`);
  const next = random(20_240_101);
  const row = () => Array.from({ length: dates }, () => (next() < 0.1 ? "." : "#")).join("");
  return assessed({
    processors: Object.fromEntries(names.map((name) => [name, {}])),
    schedules: [tableSchedule()],
    dates: { default: "a".repeat(dates) },
    seen: Object.fromEntries(names.map((name) => [name, row()])),
  });
}

function eachCell({ grid }: Assessment): unknown {
  return grid.pipeline.processors.flatMap(({ name, index }) =>
    Array.from({ length: grid.axis.length }, (_, position) => {
      const cell = index * grid.axis.length + position;
      return {
        processor: name,
        date: dateAt(grid.axis, position),
        state: stateName(grid.states[cell] ?? 0),
        disposition: dispositionName(grid.dispositions[cell] ?? 0),
      };
    }),
  );
}
