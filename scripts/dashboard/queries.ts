/** The pipelines that are chosen above the dashboard. */
export const own = 'pipeline=~"$pipeline"';
/** Of those the processors that are chosen above. */
export const chosen = `${own}, processor=~"$processor"`;

// The planner's gauges may come from two processes for a moment when the lease moves: the larger one counts, never the sum.
/** Gaps of each processor by disposition. */
export const gaps = `max by (pipeline, processor, disposition) (gap_reconciler_gaps{${chosen}})`;
/** Cells of each processor whose state matches. */
export const cells = (state: string) =>
  `max by (pipeline, processor, state) (gap_reconciler_cells{${chosen}, state=~"${state}"})`;
/** A gauge of the planner with the label `processor`. */
export const perProcessor = (metric: string) => `max by (pipeline, processor) (${metric}{${chosen}})`;
/** A gauge of the planner, or of all processes, of which the largest counts. */
export const one = (metric: string) => `max by (pipeline) (${metric}{${own}})`;
/** By how much a counter grew in all processes together. */
export const increase = (by: string, metric: string, more = "", window = "$__rate_interval") =>
  `sum by (${by}) (increase(${metric}{${own}${more}}[${window}]))`;
/** The value that so large a share of a histogram does not exceed. */
export const quantile = (share: number, by: string, metric: string) =>
  `histogram_quantile(${share}, sum by (le, ${by}) (rate(${metric}_bucket{${own}}[$__rate_interval])))`;
