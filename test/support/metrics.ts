import { createMetrics, type Metrics } from "../../src/observability/metrics/metrics.ts";
import { systemClock } from "../../src/adapters/inline/system-clock.ts";
import type { Pipeline } from "../../src/core/pipeline.ts";
import type { Clock } from "../../src/reconcile/ports.ts";

export interface Sample {
  /** Without the prefix. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The series of this project in the text format of Prometheus; those of the process itself are left out. */
export function samplesOf(text: string): readonly Sample[] {
  return [...text.matchAll(/^gap_reconciler_(\w+)\{(.*)\} (\S+)$/gm)].map(
    ([, name = "", labels = "", value = ""]) => ({
      name,
      labels: Object.fromEntries(
        [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", text = ""]) => [key, text]),
      ),
      value: Number(value),
    }),
  );
}

/** The one series of the name that has these labels, among others; undefined where there is none. */
export function valueOf(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = samplesOf(text).filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  if (found.length > 1) throw new RangeError(`expected one series ${name}, found ${found.length}`);
  return found[0]?.value;
}

export function metricsOf(pipeline: Pipeline, clock: Clock = systemClock): Metrics {
  return createMetrics({ pipeline, clock, build: { version: "1.2.3", revision: "abc" }, isDaemon: true });
}

export async function rendered(metrics: Metrics): Promise<string> {
  return (await metrics.render()).text;
}
