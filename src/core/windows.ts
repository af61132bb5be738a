import type { Day } from "./iso-date.ts";
import type { EdgeWindow } from "./pipeline.ts";
import type { DenseSchedule } from "./schedule.ts";

/** Positions on the axis, both ends included; `from` > `to` is none. */
export interface PositionRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The positions that an edge reads for the cell at `position`, as far as the axis goes; `from` > `to` reads nothing. Both
 * ends grow with `position`.
 */
export function windowAt(
  window: EdgeWindow,
  upstream: DenseSchedule,
  own: DenseSchedule,
  position: number,
): PositionRange {
  const last = upstream.scheduled.length - 1;
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
    case "until_next":
      return { from: position, to: (own.positions[own.rank[position + 1] ?? 0] ?? last + 1) - 1 };
    case "days_ahead":
      return {
        from: window.sameDate ? position : position + 1,
        to: Math.min(last, position + window.days),
      };
    case "dates_ahead": {
      const after = upstream.rank[position + 1] ?? 0;
      return {
        from: window.sameDate ? position : position + 1,
        to: upstream.positions[after + window.dates - 1] ?? last,
      };
    }
    case "offset_days":
      return within(position + window.days, last);
    case "offset_dates": {
      const { dates } = window;
      const index =
        dates < 0 ? (upstream.rank[position] ?? 0) + dates : (upstream.rank[position + 1] ?? 0) + dates - 1;
      return within(index < 0 ? -1 : (upstream.positions[index] ?? last + 1), last);
    }
  }
}

/** Nothing before the axis and behind it, such that both ends still grow. */
function within(position: number, last: number): PositionRange {
  if (position < 0) return { from: 0, to: -1 };
  return position > last ? { from: last + 1, to: last } : { from: position, to: position };
}

/** Whether an edge reads a single upstream cell, which must be there itself; of a window a share may be enough. */
export function isOneCell({ kind }: EdgeWindow): boolean {
  return kind === "same_date" || kind === "offset_days" || kind === "offset_dates";
}

/** Whether an edge can read dates after the cell's own. */
export function readsAhead(window: EdgeWindow): boolean {
  switch (window.kind) {
    case "until_next":
    case "days_ahead":
    case "dates_ahead":
      return true;
    case "offset_days":
      return window.days > 0;
    case "offset_dates":
      return window.dates > 0;
    case "same_date":
    case "days":
    case "dates":
    case "since_previous":
      return false;
  }
}

/**
 * The last day that an edge which reads ahead reads for the cell of `day`; it may lie in the future. Infinity where that is
 * not known yet, -Infinity where it reads nothing.
 */
export function lastDayRead(window: EdgeWindow, upstream: DenseSchedule, own: DenseSchedule, day: Day): Day {
  switch (window.kind) {
    case "until_next": {
      const next = own.nextAfter(day);
      const end = next === null ? (own.endDay ?? Infinity) : next - 1;
      return upstream.lastUpTo(end);
    }
    case "days_ahead":
      return upstream.lastUpTo(day + window.days);
    case "dates_ahead":
      return nthAfter(upstream, day, window.dates, "last");
    case "offset_days":
      return upstream.isOn(day + window.days) ? day + window.days : -Infinity;
    case "offset_dates":
      return window.dates > 0 ? nthAfter(upstream, day, window.dates, "none") : -Infinity;
    case "same_date":
    case "days":
    case "dates":
    case "since_previous":
      return -Infinity;
  }
}

/**
 * The day of the `count`-th scheduled date after `day`; Infinity where it is not known yet. Of a schedule that ended before:
 * its last date after `day`, or nothing (-Infinity).
 */
export function nthAfter(schedule: DenseSchedule, day: Day, count: number, otherwise: "last" | "none"): Day {
  let found: Day = -Infinity;
  for (let at = day, left = count; left > 0; left--) {
    const next = schedule.nextAfter(at);
    if (next === null) {
      if (schedule.endDay === null) return Infinity;
      return otherwise === "last" ? found : -Infinity;
    }
    at = next;
    found = next;
  }
  return found;
}

/** The positions at which a window that grows with the position holds `read`; `from` > `to` is none. */
export function readersOf(
  windowOf: (position: number) => PositionRange,
  length: number,
  read: number,
): PositionRange {
  const first = (holds: (position: number) => boolean): number => {
    let [low, high] = [0, length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  return {
    from: first((position) => windowOf(position).to >= read),
    to: first((position) => windowOf(position).from > read) - 1,
  };
}

/** The largest value of each window in one pass (a deque of falling values); -Infinity where a window is empty. */
export function slidingMaximum(
  values: Float64Array,
  count: number,
  windowOf: (position: number) => PositionRange,
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
