import type { ExplainedCell, ExplainedEdge, ExplainedRun, Explanation } from "../../core/explain.ts";
import { harmless, harmlessLine } from "../../presentation/harmless.ts";
import { edgeWords } from "../../presentation/edge-words.ts";
import { counted, formatDates, formatSeconds } from "../../presentation/numbers.ts";
import { stateGlyphs } from "../../presentation/states.ts";
import { dispositionText, reasonText } from "../../presentation/words.ts";
import type { AttemptDocument, CellDocument } from "../../reconcile/ports/cell-document.ts";
import { type Content, html, type Html } from "./html.ts";
import { cellHref, pageHref, parsePageQuery } from "./query.ts";

const attemptsMax = 10;
const runsMax = 5;
const logLinesMax = 20;

/** Everything that is known of one cell, in the order of `reconcile explain`: what it is, why, and what happens next. */
export function renderCell(cell: CellDocument): Html {
  const { upstreams, root_causes: roots, run_history: history } = cell;
  return html`<article id="cell">
${renderVerdict(cell)}
${section("Next", html`<p>${nextText(cell)}</p>`)}
${section("Root causes", roots.length > 0 && html`<ul class="plain">${roots.map(cellItem)}</ul>`)}
${section("Expected", html`<ul>${cell.expected.map((line) => html`<li>${line}</li>`)}${dueItem(cell.due_at)}</ul>`)}
${section("Seen", renderSeen(cell))}
${section("Checks", renderChecks(cell))}
${section("Reads", upstreams.length > 0 && html`<ul class="plain">${upstreams.map(renderEdge)}</ul>`)}
${section("Waivers", renderWaivers(cell))}
${section("Attempts", renderAttempts(cell.attempts))}
${section("Runs elsewhere", history !== null && renderRuns(history.runs, history.failure))}
</article>`;
}

function section(title: string, content: Content): Content {
  return (
    content !== false &&
    html`<section aria-label="${title}"><h2>${title}</h2>
${content}
</section>`
  );
}

function renderVerdict(explanation: Explanation): Content {
  const { processor, date, phase, table, state, disposition, reason, degraded, attempts_max } = explanation;
  const words = [
    disposition === "none" ? reasonText(reason) : dispositionText(disposition, reason, attempts_max),
    degraded ? "made from less than all of its inputs" : "",
  ].filter((part) => part !== "");
  const around = parsePageQuery(new URLSearchParams({ processor }));
  return html`<h1><a href="${pageHref(around)}">${processor}</a> on ${date}</h1>
<p class="verdict cell-${state}"><span class="glyph ${state}" aria-hidden="true">${stateGlyphs[state]}</span> ${[state, ...words].join("; ")}</p>
<p class="soft">${table}${phase !== null && `, phase ${phase}`}</p>`;
}

function nextText({ next, next_at: at }: Explanation): string {
  return at === null || next.includes(at) ? next : `${next} (${at})`;
}

function renderSeen({ observed, failure, sql }: CellDocument): Content {
  const query =
    sql !== null &&
    html`<details><summary>The query that sees it</summary><pre tabindex="0">${harmless(sql).trim()}</pre></details>`;
  if (failure !== null) {
    return [
      html`<p class="bad">Nothing: the query failed: ${failure.code.replace("_", " ")}: ${harmlessLine(failure.message)}</p>`,
      query,
    ];
  }
  if (observed === null) return query;
  const { rows, entities, first_write: first, last_write: last } = observed;
  const parts = [counted(rows, "row")];
  if (entities !== null) parts.push(counted(entities, "distinct key"));
  if (first !== null && last !== null)
    parts.push(first === last ? `written ${first}` : `written ${first} to ${last}`);
  return [html`<p>${parts.join(", ")}</p>`, query];
}

function renderChecks({ checks }: Explanation): Content {
  if (checks.length === 0) return false;
  return html`<ul class="plain">${checks.map(({ name, holds, observed, expected }) =>
    marked(
      holds,
      harmlessLine(holds ? `${name}: ${observed}` : `${name}: expected ${expected}, found ${observed}`),
    ),
  )}</ul>`;
}

function dueItem(dueAt: string | null): Content {
  if (dueAt === null) return html`<li>due when the last date that it reads is known</li>`;
  return html`<li>due <time datetime="${dueAt}">${dueAt}</time></li>`;
}

