import { metricCatalog, metricPrefix } from "../../src/observability/metric-catalog.ts";
import type { MetricSpec } from "../../src/observability/metric-spec.ts";

/** What each metric may be selected by, by its whole name; of a histogram its three series. */
const known: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries<MetricSpec>(metricCatalog).flatMap(([name, spec]) =>
    seriesOf(`${metricPrefix}${name}`, spec),
  ),
);

type Series = readonly [name: string, labels: readonly string[]];

function seriesOf(name: string, { type, labels }: MetricSpec): readonly Series[] {
  const all = ["pipeline", "instance", "job", ...labels];
  if (type !== "histogram") return [[name, all]];
  return [
    [`${name}_bucket`, [...all, "le"]],
    [`${name}_sum`, all],
    [`${name}_count`, all],
  ];
}

/** Every metric of the product that a text names, with the labels that it is selected by right there. */
const selector = /(?<![\w:])gap_reconciler_[a-z0-9_]+(?![\w:])(?:\{(?<matchers>[^}]*)\})?/g;

/** What is wrong with the metrics that a text names: none that there is, or selected by a label that it does not have. */
export function unknownMetrics(text: string): readonly string[] {
  return [...text.matchAll(selector)].flatMap((match) => {
    const name = /^\w+/.exec(match[0])?.[0] ?? "";
    const labels = known.get(name);
    if (labels === undefined) return [`there is no metric ${name}`];
    const asked = [...(match.groups?.["matchers"] ?? "").matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)];
    return asked.flatMap(([, label = ""]) =>
      labels.includes(label) ? [] : [`${name} has no label ${label}`],
    );
  });
}

/** The recorded series that a text names, such as `pipeline:gap_reconciler_gaps:sum`. */
export function recordedSeries(text: string): readonly string[] {
  return [...text.matchAll(/(?<![\w:])\w+:gap_reconciler_\w+:\w+/g)].map(([name]) => name);
}
