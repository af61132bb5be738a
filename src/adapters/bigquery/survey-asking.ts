import { fromDay } from "../../core/iso-date.ts";
import type { ObservationFailure, ProcessorObservation } from "../../core/observation.ts";
import type { Processor } from "../../core/pipeline.ts";
import type { ReconcilerError } from "../../errors.ts";
import { eachOf } from "../sql/each-of.ts";
import { chunksOf, failed, isOfStatement } from "../sql/profile-all.ts";
import { QueryError } from "../sql/query-error.ts";
import { listedTablesMax } from "./billing.ts";
import { limitsOf } from "./limits.ts";
import { analyzeProfile, type ArmContexts, profileDates, type ProfileSource } from "./profile.ts";
import { type Spans, subtract, union, widen } from "./spans.ts";
import { affordable, type Need, overBudget } from "./survey-budget.ts";

/** What came of asking for some days of a processor. */
export interface Answer {
  readonly days: Spans;
  readonly observation: ProcessorObservation;
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
  const days = new Map(asked.map((need) => [need.processor, need.days]));
  return needs.flatMap((need) => {
    const left = subtract(need.days, days.get(need.processor) ?? []);
    return left.length === 0 ? [] : [{ processor: need.processor, days: left }];
  });
}

/** One need for each processor, in few ranges. */
function merged(needs: readonly Need[]): readonly Need[] {
  const days = new Map<Processor, Spans>();
  for (const need of needs) days.set(need.processor, union(days.get(need.processor) ?? [], need.days));
  return [...days].map(([processor, spans]) => ({ processor, days: widen(spans, rangesMax) }));
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
    const options = { rangesOf: rangesOf(needs), contextOf, timeoutMs };
    try {
      const found = await profileDates(
        source,
        needs.map(({ processor }) => processor),
        signal === undefined ? options : { ...options, signal },
      );
      for (const need of needs) {
        const observation = found.get(need.processor.name);
        if (observation !== undefined) this.#add(need, observation);
      }
    } catch (error) {
      if (!isOfStatement(error)) throw error;
      this.fail(needs, error);
    }
  }

  fail(needs: readonly Need[], error: ReconcilerError): void {
    this.#outage = error;
    for (const need of needs) this.#add(need, failed(error));
  }

  #add({ processor, days }: Need, observation: ProcessorObservation): void {
    const before = this.#found.get(processor.name) ?? [];
    this.#found.set(processor.name, [...before, { days, observation }]);
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
    const what = { rangesOf: rangesOf(chunk), contextOf };
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

function rangesOf(needs: readonly Need[]) {
  const ranges = new Map(
    needs.map(({ processor, days }) => [
      processor.name,
      days.map(({ from, to }) => ({ start: fromDay(from), end: fromDay(to) })),
    ]),
  );
  return ({ name }: Processor) => ranges.get(name) ?? [];
}
