import { formatInstant } from "../../core/wall-clock.ts";
import { counted } from "../../presentation/numbers.ts";
import { type Content, html } from "./html.ts";

/** @param hidden rows that are left out, which is told below; none where it is not above 0 */
export function renderTable(
  titles: readonly string[],
  rows: readonly (readonly Content[])[],
  hidden: number,
): Content {
  if (rows.length === 0) return html`<p class="empty">None.</p>`;
  return html`<div class="scroll" role="region" aria-label="${titles.join(", ")}" tabindex="0"><table class="list">
<thead><tr>${titles.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
)}</tbody>
</table></div>${hidden > 0 && html`<p class="soft">… and ${counted(hidden, "other")}.</p>`}`;
}

/** An instant in UTC, to the second. */
export function renderInstant(at: number): Content {
  const text = formatInstant(Math.floor(at / 1000) * 1000);
  return html`<time datetime="${text}">${text}</time>`;
}
