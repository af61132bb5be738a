import { metricCatalog, metricPrefix } from "../src/observability/metric-catalog.ts";
import type { MetricSpec } from "../src/observability/metric-spec.ts";

export const metricsStart =
  "<!-- The tables are written by `npm run schema`; change src/observability/metric-catalog.ts. -->";
export const metricsEnd = "<!-- End of the tables. -->";

/** docs/metrics.md with its tables replaced by those of the catalog as it is. */
export function withMetrics(page: string): string {
  const start = page.indexOf(metricsStart);
  const end = page.indexOf(metricsEnd);
  if (start === -1 || end < start)
    throw new Error("expected docs/metrics.md to hold the two lines around the tables");
  return `${page.slice(0, start)}${metricsStart}\n\n${tables()}\n${page.slice(end)}`;
}

function tables(): string {
  const specs: readonly (readonly [string, MetricSpec])[] = Object.entries(metricCatalog);
  const of = (from: MetricSpec["from"]) => table(specs.filter(([, spec]) => spec.from === from));
  return `## From the process that plans\n\n${of("planner")}\n## From every process\n\n${of("process")}\n\n## From every daemon\n\n${of("daemon")}`;
}

function table(specs: readonly (readonly [string, MetricSpec])[]): string {
  const rows = specs.map(([name, { type, unit, labels, meaning, buckets }]) => {
    const bounds = buckets === undefined ? "" : ` Buckets: ${buckets.join(", ")}.`;
    const labelled = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${metricPrefix}${name}\` | ${type} | ${unit} | ${labelled} | ${meaning}${bounds} |\n`;
  });
  return `| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n${rows.join("")}`;
}