function renderEdge(edge: ExplainedEdge): Content {
  const { mark, text } = edgeWords(edge);
  if (mark === null) return html`<li>${text}</li>`;
  const { blocked_by: blockers } = edge;
  return marked(mark === "satisfied", [
    text,
    blockers.length > 0 && html`<ul class="plain">${blockers.map(cellItem)}</ul>`,
  ]);
}

function cellItem({ processor, date, state, disposition, reason }: ExplainedCell): Content {
  const words =
    disposition === "none"
      ? reasonText(reason)
      : reason === "attempts_used_up"
        ? "quarantined: its attempts are used up"
        : dispositionText(disposition, reason, 0);
  return html`<li><span class="glyph ${state}" aria-hidden="true">${stateGlyphs[state]}</span> <a href="${cellHref(processor, date)}">${processor} ${date}</a> ${state}${words !== "" && `, ${words}`}</li>
`;
}

function renderWaivers({ waivers }: Explanation): Content {
  if (waivers.length === 0) return false;
  return html`<ul>${waivers.map(({ owner, reason, expires, source }) => {
    const until = expires === null ? "for ever" : `until ${expires}`;
    return html`<li>by ${harmlessLine(owner)} ${until}, ${source === "config" ? "in the config" : "by a person's decision"}: ${harmlessLine(reason)}</li>`;
  })}</ul>`;
}

/** Newest first; the log of each is a click away. */
function renderAttempts(attempts: readonly AttemptDocument[]): Content {
  if (attempts.length === 0) return html`<p class="empty">None on record.</p>`;
  const shown = attempts.slice(-attemptsMax).toReversed();
  const hidden = attempts.length - shown.length;
  return [
    html`<ol class="plain">${shown.map(renderAttempt)}</ol>`,
    hidden > 0 &&
      html`<p class="soft">… and ${counted(hidden, "earlier one")}; reconcile explain --format json has all of them.</p>`,
  ];
}

function renderAttempt(attempt: AttemptDocument, index: number): Content {
  const { outcome, charged, dates, started_at: start, ended_at: end, message } = attempt;
  const notCounted = charged || outcome === "repaired" ? "" : " (not counted)";
  const range = dates.length > 1 ? `, with ${formatDates(dates)}` : "";
  const took = formatSeconds((Date.parse(end) - Date.parse(start)) / 1000);
  const why = [attempt.error_code, message === null ? null : harmlessLine(message)]
    .filter((part) => part !== null)
    .join(": ");
  const log = harmless(attempt.log_tail ?? "").trim();
  return marked(outcome === "repaired", [
    html`<time datetime="${start}">${start}</time> attempt ${attempt.attempt}: ${outcome.replaceAll("_", " ")}${notCounted} after ${took}${range}`,
    why !== "" && html`<br><span class="soft">${why}</span>`,
    log !== "" &&
      html`<details${index === 0 && html` open`}><summary>The end of its log</summary><pre tabindex="0">${log.split("\n").slice(-logLinesMax).join("\n")}</pre></details>`,
  ]);
}

function renderRuns(
  runs: readonly ExplainedRun[],
  failure: { readonly code: string; readonly message: string } | null,
): Content {
  return [
    failure !== null &&
      html`<p class="bad">The run history could not be read: ${failure.code.replace("_", " ")}: ${harmlessLine(failure.message)}</p>`,
    runs.length === 0
      ? failure === null && html`<p class="empty">None on record.</p>`
      : html`<ul>${runs.slice(0, runsMax).map(renderRun)}</ul>`,
  ];
}

function renderRun({ run_id: id, status, started_at: start, ended_at: end, error }: ExplainedRun): Content {
  return html`<li>${start} ${harmlessLine(status)}${id !== null && ` (run ${harmlessLine(id)})`}${end !== null && `, ended ${end}`}${
    error !== null && error.trim() !== "" && html`<pre tabindex="0">${harmless(error).trim()}</pre>`
  }</li>`;
}

function marked(good: boolean, content: Content): Content {
  return html`<li><span class="mark ${good ? "good" : "bad"}" role="img" aria-label="${good ? "good" : "not good"}">${good ? "✓" : "✗"}</span> ${content}</li>
`;
}
