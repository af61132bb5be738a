import type { CompiledPipeline, Sight } from "./assessment.ts";
import type { Day } from "./iso-date.ts";
import { memoByIdentity } from "./memo.ts";
import type { Edge, Processor } from "./pipeline.ts";
import type { Axis, DenseSchedule } from "./schedule.ts";
import { type EpochMs, instantOf, localDayAt } from "./wall-clock.ts";
import { lastDayRead, nthAfter, readsAhead, windowAt } from "./windows.ts";

/** A wall-clock time as whole minutes since 1970-01-01 00:00 by the clock of the zone; Infinity is not known yet. */
type LocalMinutes = number;

const minutesOfDay = 1440;

/** When the cells of one processor are due. */
export type DueRule =
  /** So long after the start of each cell's own date. */
  | { readonly kind: "after"; readonly minutes: number }
  /** By position on the axis, where it depends on what a cell reads or on the schedule. */
  | { readonly kind: "listed"; readonly at: Float64Array };

/** What the due times depend on beyond the config: the dates of the schedules. */
export type DueInput = Pick<Sight, "axis" | "schedules">;

/**
 * By processor index: its own due time counted from the last date that a cell reads, or that of a hard upstream on the dates
 * that it reads up to its own and beyond, whichever is later.
 */
function dueRules(compiled: CompiledPipeline, sight: DueInput): readonly DueRule[] {
  return rulesOf(sight).get(compiled);
}

const rulesOf = memoByIdentity((sight: DueInput) => ({
  get: memoByIdentity((compiled: CompiledPipeline) => computeRules(compiled, sight)),
}));

function computeRules({ pipeline, graph, byName }: CompiledPipeline, sight: DueInput): readonly DueRule[] {
  const rules: DueRule[] = pipeline.processors.map(() => ({ kind: "after", minutes: 0 }));
  for (const index of graph.order) {
    const processor = pipeline.processors[index];
    if (processor === undefined) continue;
    const readers = processor.edges.map((edge) => ({
      edge,
      upstreams: edge.anyOf.flatMap((name) => byName.get(name) ?? []),
    }));
    let rule = ownRule(processor, readers, sight);
    for (const { edge, upstreams } of readers) {
      if (edge.mode !== "hard" || !delays(edge)) continue;
      // Of several of which one is enough, the first one to be due.
      const shifted = upstreams.map((upstream) =>
        shift(rules[upstream.index] ?? rule, edge, upstream, processor, sight),
      );
      const [first, ...others] = shifted;
      if (first === undefined) continue;
      rule = combine(
        rule,
        others.reduce((a, b) => combine(a, b, Math.min, sight.axis), first),
        Math.max,
        sight.axis,
      );
    }
    rules[index] = rule;
  }
  return rules;
}

interface Reader {
  readonly edge: Edge;
  readonly upstreams: readonly Processor[];
}

/** The processor's own due time, counted from the last date that each cell reads. */
function ownRule({ due, schedule }: Processor, readers: readonly Reader[], sight: DueInput): DueRule {
  const ahead = readers.filter(({ edge }) => readsAhead(edge.window));
  const own = sight.schedules.get(schedule);
  if (own === undefined) return { kind: "after", minutes: due.minuteOfDay };
  if (ahead.length === 0 && "daysAfter" in due) {
    return { kind: "after", minutes: due.daysAfter * minutesOfDay + due.minuteOfDay };
  }
  const at = new Float64Array(sight.axis.length);
  for (let position = 0; position < at.length; position++) {
    const day = sight.axis.first + position;
    let last: Day = day;
    for (const { edge, upstreams } of ahead) {
      const ends = upstreams.flatMap((upstream) => {
        const read = sight.schedules.get(upstream.schedule);
        return read === undefined ? [] : [lastDayRead(edge.window, read, own, day)];
      });
      if (ends.length > 0) last = Math.max(last, Math.min(...ends));
    }
    const dueDay = "daysAfter" in due ? last + due.daysAfter : dayAfterDates(own, last, due.datesAfter);
    at[position] = dueDay * minutesOfDay + due.minuteOfDay;
  }
  return { kind: "listed", at };
}

/** So many scheduled dates on; where the schedule ends before, so many days on: nobody can wait for a date that never comes. */
function dayAfterDates(own: DenseSchedule, last: Day, dates: number): Day {
  const day = Number.isFinite(last) ? nthAfter(own, last, dates, "none") : Infinity;
  return day === -Infinity ? last + dates : day;
}

