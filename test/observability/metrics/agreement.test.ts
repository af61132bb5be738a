// Goal: metrics and the JSON document agree on every count. Method: random pipelines in which much goes wrong are reconciled to
// their end by a simulated executor; at every plan on the way the two are compared. The seed is fixed.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Assessment } from "../../../src/core/assessment.ts";
import { type ResultDocument, resultDocument } from "../../../src/core/result-document.ts";
import { arbitraryWorld } from "../../support/arbitrary-world.ts";
import { metricsOf, rendered, type Sample, samplesOf } from "../../support/metrics.ts";
import { simulate } from "../../support/simulation.ts";

test("at every moment of a run the metrics count what the JSON document counts", async () => {
  let moments = 0;
  let gapsSeen = 0;
  for (const world of fc.sample(arbitraryWorld({ trouble: true }), { seed: 20_240_101, numRuns: 12 })) {
    const assessments: Assessment[] = [];
    simulate(world, 3000, ({ assessment }) => void assessments.push(assessment));
    const metrics = metricsOf(world.pipeline);
    metrics.listener.onLeading(true);
    for (const [index, assessment] of assessments.entries()) {
      if (index === 0) metrics.listener.onCycle(assessment, "c");
      else metrics.listener.onPlanned(assessment);
      const document = resultDocument({ assessment, target: null, steps: [], repairs: [], cost: null });
      const samples = samplesOf(await rendered(metrics));
      compare(samples, document);
      moments++;
      gapsSeen += document.gaps.length;
    }
  }
  expect(moments).toBeGreaterThan(50);
  expect(gapsSeen).toBeGreaterThan(100);
});

function compare(samples: readonly Sample[], document: ResultDocument): void {
  const of = (name: string) => samples.filter((sample) => sample.name === name);
  const nonZero = (name: string, key: (labels: Sample["labels"]) => string) =>
    Object.fromEntries(of(name).flatMap(({ labels, value }) => (value === 0 ? [] : [[key(labels), value]])));
  expect(nonZero("cells", ({ processor, state }) => `${processor}/${state}`)).toEqual(
    tally(
      Object.entries(document.counts).flatMap(([processor, counts]) =>
        Object.entries(counts).map(([state, count]) => [`${processor}/${state}`, count] as const),
      ),
    ),
  );
  expect(nonZero("gaps", ({ processor, disposition }) => `${processor}/${disposition}`)).toEqual(
    tally(document.gaps.map(({ processor, disposition }) => [`${processor}/${disposition}`, 1] as const)),
  );
  const exempt = of("exempt_cells").map(({ labels, value }) => [labels["reason"] ?? "", value] as const);
  expect(tally(exempt)).toEqual(tally(Object.entries(document.exempt)));
  expect(nonZero("breaker_open", ({ kind, subject }) => `${kind}/${subject}`)).toEqual(
    tally(document.breakers.map(({ kind, subject }) => [`${kind}/${subject}`, 1] as const)),
  );
  expect(of("converged").map(({ value }) => value)).toEqual([document.converged ? 1 : 0]);
  const overdue = of("overdue_cells").reduce((sum, { value }) => sum + value, 0);
  expect(overdue).toBeGreaterThanOrEqual(document.gaps.length);
  expect(overdue).toBeLessThanOrEqual(document.gaps.length + document.unknown.length);
}

/** The sum of each name; those that are 0 are left out. */
function tally(counts: readonly (readonly [string, number])[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const [name, count] of counts) if (count > 0) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
