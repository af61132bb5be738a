import type { Assessment } from "../../core/assessment.ts";
import { breakersOf, scheduleChangesOf } from "../../core/breaker-document.ts";
import { fromDay } from "../../core/iso-date.ts";
import { strayRowsDocuments, strayScheduleRowsDocuments } from "../../core/result-document.ts";
import { formatInstant } from "../../core/wall-clock.ts";
import { harmlessLine } from "../../presentation/harmless.ts";
import { counted, formatDates, formatSeconds } from "../../presentation/numbers.ts";
import { scheduleChangeTexts } from "../../presentation/schedule-changes.ts";
import { strayScheduleTexts, strayTexts } from "../../presentation/stray-rows.ts";
import type { LiveFailure, LiveSight, LiveView } from "../../reconcile/ports/live-view.ts";
import { type Content, html, type Html } from "./html.ts";
import { cellHref } from "./query.ts";
import { snapshotOf, type UnknownGroup } from "./snapshot.ts";
import { renderInstant } from "./tables.ts";

/** Tables of which nothing could be seen are named up to so many. */
const unknownMax = 10;
const staleRunsMax = 5;
const straysMax = 5;

/** Whatever keeps the page from telling the truth, or the product from doing its work; nothing where all is well. */
export function renderNotices(view: LiveView, problems: readonly string[]): Html {
  const notices = [
    ...problems.map((text) => notice("This address was not understood in all", text)),
    stale(view.sight),
    failure("The last look failed", view.cycleFailure),
    failure("Nothing new is begun", view.degraded),
    failure("Repairs wait, as warehouse or ledger failed", view.repairFailure),
    ...sightNotices(view),
  ];
  return html`<section id="notices" aria-label="Problems" aria-live="polite">${notices}</section>`;
}

function stale(sight: LiveSight | null): Content {
  if (sight?.isStale !== true) return null;
  const age = html`<span data-age-ms="${sight.ageMs}">${formatSeconds(Math.round(sight.ageMs / 1000))}</span>`;
  return notice(html`What is shown is ${age} old and may have changed since`, null);
}

function failure(title: string, of: LiveFailure | null): Content {
  if (of === null) return null;
  const since = formatInstant(of.since);
  return notice(
    title,
    html`<code>${of.code}</code> since <time datetime="${since}">${since}</time>: ${harmlessLine(of.message)}`,
    of.hint,
  );
}

function sightNotices({ sight }: LiveView): readonly Content[] {
  if (sight === null) return [];
  const { assessment } = sight;
  const history = assessment.sight.runHistory?.failure ?? null;
  const { stale: staleRuns } = assessment.elsewhere;
  return [
    ...breakersOf(assessment).map(({ kind, subject, message }) =>
      notice(`Stopped by a safety: ${kind.replace("_", " ")} of ${subject}`, harmlessLine(message)),
    ),
    ...scheduleChangeTexts(scheduleChangesOf(assessment)).map((text) => notice("Schedule changed", text)),
    ...unknownNotices(snapshotOf(assessment).unknown),
    history !== null &&
      notice(
        "The run history could not be read, so that runs elsewhere may be doubled",
        `${history.code}: ${harmlessLine(history.message)}`,
      ),
    staleRuns.length > 0 &&
      notice(
        "Running for longer than they may, as the run history says: taken for dead",
        renderStaleRuns(assessment),
      ),
    strayNotice(assessment),
    ...strayScheduleTexts(strayScheduleRowsDocuments(assessment)).map((text) =>
      notice("Rows of a schedule that are no dates", text),
    ),
  ];
}

function strayNotice(assessment: Assessment): Content {
  const strays = strayRowsDocuments(assessment, assessment.grid.pipeline.processors);
  if (strays.length === 0) return null;
  const shown = strays
    .slice(0, straysMax)
    .map((stray) => `${stray.processor}: ${strayTexts(stray).join(", ")}`);
  const more = strays.length - shown.length;
  const rest = more > 0 ? [`and ${counted(more, "other table")}`] : [];
  return notice("Rows that stand in no cell", [...shown, ...rest].join("; "));
}

function renderStaleRuns({ elsewhere, grid }: Assessment): Content {
  const shown = elsewhere.stale.slice(0, staleRunsMax).map(({ processor, day, startedAt }, index) => {
    const { name = "" } = grid.pipeline.processors[processor] ?? {};
    const date = fromDay(day);
    return [
      index > 0 && ", ",
      html`<a href="${cellHref(name, date)}">${name} ${date}</a> since `,
      renderInstant(startedAt),
    ];
  });
  const more = elsewhere.stale.length - shown.length;
  return [shown, more > 0 && ` and ${counted(more, "other")}`];
}

/** One for each table and reason, as a query fails for all of its dates at once. */
function unknownNotices(all: readonly UnknownGroup[]): readonly Content[] {
  const shown = all
    .slice(0, unknownMax)
    .map(({ processor, dates, code, message }) =>
      notice(
        html`<a href="${cellHref(processor, dates[0] ?? "")}">${processor}</a> could not be observed: ${formatDates(dates)}`,
        `${code.replace("_", " ")}: ${harmlessLine(message)}`,
      ),
    );
  const more = all.length - shown.length;
  return more > 0
    ? [...shown, notice(`${counted(more, "other query", "other queries")} failed`, null)]
    : shown;
}

function notice(title: Content, text: Content, hint: string | null = null): Content {
  return html`<div class="notice"><strong>${title}</strong>${text !== null && html`<p>${text}</p>`}${hint !== null && html`<p class="hint">${hint}</p>`}</div>
`;
}
