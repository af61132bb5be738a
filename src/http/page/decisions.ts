import type { Decision } from "../../core/ledger-records.ts";
import { html, type Html } from "./html.ts";
import { renderInstant, renderTable } from "./tables.ts";

const decisionsMax = 20;

/** What people decided, newest first. */
export function renderDecisions(decisions: readonly Decision[]): Html {
  return html`<section id="decisions" aria-labelledby="decisions-title">
<h2 id="decisions-title">Decisions</h2>
${
  decisions.length === 0
    ? html`<p class="empty">Nobody has decided anything.</p>`
    : renderTable(
        ["When", "Who", "What", "Cells", "Reason"],
        decisions
          .slice(0, decisionsMax)
          .map(({ at, actor, kind, processors, startDate, endDate, reason }) => [
            renderInstant(at),
            actor,
            kind,
            `${processors === null ? "every processor" : processors.join(", ")}${startDate === null && endDate === null ? "" : ` ${startDate ?? "…"} to ${endDate ?? "…"}`}`,
            reason,
          ]),
        decisions.length - decisionsMax,
      )
}
</section>`;
}
