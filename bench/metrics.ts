/**
 * What one scrape of a planner's metrics costs beside prom-client alone.
 *
 * The grid: 200 processors × 1,825 dates, every tenth cell a gap. Baseline: prom-client writes the same series, whose values it
 * has. Measured: the grid is counted, its gauges are set, and everything is written.
 */
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { metricPrefix } from "../src/observability/metric-catalog.ts";
import { metricsOf, rendered, samplesOf } from "../test/support/metrics.ts";
import { tableSchedule } from "../test/support/pipeline.ts";
import { assessed } from "../test/support/sight.ts";
import { type Benchmark, compare } from "./measure.ts";

const processors = 200;
const dates = 1825;
const rounds = 21;

export async function metricsBenchmark(): Promise<Benchmark> {
  const names = Array.from({ length: processors }, (_, index) => `p${index}`);
  const pattern = Array.from({ length: dates }, (_, date) => (date % 10 === 0 ? "." : "#")).join("");
  const assessment = assessed({
    processors: Object.fromEntries(names.map((name) => [name, {}])),
    schedules: [tableSchedule()],
    dates: { default: "a".repeat(dates) },
    seen: Object.fromEntries(names.map((name) => [name, pattern])),
  });
  const metrics = metricsOf(assessment.grid.pipeline);
  metrics.listener.onLeading(true);
  metrics.listener.onCycle(assessment, "bench");
  const alone = sameSeries(await rendered(metrics));
  return compare(
    "metrics",
    "ms",
    rounds,
    async () => {
      await metrics.render();
    },
    async () => {
      await alone.metrics();
    },
    // As if a repair had just ended: what did not change is not counted again.
    () => metrics.listener.onPlanned(assessment),
  );
}

function sameSeries(text: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauges = new Map<string, Gauge>();
  for (const { name, labels, value } of samplesOf(text)) {
    let gauge = gauges.get(name);
    if (gauge === undefined) {
      const labelNames = Object.keys(labels);
      gauge = new Gauge({ name: metricPrefix + name, help: name, labelNames, registers: [registry] });
      gauges.set(name, gauge);
    }
    gauge.set(labels, value);
  }
  return registry;
}
