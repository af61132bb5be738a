import { type CoverageKeys, hasKeys, keysNamedMax } from "../core/coverage-keys.ts";
import type { GapDocument } from "../core/gap-document.ts";
import type { IsoDate } from "../core/iso-date.ts";
import type { Processor } from "../core/pipeline.ts";
import type { ResultDocument } from "../core/result-document.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";

/** Keys are asked for by name for so many gaps of a result; a warehouse may bill each date. */
const gapsNamedMax = 20;

/** The keys of a cell by name; null where there are none, or they cannot be asked for now. */
export async function keysOfCell(
  context: ReconcileContext,
  processor: Processor,
  date: IsoDate,
): Promise<CoverageKeys | null> {
  return (await keysOf(context, processor, [date])).get(date) ?? null;
}

/** The result with the absent and extra keys of its first gaps by name. */
export async function nameKeys(context: ReconcileContext, document: ResultDocument): Promise<ResultDocument> {
  const named = document.gaps.filter(({ coverage }) => hasKeys(coverage)).slice(0, gapsNamedMax);
  const found = new Map<GapDocument, CoverageKeys>();
  for (const name of new Set(named.map(({ processor }) => processor))) {
    const processor = context.compiled.byName.get(name);
    const gaps = named.filter((gap) => gap.processor === name);
    if (processor === undefined) continue;
    const keys = await keysOf(
      context,
      processor,
      gaps.map(({ date }) => date),
    );
    for (const gap of gaps) {
      const own = keys.get(gap.date);
      if (own !== undefined) found.set(gap, own);
    }
  }
  if (found.size === 0) return document;
  const gaps = document.gaps.map((gap) => {
    const coverage = found.get(gap);
    return coverage === undefined ? gap : { ...gap, coverage };
  });
  return { ...document, gaps };
}

/** A result without names is better than none. */
async function keysOf(
  { warehouse }: ReconcileContext,
  processor: Processor,
  dates: readonly IsoDate[],
): Promise<ReadonlyMap<IsoDate, CoverageKeys>> {
  try {
    return await warehouse.coverageKeys({ processor, dates, limit: keysNamedMax });
  } catch (error) {
    if (error instanceof ReconcilerError) return new Map();
    throw error;
  }
}
