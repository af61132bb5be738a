import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { metricCatalog, metricPrefix } from "../metric-catalog.ts";
import type { MetricSpec } from "../metric-spec.ts";

type Catalog = typeof metricCatalog;
type NameOf<Type extends MetricSpec["type"]> = {
  [Name in keyof Catalog]: Catalog[Name]["type"] extends Type ? Name : never;
}[keyof Catalog];
type LabelsOf<Name extends keyof Catalog> = Readonly<Record<Catalog[Name]["labels"][number], string>>;

type GaugeName = NameOf<"gauge">;
type CounterName = NameOf<"counter">;
type HistogramName = NameOf<"histogram">;

/** The metrics of the catalog for one pipeline, in a registry of their own. */
export interface Instruments {
  readonly registry: Registry;
  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  /** @param by at least 0; 0 makes the series */
  add<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by: number): void;
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  /** Makes the series of a histogram that has nothing to tell yet. */
  zero<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>): void;
  /** Takes back every series of a gauge. */
  clear(name: GaugeName): void;
  /** Takes back every series that the planner alone offers: what is not known must not look like what it was. */
  clearPlanner(): void;
}

/** @param isDaemon without it, what only a daemon offers is left out */
export function createInstruments(pipeline: string, isDaemon: boolean): Instruments {
  const registry = new Registry();
  const gauges = new Map<string, Gauge>();
  const counters = new Map<string, Counter>();
  const histograms = new Map<string, Histogram>();
  const catalog: readonly (readonly [string, MetricSpec])[] = Object.entries(metricCatalog);
  const specs = catalog.filter(([, { from }]) => isDaemon || from !== "daemon");
  for (const [name, spec] of specs) {
    const shared = {
      name: metricPrefix + name,
      help: spec.meaning,
      // A label that every series has is given with each value: a gauge without any label could not be taken back.
      labelNames: ["pipeline", ...spec.labels],
      registers: [registry],
    };
    if (spec.type === "gauge") gauges.set(name, new Gauge(shared));
    else if (spec.type === "counter") counters.set(name, new Counter(shared));
    else histograms.set(name, new Histogram({ ...shared, buckets: [...(spec.buckets ?? [])] }));
  }
  return {
    registry,
    set: (name, labels, value) => gauges.get(name)?.set({ pipeline, ...labels }, value),
    add: (name, labels, by) => counters.get(name)?.inc({ pipeline, ...labels }, by),
    observe: (name, labels, value) => histograms.get(name)?.observe({ pipeline, ...labels }, value),
    zero: (name, labels) => histograms.get(name)?.zero({ pipeline, ...labels }),
    clear: (name) => gauges.get(name)?.reset(),
    clearPlanner() {
      for (const [name, { from }] of specs) if (from === "planner") gauges.get(name)?.reset();
    },
  };
}
