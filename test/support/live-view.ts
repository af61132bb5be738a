import { assess } from "../../src/core/assess.ts";
import { cascade } from "../../src/core/cascade.ts";
import { plan } from "../../src/core/plan.ts";
import { secondsToConvergence } from "../../src/core/time-to-converge.ts";
import type { LivePlan, LiveSight, LiveView } from "../../src/reconcile/ports/live-view.ts";
import { inputOf, type Scene } from "./sight.ts";

/** What a daemon that plans knows before it has seen anything. */
export const blindView: LiveView = {
  revision: 1,
  pipeline: "shop",
  target: null,
  worker: "host/1/1",
  role: "all",
  mode: "repair",
  isLeading: true,
  isStopping: false,
  sight: null,
  cycleFailure: null,
  degraded: null,
  repairFailure: null,
  running: [],
  queued: [],
  ended: [],
  decisions: [],
  history: [],
  scan: { bytesLast24h: 0, bytesPerDayMax: null, pricePerTibUsd: null },
};

/** What a daemon that plans knows right after it saw a scene; `sight` and the rest can be told otherwise. */
export function liveViewOf(
  scene: Scene,
  changes: Partial<Omit<LiveView, "sight">> & { readonly sight?: Partial<LiveSight> | null } = {},
): { readonly view: LiveView; readonly plan: LivePlan } {
  const input = inputOf(scene);
  const assessment = assess(input);
  plan(assessment, { jobsMax: 8, cellsMax: 2000, recentSlots: 0, slots: true });
  const { sight, ...others } = changes;
  const view: LiveView = {
    ...blindView,
    pipeline: assessment.grid.pipeline.name,
    sight:
      sight === null
        ? null
        : {
            assessment,
            lookedAt: assessment.now,
            ageMs: 0,
            isStale: false,
            secondsToConvergence: secondsToConvergence(assessment),
            ...sight,
          },
    ...others,
  };
  return { view, plan: { asOf: assessment.now, steps: cascade(input) } };
}
