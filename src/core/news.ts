import type { Assessment } from "./assessment.ts";
import { isGapCell } from "./batches.ts";
import { isConverged } from "./assess.ts";
import { dateAt } from "./grid.ts";
import { type IsoDate, toDay } from "./iso-date.ts";
import type { CycleRecord, GapEvent } from "./ledger-records.ts";
import type { Processor, Severity } from "./pipeline.ts";
import type { QuarantineCause } from "./retry-policy.ts";
import type { EpochMs } from "./wall-clock.ts";

/** What people are told of without asking. */
export const newsKinds = ["quarantined", "reopened", "mass_gap", "converged"] as const;
export type NewsKind = (typeof newsKinds)[number];

export interface NewsSubject {
  readonly processor: string;
  readonly severity: Severity;
  readonly owner: string | null;
}

export type News =
  | (NewsSubject & {
      readonly kind: "quarantined";
      readonly reason: QuarantineCause;
      /** Ascending, at least one. */
      readonly dates: readonly IsoDate[];
    })
  /** Cells that were complete before and are gaps again. */
  | (NewsSubject & { readonly kind: "reopened"; readonly dates: readonly IsoDate[] })
  /** Without a subject it is of all processors together. */
  | { readonly kind: "mass_gap"; readonly subject: NewsSubject | null; readonly message: string }
  | { readonly kind: "converged" };

/** All that one cycle has to tell. */
export interface Bulletin {
  readonly cycleId: string;
  readonly at: EpochMs;
  /** At least one. */
  readonly news: readonly News[];
}

/** What one full look saw of that which people are told when it begins. */
export interface Standing {
  readonly cycleId: string;
  readonly at: EpochMs;
  readonly converged: boolean;
  /** By `processor/date`. */
  readonly quarantined: ReadonlyMap<string, QuarantinedCell>;
  /** Why, by processor; the empty name is all together. */
  readonly massGaps: ReadonlyMap<string, string>;
  /** By name: those that people are told of. */
  readonly subjects: ReadonlyMap<string, NewsSubject>;
}

interface QuarantinedCell {
  readonly processor: string;
  readonly date: IsoDate;
  readonly reason: QuarantineCause;
  readonly since: EpochMs;
}

/** What was told already: by this process, or by whoever planned before it, of whom only a record is left. */
export type Told =
  | { readonly kind: "standing"; readonly standing: Standing }
  | { readonly kind: "record"; readonly record: CycleRecord }
  | { readonly kind: "nothing" };

/** Processors of severity `info` are shown, and nobody is told of them. */
export function standingOf(assessment: Assessment, cycleId: string): Standing {
  const { grid, breakers, now } = assessment;
  const told = grid.pipeline.processors.filter(({ severity }) => severity !== "info");
  const massGaps = new Map<string, string>();
  for (const { name, index } of told) {
    const message = breakers.massGaps[index] ?? null;
    if (message !== null) massGaps.set(name, message);
  }
  const { overallMassGap } = breakers;
  return {
    cycleId,
    at: now,
    converged: isConverged(assessment),
    quarantined: new Map(
      told.flatMap((processor) => quarantinedOf(assessment, processor)).map((cell) => [keyOf(cell), cell]),
    ),
    // All together is the cause of each.
    massGaps: overallMassGap === null ? massGaps : new Map([["", overallMassGap]]),
    subjects: new Map(told.map(({ name, severity, owner }) => [name, { processor: name, severity, owner }])),
  };
}

/** A cell stays quarantined while it is probed, whatever its disposition is meanwhile. */
function quarantinedOf(assessment: Assessment, { index, name }: Processor): readonly QuarantinedCell[] {
  const { grid, facts } = assessment;
  const cells: QuarantinedCell[] = [];
  for (let position = 0; position < grid.axis.length; position++) {
    if (!isGapCell(assessment, index, position)) continue;
    const { quarantine } = facts.cellFacts(index, grid.axis.first + position);
    if (quarantine === null) continue;
    const { cause, since } = quarantine;
    cells.push({ processor: name, date: dateAt(grid.axis, position), reason: cause, since });
  }
  return cells;
}

function keyOf({ processor, date }: Pick<QuarantinedCell, "processor" | "date">): string {
  return `${processor}/${date}`;
}

/**
 * What began since it was last told. Pure: the same looks give the same news.
 * @param events of the ledger since then, in whatever order
 */
export function newsOf(standing: Standing, told: Told, events: readonly GapEvent[]): readonly News[] {
  return [
    ...massGapNews(standing, told),
    ...quarantineNews(standing, told),
    ...reopenedNews(standing, told, events),
    ...convergedNews(standing, told),
  ];
}

/** When it was last told; earlier events are old. Null where nothing ever was. */
export function toldAt(told: Told): EpochMs | null {
  switch (told.kind) {
    case "standing":
      return told.standing.at;
    case "record":
      return told.record.finishedAt;
    case "nothing":
      return null;
  }
}

function massGapNews({ massGaps, subjects }: Standing, told: Told): readonly News[] {
  // A record tells that a breaker spoke against the detector, not which one: it is taken to be the same.
  if (told.kind === "record" && !told.record.accepted) return [];
  const before = told.kind === "standing" ? told.standing.massGaps : new Map<string, string>();
  return [...massGaps]
    .filter(([name]) => !before.has(name))
    .map(([name, message]) => ({ kind: "mass_gap", subject: subjects.get(name) ?? null, message }) as const);
}

function quarantineNews({ quarantined, subjects }: Standing, told: Told): readonly News[] {
  const isNew = (cell: QuarantinedCell) => {
    if (told.kind === "standing") return !told.standing.quarantined.has(keyOf(cell));
    return told.kind === "nothing" || cell.since > told.record.finishedAt;
  };
  const groups = new Map<string, { cell: QuarantinedCell; dates: IsoDate[] }>();
  for (const cell of quarantined.values()) {
    if (!isNew(cell)) continue;
    const key = `${cell.processor}/${cell.reason}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { cell, dates: [cell.date] });
    else group.dates.push(cell.date);
  }
  return [...groups.values()].flatMap(({ cell, dates }): readonly News[] => {
    const subject = subjects.get(cell.processor);
    return subject === undefined ? [] : [{ kind: "quarantined", ...subject, reason: cell.reason, dates }];
  });
}

function reopenedNews({ subjects }: Standing, told: Told, events: readonly GapEvent[]): readonly News[] {
  const since = toldAt(told);
  // Of a pipeline that nobody was told of yet, the past is no news.
  if (since === null) return [];
  return [...subjects].flatMap(([name, subject]): readonly News[] => {
    const own = events.filter(
      ({ at, event, processor, wasComplete }) =>
        processor === name && event === "opened" && wasComplete && at > since,
    );
    const dates = [...new Set(own.map(({ date }) => date))].toSorted((a, b) => toDay(a) - toDay(b));
    return dates.length === 0 ? [] : [{ kind: "reopened", ...subject, dates }];
  });
}

/** Where it was converged all along there is nothing to tell, and so with the first look ever. */
function convergedNews({ converged }: Standing, told: Told): readonly News[] {
  if (!converged || told.kind === "nothing") return [];
  const was = told.kind === "standing" ? told.standing.converged : told.record.converged;
  return was ? [] : [{ kind: "converged" }];
}
