import type { Day } from "../../core/iso-date.ts";
import type { Processor } from "../../core/pipeline.ts";
import type { ObservationFailure } from "../../core/observation.ts";
import type { OutsideAsk } from "./outside.ts";
import { since, type Spans } from "./spans.ts";

/** What is to be asked of a processor: at least one thing. */
export interface Need {
  readonly processor: Processor;
  /** Finite. */
  readonly days: Spans;
  /** Rows outside of the survey's dates; they are counted with the first of the days. */
  readonly outside: OutsideAsk;
}

/**
 * What of the needs can be asked for so many bytes: as many processors as can have their newest day, in the order of the needs,
 * and then as far back for all of them as the bytes go.
 * @param priceOf at the most; grows with the days and the needs
 */
export async function affordable(
  needs: readonly Need[],
  bytes: number,
  priceOf: (needs: readonly Need[]) => Promise<number>,
): Promise<readonly Need[]> {
  const fits = async (some: readonly Need[]) => some.length === 0 || (await priceOf(some)) <= bytes;
  const count = await lastThat(0, needs.length, (many) =>
    fits(needs.slice(0, many).map((need) => newest(need))),
  );
  const chosen = needs.slice(0, count);
  const spans = chosen.flatMap(({ days }) => days);
  if (spans.length === 0) return chosen;
  const first = Math.min(...spans.map(({ from }) => from));
  const last = Math.max(...spans.map(({ to }) => to));
  const reach = await lastThat(0, last - first, (back) =>
    fits(chosen.map((need) => newest(need, last - back))),
  );
  return chosen.map((need) => newest(need, last - reach));
}

/** The days of a need from one on, and its last in any case. */
function newest({ days, ...rest }: Need, from: Day = Number.POSITIVE_INFINITY): Need {
  return { ...rest, days: since(days, Math.min(from, days.at(-1)?.to ?? from)) };
}

/** The last number of a range that passes, where all below it do; the first of the range always does. */
async function lastThat(
  first: number,
  last: number,
  passes: (value: number) => Promise<boolean>,
): Promise<number> {
  if (await passes(last)) return last;
  let [good, bad] = [first, last];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (await passes(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

/** @param takes at the most, what was left out; @param what as in "it takes up to 10 MB to look at …" */
export function overBudget(
  budgetBytes: number,
  leftBytes: number,
  takes: number,
  what: string,
): ObservationFailure {
  return {
    code: "budget",
    message: `the budget of ${megabytes(budgetBytes)} for one look does not reach: it takes up to ${megabytes(takes)} to look at ${what}, and ${megabytes(leftBytes)} were left`,
  };
}

function megabytes(bytes: number): string {
  return `${Math.ceil((bytes / 2 ** 20) * 10) / 10} MB`;
}
