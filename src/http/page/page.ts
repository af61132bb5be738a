import { formatInstant } from "../../core/wall-clock.ts";
import { counted, formatCount } from "../../presentation/numbers.ts";
import type { CellDocument } from "../../reconcile/ports/cell-document.ts";
import type { LivePlan, LiveView } from "../../reconcile/ports/live-view.ts";
import { renderActions } from "./actions.ts";
import type { PageAssets } from "./assets.ts";
import { renderBurnDown } from "./burn-down.ts";
import { renderCell } from "./cell.ts";
import { renderDecisions } from "./decisions.ts";
import { renderFilters } from "./filters.ts";
import { gridRows } from "./grid-rows.ts";
import { renderGridTable } from "./grid-table.ts";
import { type Content, html } from "./html.ts";
import { renderLayout } from "./layout.ts";
import { renderNotices } from "./notices.ts";
import { renderPlan } from "./plan.ts";
import type { PageQuery } from "./query.ts";
import { renderRepairs } from "./repairs.ts";
import { renderRootCauses } from "./root-causes.ts";
import { snapshotOf } from "./snapshot.ts";
import { renderStatus } from "./status.ts";

export interface PageOptions {
  readonly assets: PageAssets;
  /** Whether people may decide by the page: only where a token is configured. */
  readonly hasActions: boolean;
}

/** The status page: everything that a daemon knows at this moment, narrowed as the address says. Yields between its parts. */
export function* renderPage(
  { view, plan }: { readonly view: LiveView; readonly plan: LivePlan },
  query: PageQuery,
  options: PageOptions,
): Generator<undefined, string> {
  const { sight } = view;
  const rows = sight === null ? null : gridRows(sight.assessment, query);
  yield;
  const problems = [
    ...query.problems,
    ...(rows?.unknownNames ?? []).map((name) => `there is no processor or phase "${name}"`),
  ];
  const content: Content[] = [renderStatus(view), renderNotices(view, problems)];
  yield;
  if (sight !== null && rows !== null) {
    content.push(renderFilters(sight.assessment, query), renderGridTable(sight.assessment, rows, query));
    yield;
    content.push(renderRootCauses(sight, query));
    yield;
  }
  content.push(renderBurnDown(view));
  // The record is read by the first look: empty lists would say that nothing runs.
  if (sight !== null) {
    content.push(renderRepairs(view));
    yield;
    content.push(renderPlan(sight, plan));
    yield;
  }
  content.push(renderDecisions(view.decisions));
  if (sight !== null) {
    const { processors: chosen, start, end } = query;
    content.push(renderActions(sight.assessment, { hasActions: options.hasActions, chosen, start, end }));
  }
  return layout(view, titleOf(view), content, options);
}

/** What is known of one cell, as a page of its own. Its notices are about the whole grid. Yields between its parts. */
export function* renderCellPage(
  view: LiveView,
  cell: CellDocument,
  options: PageOptions,
): Generator<undefined, string> {
  const { processor, date, state } = cell;
  const notices = renderNotices(view, []);
  yield;
  const content: Content = [
    notices,
    renderCell(cell),
    view.sight !== null &&
      renderActions(view.sight.assessment, {
        hasActions: options.hasActions,
        chosen: [processor],
        start: date,
        end: date,
      }),
  ];
  // A tab that nobody looks at has only its title.
  const standing = view.sight?.isStale === true ? `unknown now, was ${state}` : state;
  return layout(view, `${standing}: ${processor} ${date}`, content, options);
}

/** The answer to an address that names nothing, or whose answer could not be found out. */
export function renderProblemPage(
  view: LiveView,
  problem: { readonly message: string; readonly hint: string | null },
  options: PageOptions,
): string {
  const content = html`<article id="problem">
<h1>${problem.message}</h1>
${problem.hint !== null && html`<p>${problem.hint}</p>`}
<p><a href="/">Show the grid</a></p>
</article>`;
  return layout(view, problem.message, content, options);
}

function layout(view: LiveView, title: string, content: Content, { assets }: PageOptions): string {
  const { pipeline, target, revision, sight } = view;
  const isStale = sight?.isStale ?? false;
  return renderLayout({
    title: `${title} · ${pipeline}`,
    pipeline,
    target,
    revision,
    isStale,
    assets,
    content,
  });
}

/** What a tab says that nobody looks at. */
function titleOf({ sight }: LiveView): string {
  if (sight === null) return "not known yet";
  const { converged, gaps, states } = snapshotOf(sight.assessment);
  if (sight.isStale) return `unknown since ${formatInstant(sight.lookedAt)}`;
  if (converged) return "converged";
  const unknown = states.unknown === 0 ? "" : `, ${formatCount(states.unknown)} unknown`;
  return `${counted(gaps, "gap")}${unknown}`;
}
