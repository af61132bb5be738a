import type { Assessment } from "../../core/assessment.ts";
import { dateAt, type StateName } from "../../core/grid.ts";
import { addDays, type IsoDate, toDay } from "../../core/iso-date.ts";
import { formatCount } from "../../presentation/numbers.ts";
import { stateGlyphs, worstFirst } from "../../presentation/states.ts";
import { type Content, html, type Html } from "./html.ts";
import { pageHref, type PageQuery } from "./query.ts";
import { snapshotOf } from "./snapshot.ts";

/** The newest seasons that have a link of their own. */
const seasonsMax = 8;
const monthDays = 31;

interface Range {
  readonly title: string;
  readonly start: IsoDate | null;
  readonly end: IsoDate | null;
}

/** What narrows the grid: ranges to choose at once, a form for all else, and the states with their numbers. */
export function renderFilters(assessment: Assessment, query: PageQuery): Html {
  return html`<section id="filters" aria-label="What is shown">
${renderRanges(assessment, query)}
${renderForm(assessment, query)}
${renderLegend(assessment, query)}
</section>`;
}

function renderRanges(assessment: Assessment, query: PageQuery): Content {
  const links = rangesOf(assessment, query).map(({ title, start, end }) => {
    const isShown = start === query.start && end === query.end;
    return html`<li><a href="${pageHref(query, { start, end })}"${isShown && html` aria-current="true"`}>${title}</a></li>`;
  });
  return html`<nav aria-label="Range"><ul class="ranges">${links}</ul></nav>`;
}

function rangesOf({ grid }: Assessment, { start, end }: PageQuery): readonly Range[] {
  const today = dateAt(grid.axis, grid.selection.to);
  const first = dateAt(grid.axis, grid.selection.from);
  const shownStart = start ?? first;
  const shownEnd = end ?? today;
  const length = toDay(shownEnd) - toDay(shownStart) + 1;
  const isNarrowed = start !== null || end !== null;
  return [
    { title: "All history", start: null, end: null },
    ...seasonsOf(grid),
    { title: "Last year", start: addDays(today, -364), end: null },
    { title: "Last month", start: addDays(today, 1 - monthDays), end: null },
    ...(isNarrowed && shownStart > first
      ? [{ title: "← Earlier", start: addDays(shownStart, -length), end: addDays(shownEnd, -length) }]
      : []),
    ...(isNarrowed && shownEnd < today
      ? [{ title: "Later →", start: addDays(shownStart, length), end: addDays(shownEnd, length) }]
      : []),
  ];
}

/** Of the first schedule that names its seasons. */
function seasonsOf({ axis, schedules, selection }: Assessment["grid"]): readonly Range[] {
  for (const { positions, season, seasons } of schedules.values()) {
    if (!seasons.some(({ name }) => name !== "")) continue;
    const ends = new Map<number, number>();
    for (const position of positions)
      if (position <= selection.to) ends.set(season[position] ?? -1, position);
    return seasons
      .flatMap(({ name, startDay }, index): readonly Range[] => {
        const end = ends.get(index);
        return end === undefined
          ? []
          : [{ title: name, start: dateAt(axis, startDay - axis.first), end: dateAt(axis, end) }];
      })
      .slice(-seasonsMax);
  }
  return [];
}

function renderForm({ grid }: Assessment, query: PageQuery): Content {
  const { processors } = grid.pipeline;
  const phases = [...new Set(processors.flatMap(({ phase }) => phase ?? []))];
  return html`<form action="/" method="get" class="filters">
${select("phase", "Phase", phases, query.phases)}
${select(
  "processor",
  "Processor",
  processors.map(({ name }) => name),
  query.processors,
)}
${select(
  "state",
  "State",
  worstFirst.filter((state) => state !== "unscheduled"),
  query.states,
)}
<label>From <input type="date" name="start" value="${query.start ?? ""}"></label>
<label>To <input type="date" name="end" value="${query.end ?? ""}"></label>
<button>Show</button> <a href="/">Reset</a>
</form>`;
}

/** One value of its own, or all; several, as an address can name them, stay chosen as one entry. */
function select(name: string, title: string, values: readonly string[], chosen: readonly string[]): Content {
  const several = chosen.length > 1;
  return html`<label>${title} <select name="${name}">
<option value="">all</option>
${
  several &&
  html`<option value="${chosen[0] ?? ""}" selected>${chosen[0] ?? ""} (first of ${chosen.length})</option>
`
}${values.map(
  (value) => html`<option${!several && value === chosen[0] && html` selected`}>${value}</option>
`,
)}</select></label>`;
}

function renderLegend(assessment: Assessment, query: PageQuery): Content {
  const { states } = snapshotOf(assessment);
  const entries = worstFirst.flatMap((state) => {
    if (state === "unscheduled") return [];
    const count = states[state];
    return count === 0 ? [] : [legendEntry(state, count, query)];
  });
  return html`<ul class="legend" aria-label="Cells by state">${entries}</ul>`;
}

function legendEntry(state: StateName, count: number, query: PageQuery): Content {
  const isShown = query.states.length === 1 && query.states[0] === state;
  const href = pageHref(query, { states: isShown ? [] : [state], part: 1 });
  const meaning = isShown ? "shown alone; show all states" : "show only these";
  return html`<li><a href="${href}" title="${meaning}"${isShown && html` aria-current="true"`}><span class="glyph ${state}" aria-hidden="true">${stateGlyphs[state]}</span> <span id="count-${state}">${formatCount(count)}</span> ${state}</a></li>
`;
}
