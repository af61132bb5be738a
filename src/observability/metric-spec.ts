/** One metric as /metrics offers it. The label `pipeline` is on every one of them, beside those that are named. */
export interface MetricSpec {
  readonly type: "gauge" | "counter" | "histogram";
  /** What one of it is; `1` where it counts nothing. */
  readonly unit: string;
  readonly labels: readonly string[];
  readonly meaning: string;
  /**
   * Who offers it: `planner` is whoever holds the planning lease, alone, and takes it back with the lease, so that a sum over all
   * processes counts nothing twice; `process` is every one; `daemon` is every daemon, and no run that ends by itself.
   */
  readonly from: "planner" | "process" | "daemon";
  /** Of a histogram: upper bounds, each included. */
  readonly buckets?: readonly number[];
}
