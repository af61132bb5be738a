import { cascade } from "../../src/core/cascade.ts";
import type { RepairEnd } from "../../src/core/ledger-records.ts";
import { plan } from "../../src/core/plan.ts";
import { type ResultDocument, resultDocument } from "../../src/core/result-document.ts";
import { assess } from "../../src/core/assess.ts";
import { inputOf, type Scene } from "../support/sight.ts";

/** The document of a scene after planning, as a run or `status` makes it. */
export function documentOf(
  scene: Scene,
  more: {
    readonly target?: string;
    readonly repairs?: readonly RepairEnd[];
    readonly withPlan?: boolean;
    readonly cost?: ResultDocument["cost"];
    readonly forecastBytes?: ReadonlyMap<string, number>;
  } = {},
): ResultDocument {
  const input = inputOf(scene);
  const assessment = assess(input);
  plan(assessment, { jobsMax: 8, cellsMax: 2000, recentSlots: 0, slots: true });
  return resultDocument({
    assessment,
    target: more.target ?? null,
    steps: more.withPlan === true ? cascade(input) : [],
    repairs: more.repairs ?? [],
    cost: more.cost ?? null,
    ...(more.forecastBytes === undefined ? {} : { forecastBytes: more.forecastBytes }),
  });
}
