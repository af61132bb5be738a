import { stateGlyphs } from "../../presentation/states.ts";
import type { CauseGroup } from "../../presentation/cause-groups.ts";
import { causeStanding, outsideCauseText } from "../../presentation/cause-words.ts";
import { counted, formatDates } from "../../presentation/numbers.ts";
import type { LiveSight } from "../../reconcile/ports/live-view.ts";
import { type Content, html, type Html } from "./html.ts";
import { cellHref, pageHref, type PageQuery } from "./query.ts";
import { snapshotOf } from "./snapshot.ts";

const causesMax = 20;

/** Why there are gaps: each group of gaps that waits for nothing else, those that need a person first. */
export function renderRootCauses({ assessment, isStale }: LiveSight, query: PageQuery): Html {
  const { causes, untraced } = snapshotOf(assessment);
  const { gaps, outside } = causes;
  const all = [
    ...gaps.map((group) => causeItem(group, query)),
    ...outside.map(
      (
        cause,
      ) => html`<li>${outsideCauseText(cause)}. <a href="${cellHref(cause.processor, cause.dates[0] ?? "")}">Why</a></li>
`,
    ),
  ];
  const more = all.length - causesMax;
  return html`<section id="causes" aria-labelledby="causes-title">
<h2 id="causes-title">Root causes</h2>
${
  all.length === 0
    ? html`<p class="empty">${isStale ? "There was no gap." : "There is no gap."}</p>`
    : html`<ul class="plain">
${all.slice(0, causesMax)}</ul>`
}${more > 0 && html`<p class="soft">… and ${counted(more, "other")}; reconcile status --format json lists every gap.</p>`}
${untraced > 0 && html`<p class="soft">${counted(untraced, "blocked gap")} of older dates ${untraced === 1 ? "was" : "were"} not followed to what ${untraced === 1 ? "it waits" : "they wait"} for; each cell's own page does.</p>`}
</section>`;
}

function causeItem(group: CauseGroup, query: PageQuery): Content {
  const { processor, state, dates } = group;
  const [first = "", last = first] = [dates[0], dates.at(-1)];
  const shown = pageHref(query, { processors: [processor], phases: [], states: [state], part: 1 });
  return html`<li><span class="glyph ${state}" aria-hidden="true">${stateGlyphs[state]}</span> <a href="${dates.length === 1 ? cellHref(processor, first) : shown}">${processor}</a> ${formatDates(dates)} ${state}: ${causeStanding(group)}. <a href="${cellHref(processor, last)}">Why</a></li>
`;
}
