import { assertNever } from "../../errors.ts";
import { formatBytes, formatCount, formatSeconds, formatUsd } from "../../presentation/numbers.ts";
import type { LiveSight, LiveView } from "../../reconcile/ports/live-view.ts";
import { type Content, html, type Html } from "./html.ts";
import { snapshotOf } from "./snapshot.ts";
import { renderInstant } from "./tables.ts";

/** The one thing that the page says first. What is not known for sure now is never told as if it were. */
type Verdict =
  | { readonly kind: "unseen" }
  | { readonly kind: "stale"; readonly wasConverged: boolean; readonly ageMs: number }
  | { readonly kind: "converged" }
  | { readonly kind: "not_converged" };

/** Verdict and key figures: all that a glance should need. */
export function renderStatus(view: LiveView): Html {
  return html`<section id="status" aria-label="Status">
${renderVerdict(verdictOf(view))}
<dl class="facts">
${view.sight !== null && renderCounts(view.sight)}${renderScan(view)}${renderDaemon(view)}${view.sight !== null && renderAge(view.sight)}</dl>
</section>`;
}

function verdictOf({ sight }: LiveView): Verdict {
  if (sight === null) return { kind: "unseen" };
  const { converged } = snapshotOf(sight.assessment);
  if (sight.isStale) return { kind: "stale", wasConverged: converged, ageMs: sight.ageMs };
  return { kind: converged ? "converged" : "not_converged" };
}

function renderVerdict(verdict: Verdict): Content {
  switch (verdict.kind) {
    case "unseen":
      return html`<h1 class="verdict unseen"><span aria-hidden="true">?</span> Nothing is known yet: the first look has not ended</h1>`;
    case "stale":
      return html`<h1 class="verdict stale"><span aria-hidden="true">?</span> Unknown now: it was ${verdict.wasConverged ? "converged" : "not converged"} <span data-age-ms="${verdict.ageMs}">${formatSeconds(Math.round(verdict.ageMs / 1000))}</span> ago</h1>`;
    case "converged":
      return html`<h1 class="verdict converged"><span aria-hidden="true">✓</span> Converged</h1>`;
    case "not_converged":
      return html`<h1 class="verdict not-converged"><span aria-hidden="true">✗</span> Not converged</h1>`;
    default:
      return assertNever(verdict, "verdict");
  }
}

function renderCounts({ assessment, secondsToConvergence, isStale }: LiveSight): Content {
  const { gaps, states, causes } = snapshotOf(assessment);
  const rootCauses = causes.gaps.length + causes.outside.length;
  return [
    fact("Gaps", formatCount(gaps), "gaps"),
    fact("Root causes", formatCount(rootCauses), "root-causes"),
    fact("Not observed", formatCount(states.unknown), "unknown"),
    fact("Complete", formatCount(states.complete + states.stale), "complete"),
    fact("To convergence", isStale ? "not known now" : timeLeft(secondsToConvergence, gaps), "time-left"),
  ];
}

function timeLeft(seconds: number | null, gaps: number): string {
  if (seconds === null) return "nobody can tell";
  if (seconds > 0) return `about ${formatSeconds(seconds)}`;
  return gaps === 0 ? "nothing left" : "waits for a person";
}

function renderScan({ scan }: LiveView): Content {
  const { bytesLast24h, bytesPerDayMax, pricePerTibUsd } = scan;
  if (pricePerTibUsd === null) return fact("Cost of 24 hours", "nothing is billed", "cost");
  if (bytesLast24h === null) return fact("Cost of 24 hours", "not known yet", "cost");
  const limit = bytesPerDayMax === null ? "" : ` of ${formatBytes(bytesPerDayMax)}`;
  const usd = formatUsd((bytesLast24h / 2 ** 40) * pricePerTibUsd);
  return fact("Cost of 24 hours", `${usd} (${formatBytes(bytesLast24h)}${limit})`, "cost");
}

function renderDaemon({ isLeading, isStopping, mode, role, worker }: LiveView): Content {
  const planner = isLeading ? "this process" : "another process";
  const words = [
    mode === "observe" ? "only observes" : "",
    role === "all" ? "" : `this one is a ${role}`,
    isStopping ? "stopping" : "",
  ].filter((part) => part !== "");
  const more = words.length === 0 ? "" : `; ${words.join("; ")}`;
  return fact("Plans", html`<span title="this process is ${worker}">${planner}${more}</span>`, "planner");
}

function renderAge({ ageMs, lookedAt }: LiveSight): Content {
  const age = html`<span data-age-ms="${ageMs}">${formatSeconds(Math.round(ageMs / 1000))}</span>`;
  return fact("Last full look", html`${age} ago ${renderInstant(lookedAt)}`, "age");
}

function fact(title: string, value: Content, id: string): Content {
  return html`<div><dt>${title}</dt><dd id="fact-${id}">${value}</dd></div>
`;
}
