// Goal: what is documented is what is offered, and Prometheus takes it. Method: the registry of a small pipeline, in which every
// metric has a series, beside the catalog, the page and promtool.
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { withMetrics } from "../../scripts/metrics-reference.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import { metricCatalog, metricPrefix } from "../../src/observability/metric-catalog.ts";
import { metricsOf, rendered, samplesOf } from "../support/metrics.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { assessed } from "../support/sight.ts";

/** Of a daemon that plans, with budgets, a waiver that ends, run times and a queue. */
async function everything(): Promise<string> {
  const assessment = assessed({
    processors: { a: { phase: "1", owner: "team" }, b: { needs: ["a"] } },
    schedules: [tableSchedule()],
    dates: { default: "aaa" },
    seen: { a: "#.#", b: "..." },
    budgets: { scanBytesPerCycle: null, scanBytesPerDay: 1000, repairsPerDay: 10 },
    waivers: [
      {
        id: "w",
        processors: ["b"],
        start: parseIsoDate("2024-01-03"),
        end: parseIsoDate("2024-01-03"),
        reason: "never scraped",
        owner: "team",
        expires: parseIsoDate("2024-02-01"),
        downstream: "proceed",
        source: "config",
      },
    ],
    ledger: { runTimes: [{ repair: "a", runs: 1, meanSeconds: 5, meanSecondsPerDate: 5 }] },
  });
  const metrics = metricsOf(assessment.grid.pipeline);
  metrics.watchQueue(() => Promise.resolve({ waiting: 2, running: 1, oldestWaitingMs: 1500 }));
  metrics.listener.onLeading(true);
  metrics.listener.onCycleStarted("c");
  metrics.listener.onRecorded(record, []);
  metrics.listener.onCycle(assessment, "c");
  return rendered(metrics);
}

const record = {
  cycleId: "c",
  startedAt: 0,
  finishedAt: 0,
  converged: false,
  accepted: true,
  gaps: 3,
  unknown: 0,
  enqueued: 1,
  scanBytes: 0,
};

test("the tables in docs/metrics.md are those of the catalog as it is: `npm run schema` writes them", async () => {
  const page = await readFile(new URL("../../docs/metrics.md", import.meta.url), "utf8");
  expect(page).toBe(withMetrics(page));
});

test("a daemon offers every metric of the catalog with its type and labels, and no other", async () => {
  const text = await everything();
  const types = [...text.matchAll(/^# TYPE gap_reconciler_(\w+) (\w+)$/gm)].map(([, name, type]) => [
    name,
    type,
  ]);
  expect(Object.fromEntries(types)).toEqual(
    Object.fromEntries(Object.entries(metricCatalog).map(([name, { type }]) => [name, type])),
  );
  const samples = samplesOf(text);
  for (const [name, { labels, type }] of Object.entries(metricCatalog)) {
    const series = samples.find((sample) => sample.name === (type === "histogram" ? `${name}_count` : name));
    expect(new Set(Object.keys(series?.labels ?? {})), name).toEqual(new Set(["pipeline", ...labels]));
  }
  expect(text).not.toMatch(/gap_reconciler_\w+\{[^}]*2024-/);
});

test("promtool finds nothing to say against the project's own metrics", async () => {
  const own = (await everything())
    .split("\n\n")
    .filter((block) => block.includes(metricPrefix))
    .join("\n");
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
    input: `${own}\n`,
    encoding: "utf8",
  });
  expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: "" });
});
