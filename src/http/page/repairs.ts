import { harmlessLine } from "../../presentation/harmless.ts";
import { formatCount, formatDates, formatSeconds } from "../../presentation/numbers.ts";
import type { EndedRepair, LiveView } from "../../reconcile/ports/live-view.ts";
import { type Content, html, type Html } from "./html.ts";
import { cellHref } from "./query.ts";
import { renderInstant, renderTable } from "./tables.ts";

const runningMax = 30;
const queuedMax = 20;
const endedMax = 30;
const messageMax = 200;

/** Repairs that run, wait and have ended, each list cut to what can be read. */
export function renderRepairs(view: LiveView): Html {
  const waiting = view.queued.filter((job) => job.state === "queued");
  return html`<section id="repairs" aria-labelledby="repairs-title">
<h2 id="repairs-title">Repairs</h2>
<h3>Running: <span id="count-running">${formatCount(view.running.length)}</span></h3>
${renderTable(
  ["Repair", "Dates", "Attempt", "Started", "Not after"],
  view.running
    .slice(0, runningMax)
    .map(({ repair, processors, dates, attempt, startedAt, deadlineAt }) => [
      repair,
      datesLink(processors[0] ?? repair, dates),
      formatCount(attempt),
      renderInstant(startedAt),
      renderInstant(deadlineAt),
    ]),
  view.running.length - runningMax,
)}
<h3>Queued: <span id="count-queued">${formatCount(waiting.length)}</span></h3>
${renderTable(
  ["Repair", "Dates", "Attempt", "Since", "Why"],
  waiting
    .slice(0, queuedMax)
    .map(({ repair, dates, attempt, reason, queuedAt }) => [
      repair,
      formatDates(dates),
      formatCount(attempt),
      renderInstant(queuedAt),
      reason,
    ]),
  waiting.length - queuedMax,
)}
<h3>Done${view.ended.length > 0 && `: the last ${formatCount(Math.min(endedMax, view.ended.length))}`}</h3>
${renderTable(["Repair", "Dates", "Outcome", "Ended", "Took"], view.ended.slice(0, endedMax).map(endedCells), 0)}
</section>`;
}

function endedCells({
  repair,
  processors,
  dates,
  outcome,
  endedAt,
  startedAt,
  errorCode,
  message,
}: EndedRepair): readonly Content[] {
  const why = [errorCode, message === null ? null : harmlessLine(message)]
    .filter((part) => part !== null)
    .join(": ");
  return [
    repair,
    dates.length === 0 ? "" : datesLink(processors[0] ?? repair, dates),
    html`<span class="outcome ${outcome === "repaired" || outcome === "skipped" ? "good" : "bad"}">${outcome.replaceAll("_", " ")}</span>${why !== "" && html` <span class="soft">${cut(why)}</span>`}`,
    renderInstant(endedAt),
    formatSeconds((endedAt - startedAt) / 1000),
  ];
}

function datesLink(processor: string, dates: readonly string[]): Content {
  return html`<a href="${cellHref(processor, dates[0] ?? "")}">${formatDates(dates)}</a>`;
}

function cut(text: string): string {
  return text.length <= messageMax ? text : `${text.slice(0, messageMax)}…`;
}
