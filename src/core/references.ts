import { asksOthers, noOthers, type OtherCell, type Others } from "./emptiness.ts";
import { State, stateName } from "./grid.ts";
import { failureAt, type Observed, rowsAt } from "./observed.ts";
import type { Processor } from "./pipeline.ts";
import type { Axis } from "./schedule.ts";

/** The processors that tell whether an empty date of another is complete, by the part of its expectation. */
export type References = Readonly<Record<keyof Others, Reference | null>>;

interface Reference {
  readonly processor: Processor;
  /** It is judged by this one too, directly or through others. */
  readonly isCircular: boolean;
}

export interface JudgingPlan {
  /** Every processor after those that it refers to, but for circular references; among equals the file's order. */
  readonly order: readonly number[];
  /** By processor index; null where it refers to none. */
  readonly references: readonly (References | null)[];
}

/** `coverage.of`, `per_entity.of` and `when.of` create no dependency, so the order of judging is one of its own. */
export function judgingPlan(processors: readonly Processor[]): JudgingPlan {
  const named = new Map(processors.map((processor) => [processor.name, processor]));
  const parts = processors.map((processor) => partsOf(processor, named));
  const targets = parts.map((part) =>
    Object.values(part ?? {}).flatMap((processor) => (processor === null ? [] : [processor.index])),
  );
  const reaches = (from: number, to: number) => reachable(from, targets).has(to);
  const references = parts.map((part, index): References | null => {
    const refer = (processor: Processor | null) =>
      processor === null ? null : { processor, isCircular: reaches(processor.index, index) };
    return part === null
      ? null
      : { when: refer(part.when), perEntity: refer(part.perEntity), coverage: refer(part.coverage) };
  });
  const order: number[] = [];
  const placed = new Set<number>();
  const place = (index: number): void => {
    if (placed.has(index)) return;
    placed.add(index);
    for (const reference of Object.values(references[index] ?? {})) {
      if (reference !== null && !reference.isCircular) place(reference.processor.index);
    }
    order.push(index);
  };
  for (const { index } of processors) place(index);
  return { order, references };
}

function partsOf(
  { expect }: Processor,
  named: ReadonlyMap<string, Processor>,
): Readonly<Record<keyof Others, Processor | null>> | null {
  const { rows, coverage } = expect;
  const of = (name: string | undefined) => (name === undefined ? null : (named.get(name) ?? null));
  const when = of(rows.when?.of);
  if (!asksOthers(expect)) return when === null ? null : { when, perEntity: null, coverage: null };
  const perEntity = of(rows.perEntity?.of);
  const covered = of(coverage?.of.kind === "processor" ? coverage.of.name : undefined);
  return when === null && perEntity === null && covered === null
    ? null
    : { when, perEntity, coverage: covered };
}

function reachable(from: number, targets: readonly (readonly number[])[]): ReadonlySet<number> {
  const seen = new Set([from]);
  for (const index of seen) for (const target of targets[index] ?? []) seen.add(target);
  return seen;
}

/** What the judging of other cells needs: the sight, and the states by what was observed alone. */
export interface Judged {
  readonly sight: { readonly axis: Axis; readonly observed: readonly Observed[] };
  readonly judgedStates: Uint8Array;
  /** Rows that a cell which a forecast takes for repaired has at least; null for other cells. */
  readonly assumedRows: (processor: Processor, position: number) => number | null;
}

/** The cells that a cell refers to, on its own date. */
export function othersAt(references: References | null, judged: Judged, position: number): Others {
  if (references === null) return noOthers;
  return {
    when: otherCell(references.when, judged, position),
    perEntity: otherCell(references.perEntity, judged, position),
    coverage: otherCell(references.coverage, judged, position),
  };
}

function otherCell(reference: Reference | null, judged: Judged, position: number): OtherCell | null {
  if (reference === null) return null;
  const { processor, isCircular } = reference;
  const { sight, judgedStates, assumedRows } = judged;
  const { axis } = sight;
  const observed = sight.observed[processor.index];
  const state: number = judgedStates[processor.index * axis.length + position] ?? State.unknown;
  const isSeen = observed !== undefined && failureAt(observed, axis.first + position) === null;
  const isMet = state === State.complete || state === State.unscheduled || state === State.unexpected;
  const rows = observed === undefined ? 0 : rowsAt(observed, position);
  const cell = { name: processor.name, rows, state: stateName(state) };
  if (isCircular) return { ...cell, standing: "circular" };
  if (!isSeen || state === State.unknown) return { ...cell, standing: "unknown" };
  if (isMet) return { ...cell, standing: "met" };
  const assumed = assumedRows(processor, position);
  if (assumed === null) return { ...cell, standing: "unmet" };
  return { ...cell, rows: Math.max(rows, assumed), standing: "assumed" };
}
