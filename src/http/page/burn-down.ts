import { formatInstant } from "../../core/wall-clock.ts";
import { counted, formatCount } from "../../presentation/numbers.ts";
import type { LiveView } from "../../reconcile/ports/live-view.ts";
import { type Content, html, type Html } from "./html.ts";
import { snapshotOf } from "./snapshot.ts";

const width = 720;
const height = 160;
const left = 76;
const bottom = 24;
const top = 18;
const right = 8;
/** A line of more points looks no different. */
const pointsMax = 400;

/** Gaps at an instant; until the next one it is so many. */
export interface BurnDownPoint {
  readonly at: number;
  readonly gaps: number;
}

/**
 * How many gaps there were, oldest first: of each cycle on record, then after each repair since the last of them, then now.
 * Empty where nothing was looked at yet.
 */
export function burnDown({ sight, history, ended }: LiveView): readonly BurnDownPoint[] {
  if (sight === null) return [];
  const now = { at: sight.assessment.now, gaps: snapshotOf(sight.assessment).gaps };
  const cycles = history.filter(({ at }) => at <= now.at).map(({ at, gaps }) => ({ at, gaps }));
  const lastCycle = cycles.at(-1)?.at ?? -Infinity;
  const repaired: BurnDownPoint[] = [];
  let gaps = now.gaps;
  // Newest first: before a repair there were the gaps that it closed, too.
  for (const { endedAt, cells } of ended) {
    if (endedAt <= lastCycle || endedAt > now.at) continue;
    repaired.push({ at: endedAt, gaps });
    gaps += cells.filter(({ outcome }) => outcome === "repaired").length;
  }
  return thinned([...cycles, ...repaired.reverse(), now]);
}

function thinned(points: readonly BurnDownPoint[]): readonly BurnDownPoint[] {
  if (points.length <= pointsMax) return points;
  const step = (points.length - 1) / (pointsMax - 1);
  return Array.from({ length: pointsMax }, (_, index) => points[Math.round(index * step)]).filter(
    (point) => point !== undefined,
  );
}

/** The curve of the last seven days, as steps; in words for those who do not see it. */
export function renderBurnDown(view: LiveView): Html {
  const points = burnDown(view);
  const [first, last] = [points[0], points.at(-1)];
  return html`<section id="burn-down" aria-labelledby="burn-down-title">
<h2 id="burn-down-title">Gaps over the last 7 days</h2>
${
  first === undefined || last === undefined || first.at === last.at
    ? html`<p class="empty">There is no history yet: the first cycle on record begins the curve.</p>`
    : chart(points, first, last)
}
</section>`;
}

function chart(points: readonly BurnDownPoint[], first: BurnDownPoint, last: BurnDownPoint): Content {
  const most = Math.max(1, ...points.map(({ gaps }) => gaps));
  const x = (at: number) => round(left + ((at - first.at) / (last.at - first.at)) * (width - left - right));
  const y = (gaps: number) => round(top + (1 - gaps / most) * (height - top - bottom));
  const line = points
    .map(({ at, gaps }, index) => (index === 0 ? `M${x(at)} ${y(gaps)}` : `H${x(at)}V${y(gaps)}`))
    .join("");
  const words = `From ${counted(first.gaps, "gap")} at ${formatInstant(first.at)} to ${formatCount(last.gaps)} at ${formatInstant(last.at)}; at most ${formatCount(most)}.`;
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${words}">
<path class="axis" d="M${left} ${top}V${height - bottom}H${width - right}"/>
<path class="area" d="${line}V${y(0)}H${left}Z"/>
<path class="line" d="${line}"/>
<text class="y" x="${left - 6}" y="${y(most) + 4}">${formatCount(most)}</text>
<text class="y" x="${left - 6}" y="${y(0) + 4}">0</text>
<text x="${left}" y="${height - 6}">${shortInstant(first.at)}</text>
<text class="end" x="${width - right}" y="${height - 6}">${shortInstant(last.at)}</text>
</svg>
<p class="soft">${words}</p>`;
}

/** `2024-01-31 06:00 UTC`. */
function shortInstant(at: number): string {
  return `${formatInstant(at).slice(0, 16).replace("T", " ")} UTC`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
