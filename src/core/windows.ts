import type { EdgeWindow } from "./pipeline.ts";
import type { DenseSchedule } from "./schedule.ts";

/**
 * The positions that an edge reads for the cell at `position`, both ends included; `from` > `to` reads nothing. Both ends
 * grow with `position`.
 */
export function windowAt(
  window: EdgeWindow,
  upstream: DenseSchedule,
  own: DenseSchedule,
  position: number,
): { from: number; to: number } {
  switch (window.kind) {
    case "same_date":
      return { from: position, to: position };
    case "days":
      return { from: Math.max(0, position - window.days), to: window.sameDate ? position : position - 1 };
    case "dates": {
      const before = upstream.rank[position] ?? 0;
      const oldest = upstream.positions[Math.max(0, before - window.dates)] ?? position;
      return { from: Math.min(oldest, position), to: window.sameDate ? position : position - 1 };
    }
    case "since_previous": {
      const before = own.rank[position] ?? 0;
      const previous = before === 0 ? -1 : (own.positions[before - 1] ?? -1);
      return { from: previous + 1, to: position };
    }
  }
}

/** The largest value of each window in one pass (a deque of falling values); -Infinity where a window is empty. */
export function slidingMaximum(
  values: Float64Array,
  count: number,
  windowOf: (position: number) => { from: number; to: number },
): Float64Array {
  const maxima = new Float64Array(count).fill(-Infinity);
  const deque = new Int32Array(values.length);
  let [head, tail, next] = [0, 0, 0];
  for (let position = 0; position < count; position++) {
    const { from, to } = windowOf(position);
    for (; next <= to && next < values.length; next++) {
      const value = values[next] ?? Number.NaN;
      if (Number.isNaN(value)) continue;
      while (tail > head && (values[deque[tail - 1] ?? 0] ?? 0) <= value) tail--;
      deque[tail++] = next;
    }
    while (head < tail && (deque[head] ?? 0) < from) head++;
    if (head < tail && (deque[head] ?? 0) <= to) maxima[position] = values[deque[head] ?? 0] ?? -Infinity;
  }
  return maxima;
}
