export interface Benchmark {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline: number;
  /** value ÷ baseline: machines differ, the ratio of one run does not. */
  readonly ratio: number;
}

/**
 * The medians of both over so many rounds, taken in turns, so that a busy moment of the machine falls on both. One round
 * of each goes before that and does not count. Nor does `prepare`, which goes before each.
 */
export async function compare(
  name: string,
  unit: string,
  rounds: number,
  measured: () => Promise<void> | void,
  baseline: () => Promise<void> | void,
  prepare: () => Promise<void> | void = () => undefined,
): Promise<Benchmark> {
  const [values, baselines]: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    await prepare();
    const value = await timed(measured);
    await prepare();
    const base = await timed(baseline);
    if (round > 0) {
      values.push(value);
      baselines.push(base);
    }
  }
  const [value, base] = [median(values), median(baselines)];
  return {
    name,
    value: twoDecimals(value),
    unit,
    baseline: twoDecimals(base),
    ratio: twoDecimals(value / base),
  };
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function twoDecimals(value: number): number {
  return Math.round(value * 100) / 100;
}