/** Whether the cell waits for its upstream's own time: it reads its own date or a single one. */
function delays({ window }: Edge): boolean {
  switch (window.kind) {
    case "days":
    case "dates":
    case "days_ahead":
    case "dates_ahead":
      return window.sameDate || readsAhead(window);
    default:
      return true;
  }
}

/** An upstream's rule as it binds the cells that read it: by the last date that each reads. */
function shift(
  rule: DueRule,
  { window }: Edge,
  upstream: Processor,
  processor: Processor,
  { axis, schedules }: DueInput,
): DueRule {
  const isOwnDate = !readsAhead(window) && window.kind !== "offset_days" && window.kind !== "offset_dates";
  if (isOwnDate) return rule;
  const [read, own] = [schedules.get(upstream.schedule), schedules.get(processor.schedule)];
  if (read === undefined || own === undefined) return rule;
  const at = new Float64Array(axis.length);
  for (let position = 0; position < at.length; position++) {
    const { from, to } = windowAt(window, read, own, position);
    const end = readsAhead(window) ? lastDayRead(window, read, own, axis.first + position) : axis.first + to;
    if (end === -Infinity || (from > to && !readsAhead(window))) at[position] = -Infinity;
    else if (end < axis.first + axis.length) at[position] = minutesAt(rule, axis, end - axis.first);
    // What lies beyond the axis is due later than anything on it: the cell's own rule says when at the earliest.
    else at[position] = rule.kind === "after" ? end * minutesOfDay + rule.minutes : end * minutesOfDay;
  }
  return { kind: "listed", at };
}

function combine(a: DueRule, b: DueRule, choose: (x: number, y: number) => number, axis: Axis): DueRule {
  if (a.kind === "after" && b.kind === "after") {
    return { kind: "after", minutes: choose(a.minutes, b.minutes) };
  }
  const at = new Float64Array(axis.length);
  for (let position = 0; position < at.length; position++) {
    at[position] = choose(minutesAt(a, axis, position), minutesAt(b, axis, position));
  }
  return { kind: "listed", at };
}

function minutesAt(rule: DueRule, axis: Axis, position: number): LocalMinutes {
  if (rule.kind === "listed") return rule.at[position] ?? Infinity;
  return (axis.first + position) * minutesOfDay + rule.minutes;
}

/** When the cell at a position is due; Infinity where that is not known yet, as it reads up to a date that no schedule has. */
export function dueAt(
  compiled: CompiledPipeline,
  sight: DueInput,
  processor: number,
  position: number,
): EpochMs {
  const rule = dueRules(compiled, sight)[processor];
  if (rule === undefined) return Infinity;
  return instantOfMinutes(minutesAt(rule, sight.axis, position), compiled.pipeline.timezone);
}

function instantOfMinutes(minutes: LocalMinutes, timezone: string): EpochMs {
  if (!Number.isFinite(minutes)) return minutes;
  const day = Math.floor(minutes / minutesOfDay);
  return instantOf(day, minutes - day * minutesOfDay, timezone);
}

/** Whether cells are due at an instant, by position. */
export type DueTest = (position: number) => boolean;

/** By processor index. */
export function dueTests(compiled: CompiledPipeline, sight: DueInput, at: EpochMs): readonly DueTest[] {
  const { timezone } = compiled.pipeline;
  const today = localDayAt(at, timezone);
  // Most processors share one.
  const lastDue = new Map<number, number>();
  return dueRules(compiled, sight).map((rule) => {
    if (rule.kind === "listed") return (position) => isDue(rule.at[position] ?? Infinity);
    const daysAfter = Math.floor(rule.minutes / minutesOfDay);
    const known =
      lastDue.get(rule.minutes) ??
      today - daysAfter - (isDue(today * minutesOfDay + rule.minutes - daysAfter * minutesOfDay) ? 0 : 1);
    lastDue.set(rule.minutes, known);
    return (position) => sight.axis.first + position <= known;
  });

  function isDue(minutes: LocalMinutes): boolean {
    const day = minutes / minutesOfDay;
    // Only on the day itself, and around a change of the clocks, the instant has to be worked out.
    if (day < today - 1) return true;
    if (day > today + 2) return false;
    return instantOfMinutes(minutes, timezone) <= at;
  }
}

/** The last position whose cell is due; -1 without one. */
export function lastDuePosition(isDue: DueTest, axis: Axis): number {
  for (let position = axis.length - 1; position >= 0; position--) if (isDue(position)) return position;
  return -1;
}
