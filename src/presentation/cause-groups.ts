import type { DispositionName, StateName } from "../core/grid.ts";
import type { GapDocument } from "../core/gap-document.ts";
import type { UnknownDocument } from "../core/result-document.ts";

/** What is asked of a gap to find its cause. */
export type StandingGap = Pick<
  GapDocument,
  "processor" | "date" | "state" | "disposition" | "reason" | "attempts" | "next_attempt_at" | "root_causes"
>;

/** Gaps of one processor that stand alike, and how many others wait for them. */
export interface CauseGroup {
  readonly processor: string;
  readonly state: StateName;
  readonly disposition: DispositionName;
  readonly reason: string;
  readonly attempts: number;
  /** Ascending. */
  readonly dates: readonly string[];
  /** Blocked gaps that have one of these cells among their root causes. */
  readonly waiting: number;
  /** When the first of them may be tried again. */
  readonly nextAttemptAt: string | null;
}

/** Root causes that are no gap of the document: unknown, pending, or outside of what was selected. */
export interface OutsideCause {
  readonly processor: string;
  readonly dates: readonly string[];
  readonly waiting: number;
  readonly unknown: boolean;
}

export interface Causes {
  /** Those that wait for a person first; then those that hold back the most, then the largest. */
  readonly gaps: readonly CauseGroup[];
  readonly outside: readonly OutsideCause[];
}

interface Group<T> {
  readonly of: T;
  readonly dates: Set<string>;
  waiting: number;
}

/** Every gap counted once: as one that somebody has to look at, or as one that waits for such a one. */
export function causesOf(document: {
  readonly gaps: readonly StandingGap[];
  readonly unknown: readonly Pick<UnknownDocument, "processor" | "date">[];
}): Causes {
  const groups = new Map<string, Group<StandingGap>>();
  const groupOfCell = new Map<string, Group<StandingGap>>();
  for (const gap of document.gaps) {
    if (isWaiting(gap)) continue;
    const of = { ...gap, reason: reasonOf(gap) };
    const key = [gap.processor, gap.state, gap.disposition, of.reason, gap.attempts].join("/");
    const group = groups.get(key) ?? { of, dates: new Set<string>(), waiting: 0 };
    groups.set(key, group);
    group.dates.add(gap.date);
    groupOfCell.set(`${gap.processor}/${gap.date}`, group);
  }
  const unknown = new Set(document.unknown.map(({ processor, date }) => `${processor}/${date}`));
  const outside = new Map<string, Group<{ processor: string; unknown: boolean }>>();
  for (const gap of document.gaps) {
    if (!isWaiting(gap)) continue;
    const counted = new Set<{ waiting: number }>();
    for (const { processor, date } of gap.root_causes) {
      const cell = `${processor}/${date}`;
      const isUnknown = unknown.has(cell);
      const key = `${processor}/${isUnknown}`;
      let group: Group<unknown> | undefined = groupOfCell.get(cell);
      if (group === undefined) {
        const made = outside.get(key) ?? {
          of: { processor, unknown: isUnknown },
          dates: new Set<string>(),
          waiting: 0,
        };
        outside.set(key, made);
        group = made;
        group.dates.add(date);
      }
      if (!counted.has(group)) group.waiting++;
      counted.add(group);
    }
  }
  return {
    gaps: personFirst(byWeight([...groups.values()])).map((group) => ({
      ...pick(group.of),
      ...seen(group),
      nextAttemptAt: group.of.next_attempt_at,
    })),
    outside: byWeight([...outside.values()]).map((group) => ({ ...group.of, ...seen(group) })),
  };
}

/** Blocked with somebody to blame; blocked by what no one can name is a cause of its own. */
function isWaiting({ disposition, root_causes }: StandingGap): boolean {
  return disposition === "blocked" && root_causes.length > 0;
}

/** Which cap puts a ready gap off for a moment is no difference between causes. */
function reasonOf({ disposition, reason }: StandingGap): string {
  return disposition === "ready" ? "" : reason;
}

const personsDispositions: readonly DispositionName[] = ["quarantined", "unrepairable", "held"];

function personFirst(groups: readonly Group<StandingGap>[]): readonly Group<StandingGap>[] {
  const rank = ({ of }: Group<StandingGap>) => (personsDispositions.includes(of.disposition) ? 0 : 1);
  return groups.toSorted((a, b) => rank(a) - rank(b));
}

function pick({ processor, state, disposition, reason, attempts }: StandingGap) {
  return { processor, state, disposition, reason, attempts };
}

function seen({ dates, waiting }: Group<unknown>) {
  return { dates: [...dates].sort(), waiting };
}

function byWeight<T>(groups: readonly Group<T>[]): readonly Group<T>[] {
  return groups.toSorted((a, b) => b.waiting - a.waiting || b.dates.size - a.dates.size);
}
