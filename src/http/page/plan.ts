import type { LivePlan, LiveSight } from "../../reconcile/ports/live-view.ts";
import { stepDocument } from "../../core/repair-documents.ts";
import { formatCount, formatSeconds } from "../../presentation/numbers.ts";
import { planHeadline, planLines } from "../../presentation/plan-lines.ts";
import { html, type Html } from "./html.ts";
import { snapshotOf } from "./snapshot.ts";
import { renderTable } from "./tables.ts";

/** What a run would do from here on if every repair worked; the plan may be a little older than the grid. */
export function renderPlan({ assessment }: LiveSight, plan: LivePlan): Html {
  const steps = plan.steps.map((step) => stepDocument(assessment, step, null));
  const { gaps, range, states } = snapshotOf(assessment);
  const { name } = assessment.grid.pipeline;
  const { lines, isFolded, hidden } = planLines(steps);
  return html`<section id="plan" aria-labelledby="plan-title">
<h2 id="plan-title">Plan</h2>
<p>${planHeadline({ steps, pipeline: name, range, gaps, unknown: states.unknown })}</p>
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
