import type { Assessment } from "../../core/assessment.ts";
import { dateAt } from "../../core/grid.ts";
import { addDays, type IsoDate, toDay } from "../../core/iso-date.ts";
import { counted, formatCount } from "../../presentation/numbers.ts";
import { stateGlyphs } from "../../presentation/states.ts";
import { headingRows } from "./grid-headings.ts";
import { type CellRun, type GridRow, type GridRows, rowsMax } from "./grid-rows.ts";
import { type Content, html, type Html } from "./html.ts";
import { cellHref, pageHref, type PageQuery } from "./query.ts";

/** Opening a run of dates shows at least so many of them, one by one. */
const zoomDays = 28;
/** The stylesheet has a least width of the table for each multiple of it. */
const widthStep = 15;

/** Processors, grouped by phase, by dates. Every cell is a link: to what is known of it, or closer to the dates it stands for. */
export function renderGridTable(assessment: Assessment, rows: GridRows, query: PageQuery): Html {
  const { axis } = assessment.grid;
  const { segments, datesPerColumn } = rows.columns;
  const columns = segments.reduce((sum, segment) => sum + segment.columns.length, 0);
  if (rows.rows.length === 0 || columns === 0) {
    return html`<p class="empty" id="grid">No cell fits these filters. <a href="/">Show everything</a></p>`;
  }
  const dates = segments.flatMap((segment) =>
    segment.columns.map(([position = 0]) => dateAt(axis, position)),
  );
  const headings = headingRows(axis, rows.columns, dates);
  const merged =
    datesPerColumn === 1 ? "a column is a date" : `a column is the worst of up to ${datesPerColumn} dates`;
  return html`<div id="grid">
<p class="caption" id="grid-caption">${dateAt(axis, rows.from)} to ${dateAt(axis, rows.to)}; ${merged}. <span class="keys">Arrow keys move between cells, Enter opens one.</span></p>
<div class="scroll" role="region" aria-labelledby="grid-caption" tabindex="0">
<table aria-labelledby="grid-caption" class="grid w${Math.ceil(columns / widthStep) * widthStep}">
<colgroup><col class="name"><col class="gaps"><col span="${columns}"></colgroup>
<thead>
${headings.map(
  (cells, index) =>
    html`<tr>${index === 0 && html`<th scope="col" rowspan="${headings.length}" class="name">Processor</th><th scope="col" rowspan="${headings.length}" class="gaps">Gaps</th>`}${cells}</tr>
`,
)}</thead>
${phases(rows.rows).map(
  ({ phase, own }) => html`<tbody>
<tr class="phase"><th scope="rowgroup" colspan="2">${phase === null ? "No phase" : `Phase ${phase}`}</th><td colspan="${columns}"></td></tr>
${own.map((row) => renderRow(assessment, row, query))}</tbody>
`,
)}</table>
</div>
${renderParts(rows, query)}</div>`;
}

function phases(
  rows: readonly GridRow[],
): readonly { readonly phase: string | null; readonly own: readonly GridRow[] }[] {
  const names = [...new Set(rows.map(({ processor }) => processor.phase))];
  return names.map((phase) => ({ phase, own: rows.filter(({ processor }) => processor.phase === phase) }));
}

function renderRow(assessment: Assessment, { processor, gaps, runs }: GridRow, query: PageQuery): Content {
  const href = pageHref(query, { processors: [processor.name], part: 1 });
  return html`<tr><th scope="row" class="name"><a href="${href}">${processor.name}</a></th><td class="gaps${gaps > 0 && " some"}">${formatCount(gaps)}</td>${runs.map((run) => renderRun(assessment, processor.name, run, query))}</tr>
`;
}

function renderRun({ grid }: Assessment, processor: string, run: CellRun, query: PageQuery): Content {
  const { state, work, span, isSeasonStart } = run;
  const spans = span > 1 && html` colspan="${span}"`;
  const season = isSeasonStart ? " first" : "";
  if (state === "unscheduled") return html`<td${isSeasonStart && html` class="first"`}${spans}></td>`;
  const [from, to] = [dateAt(grid.axis, run.from), dateAt(grid.axis, run.to)];
  const href =
    run.cells === 1 ? cellHref(processor, dateAt(grid.axis, run.cell)) : closerHref(query, from, to);
  return html`<td class="${state}${work !== null && ` ${work}`}${season}"${spans}><a href="${href}" aria-label="${labelOf(run, from, to)}">${stateGlyphs[state]}</a></td>`;
}

/** `missing, 2024-01-05`, or `missing, 3 of 17 dates from 2024-01-05 to 2024-01-28, a repair is running`. */
function labelOf({ state, work, cells, inState }: CellRun, from: IsoDate, to: IsoDate): string {
  const share = inState === cells ? counted(cells, "date") : `${inState} of ${counted(cells, "date")}`;
  const where = from === to ? from : `${share} from ${from} to ${to}`;
  const working = work === null ? "" : `, a repair is ${work}`;
  return `${state}, ${where}${working}`;
}

/** The same rows over the dates of a run, with what is around them where they are few. */
function closerHref(query: PageQuery, from: IsoDate, to: IsoDate): string {
  const missing = Math.max(0, zoomDays - (toDay(to) - toDay(from) + 1));
  return pageHref(query, {
    start: addDays(from, -Math.floor(missing / 2)),
    end: addDays(to, Math.ceil(missing / 2)),
  });
}

function renderParts({ part, parts, rowsInAll }: GridRows, query: PageQuery): Content {
  if (parts === 1) return null;
  const first = (part - 1) * rowsMax + 1;
  const last = Math.min(rowsInAll, part * rowsMax);
  return html`<nav class="parts" aria-label="Rows">${part > 1 && html`<a href="${pageHref(query, { part: part - 1 })}">Previous rows</a> `}Processors ${first} to ${last} of ${rowsInAll}${part < parts && html` <a href="${pageHref(query, { part: part + 1 })}">Next rows</a>`}</nav>`;
}
