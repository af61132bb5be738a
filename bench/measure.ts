export interface Benchmark {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline: number;
  /** Of value to baseline: machines differ, the ratio of one run does not. */
  readonly ratio: number;
}

/**
 * The medians of both over so many rounds, and the median of the rounds' ratios. They are taken in turns, now the one first
 * and now the other, so that a busy moment of the machine falls on both. One round of each goes before that and does not
 * count. Nor does `prepare`, which goes before each.
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
    const turns = [
      { work: measured, times: values },
      { work: baseline, times: baselines },
    ];
    for (const { work, times } of round % 2 === 0 ? turns : turns.toReversed()) {
      await prepare();
      const time = await timed(work);
      if (round > 0) times.push(time);
    }
  }
  const ratios = values.map((value, round) => value / (baselines[round] ?? Number.NaN));
  return { ...medians(name, unit, values, baselines), ratio: twoDecimals(median(ratios)) };
}

/** The medians of two lots of values. */
export function medians(
  name: string,
  unit: string,
  values: readonly number[],
  baselines: readonly number[],
): Benchmark {
  return benchmarkOf(name, unit, median(values), median(baselines));
}

/** The median and the 99th percentile of some values, each beside the same of the baseline. */
export function medianAndP99(
  name: string,
  unit: string,
  values: readonly number[],
  baselines: readonly number[],
): readonly Benchmark[] {
  return [
    medians(`${name}_median`, unit, values, baselines),
    benchmarkOf(`${name}_p99`, unit, quantile(values, 0.99), quantile(baselines, 0.99)),
  ];
}

function benchmarkOf(name: string, unit: string, value: number, baseline: number): Benchmark {
  return {
    name,
    value: twoDecimals(value),
    unit,
    baseline: twoDecimals(baseline),
    ratio: twoDecimals(value / baseline),
  };
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The smallest value that so large a share of all does not exceed. */
function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN;
}

function twoDecimals(value: number): number {
  return Math.round(value * 100) / 100;
}
