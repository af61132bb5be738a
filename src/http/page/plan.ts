import type { PlannedStep } from "../../core/cascade.ts";
import { memoByIdentity } from "../../core/memo.ts";
import type { Pipeline } from "../../core/pipeline.ts";
import type { LivePlan, LiveSight } from "../../reconcile/ports/live-view.ts";
import { stepDocument } from "../../core/repair-documents.ts";
import { formatCount, formatSeconds } from "../../presentation/numbers.ts";
import { planHeadline, planLines } from "../../presentation/plan-lines.ts";
import { html, type Html } from "./html.ts";
import { snapshotOf } from "./snapshot.ts";
import { renderTable } from "./tables.ts";

/** Made once for each plan, as one of an empty history has ten thousands of steps. */
const stepsOf = memoByIdentity((pipeline: Pipeline) =>
  memoByIdentity((steps: readonly PlannedStep[]) =>
    steps.map((step) => stepDocument({ grid: { pipeline } }, step, null)),
  ),
);

const linesOf = memoByIdentity(planLines);

/** What a run would do from here on if every repair worked; the plan may be a little older than the grid. */
export function renderPlan({ assessment, isStale }: LiveSight, plan: LivePlan): Html {
  const { pipeline } = assessment.grid;
  const steps = stepsOf(pipeline)(plan.steps);
  const { gaps, range, states } = snapshotOf(assessment);
  const { lines, isFolded, hidden } = linesOf(steps);
  return html`<section id="plan" aria-labelledby="plan-title">
<h2 id="plan-title">Plan</h2>
<p>${isStale && "As far as was known: "}${planHeadline({ steps, pipeline: pipeline.name, range, gaps, unknown: states.unknown })}</p>
${
  lines.length > 0 &&
  renderTable(
    ["Wave", "Repair", "First", "Last", "Dates", "Time", "Why", ...(isFolded ? ["Jobs"] : [])],
    lines.map(({ wave, repair, first, last, dates, seconds, why, jobs }) => [
      formatCount(wave),
      repair,
      first,
      last,
      formatCount(dates),
      seconds === null ? "?" : formatSeconds(seconds),
      why,
      ...(isFolded ? [formatCount(jobs)] : []),
    ]),
    hidden,
  )
}
</section>`;
}
