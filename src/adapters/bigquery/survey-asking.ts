import type { ObservationFailure, ProcessorObservation } from "../../core/observation.ts";
import type { Processor } from "../../core/pipeline.ts";
import type { ReconcilerError } from "../../errors.ts";
import type { DayCounts } from "../sql/day-counts.ts";
import { eachOf } from "../sql/each-of.ts";
import { chunksOf, failed, isOfStatement } from "../sql/profile-all.ts";
import { QueryError } from "../sql/query-error.ts";
import { listedTablesMax } from "./billing.ts";
import { limitsOf } from "./limits.ts";
import { nothingOutside, type OutsideAsk, unionOf } from "./outside.ts";
import {
  analyzeProfile,
  type ArmContexts,
  profileDates,
  type ProfileSource,
  rangesOfDays,
} from "./profile.ts";
import { type Spans, subtract, union, widen } from "./spans.ts";
import { affordable, type Need, overBudget } from "./survey-budget.ts";

/** What came of asking for some days of a processor. */
export interface Answer {
  readonly days: Spans;
  readonly observation: ProcessorObservation;
  readonly outside: OutsideAsk;
  /** The rows that were counted; null where the observation failed. */
  readonly counts: DayCounts | null;
}

export interface Answers {
  /** By processor. */
  readonly found: ReadonlyMap<string, readonly Answer[]>;
  /** Why the rest was not asked; null where nothing was left out. */
  readonly overBudget: ObservationFailure | null;
  /** The warehouse was away for some of it. */
  readonly outage: ReconcilerError | null;
}

export interface Asking {
  readonly source: ProfileSource;
  readonly contextOf: ArmContexts;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly budgetBytes: number;
  readonly leftBytes: () => number;
}

/** More ranges in one condition cost more to plan than the days between them cost to read. */
const rangesMax = 16;
const statementsAtOnce = 4;
/** Each takes a dozen dry runs for every fifty tables. */
const roundsMax = 4;

/**
 * Asks for all of the needs where the budget reaches, else for those of the first class as far as it does, then of the next.
 * @throws ReconcilerError `interrupted`
 */
export async function askWithin(classes: readonly (readonly Need[])[], asking: Asking): Promise<Answers> {
  const asker = new Asker(asking);
  const all = merged(classes.flat());
  if (all.length === 0) return asker.answers(null);
  try {
    const price = Number.isFinite(asking.budgetBytes) ? await asker.priceOf(all) : 0;
    if (price <= asking.leftBytes()) {
      await asker.ask(all);
      return asker.answers(null);
    }
    const left = asking.leftBytes();
    for (const needs of classes) await asker.askSome(merged(needs));
    return asker.answers(overBudget(asking.budgetBytes, left, price, "all that changed or was not seen yet"));
  } catch (error) {
    // Not even a dry run was answered.
    if (!isOfStatement(error)) throw error;
    asker.fail(
      all.filter(({ processor }) => !asker.has(processor)),
      error,
    );
    return asker.answers(null);
  }
}

/** What is left of the needs. */
function without(needs: readonly Need[], asked: readonly Need[]): readonly Need[] {
  const done = new Map(asked.map((need) => [need.processor, need]));
  return needs.flatMap((need) => {
    const found = done.get(need.processor);
    if (found === undefined) return [need];
    const days = subtract(need.days, found.days);
    return days.length === 0 ? [] : [{ ...need, days, outside: nothingOutside }];
  });
}

/** One need for each processor, in few ranges. */
function merged(needs: readonly Need[]): readonly Need[] {
  const joined = new Map<Processor, Need>();
  for (const need of needs) {
    const { days, outside } = joined.get(need.processor) ?? { days: [], outside: nothingOutside };
    joined.set(need.processor, {
      ...need,
      days: union(days, need.days),
      outside: unionOf(outside, need.outside),
    });
  }
  return [...joined.values()].map(({ days, ...rest }) => ({ ...rest, days: widen(days, rangesMax) }));
}

class Asker {
  readonly #asking: Asking;
  readonly #found = new Map<string, Answer[]>();
  #outage: ReconcilerError | null = null;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  answers(left: ObservationFailure | null): Answers {
    return { found: this.#found, overBudget: left, outage: this.#outage };
  }

  has({ name }: Processor): boolean {
    return this.#found.has(name);
  }

  /** As far as the budget reaches: what was free, or cheaper than it seemed, leaves bytes for more. */
  async askSome(needs: readonly Need[]): Promise<void> {
    let left = needs;
    for (let round = 0; round < roundsMax && left.length > 0; round += 1) {
      const some = await affordable(left, this.#asking.leftBytes(), (part) => this.priceOf(part));
      if (some.length === 0) return;
      await this.ask(some);
      left = without(left, some);
    }
  }

  async ask(needs: readonly Need[]): Promise<void> {
    const { source, contextOf, timeoutMs, signal } = this.#asking;
    const options = { ...askedOf(needs), contextOf, timeoutMs };
    try {
      const found = await profileDates(
        source,
        needs.map(({ processor }) => processor),
        signal === undefined ? options : { ...options, signal },
      );
      for (const need of needs) {
        const { name } = need.processor;
        const observation = found.processors.get(name);
        if (observation !== undefined) this.#add(need, observation, found.outside.get(name) ?? null);
      }
    } catch (error) {
      if (!isOfStatement(error)) throw error;
      this.fail(needs, error);
    }
  }

  fail(needs: readonly Need[], error: ReconcilerError): void {
    this.#outage = error;
    for (const need of needs) this.#add(need, failed(error), null);
  }

  #add(
    { processor, days, outside }: Need,
    observation: ProcessorObservation,
    counts: DayCounts | null,
  ): void {
    const before = this.#found.get(processor.name) ?? [];
    this.#found.set(processor.name, [...before, { days, observation, outside, counts }]);
  }

  /** At the most what it is billed to ask for them; what cannot be analyzed will not run either. */
  async priceOf(needs: readonly Need[]): Promise<number> {
    let sum = 0;
    await eachOf(chunksOf(needs), statementsAtOnce, async (chunk) => {
      const price = await this.#priceOfChunk(chunk);
      sum += price;
    });
    return sum;
  }

  async #priceOfChunk(chunk: readonly Need[]): Promise<number> {
    const { source, contextOf, timeoutMs, signal } = this.#asking;
    const processors = chunk.map(({ processor }) => processor);
    const what = { ...askedOf(chunk), contextOf };
    try {
      const found = await analyzeProfile(source.jobs, processors, what, limitsOf(timeoutMs, signal));
      // Each table that is in no list would be billed on top.
      if (found.tables < listedTablesMax || chunk.length === 1) return found.bytes;
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      // As the profile itself will be halved.
      if (chunk.length === 1) return 0;
    }
    const middle = Math.ceil(chunk.length / 2);
    const first = await this.#priceOfChunk(chunk.slice(0, middle));
    return first + (await this.#priceOfChunk(chunk.slice(middle)));
  }
}

function askedOf(needs: readonly Need[]) {
  const byName = new Map(needs.map((need) => [need.processor.name, need]));
  return {
    rangesOf: ({ name }: Processor) => rangesOfDays(byName.get(name)?.days ?? []),
    outsideOf: ({ name }: Processor) => byName.get(name)?.outside ?? nothingOutside,
  };
}
