import type { Assessment } from "../../core/assessment.ts";
import type { IsoDate } from "../../core/iso-date.ts";
import { type Content, html, type Html } from "./html.ts";

export interface ActionsInput {
  readonly hasActions: boolean;
  /** What the form is filled with. */
  readonly chosen: readonly string[];
  readonly start: IsoDate | null;
  readonly end: IsoDate | null;
}

/** What a person may decide, in the order of how often it is needed. */
const actions: readonly (readonly [name: string, title: string])[] = [
  ["reconcile", "Look again now"],
  ["retry", "Retry: give up no longer"],
  ["waive", "Waive: these cells will not be filled"],
  ["unwaive", "Take a waiver back"],
  ["release", "Release: close the circuit of a repair"],
  ["accept", "Accept: what is seen is right"],
  ["pause", "Pause repairs"],
  ["resume", "Resume what is paused"],
  ["cancel", "Cancel running repairs"],
];

/** A form that first says what it would do. It needs the script, as the token must never get into an address or a cookie. */
export function renderActions({ grid }: Assessment, input: ActionsInput): Html {
  return html`<section id="actions" aria-labelledby="actions-title">
<h2 id="actions-title">Actions</h2>
${
  input.hasActions
    ? renderForm(
        grid.pipeline.processors.map(({ name }) => name),
        input,
      )
    : html`<p class="empty">Switched off: the daemon has no token configured (http.token_file). People decide with reconcile retry, waive, release, accept, pause and cancel.</p>`
}
</section>`;
}

function renderForm(processors: readonly string[], { chosen, start, end }: ActionsInput): Content {
  return html`<noscript><p>The page needs its script for this; the commands reconcile retry, waive, release, accept, pause and cancel do the same.</p></noscript>
<form id="action-form" class="actions" hidden>
<label>Action <select name="action">${actions.map(([name, title]) => html`<option value="${name}">${title}</option>`)}</select></label>
<label data-for="retry waive unwaive release accept pause resume cancel">Processors (none chosen: all) <select name="processors" multiple size="5">${processors.map(
    (name) => html`<option${chosen.includes(name) && html` selected`}>${name}</option>`,
  )}</select></label>
<label data-for="retry waive unwaive pause resume cancel">From <input type="date" name="start_date" value="${start ?? ""}"></label>
<label data-for="retry waive unwaive pause resume cancel">To <input type="date" name="end_date" value="${end ?? ""}"></label>
<label data-for="retry waive unwaive release accept pause resume cancel">Who you are <input name="actor" autocomplete="username" maxlength="200" required></label>
<label data-for="retry waive unwaive release accept pause resume cancel">Reason <input name="reason" maxlength="2000"></label>
<label data-for="waive">Owner <input name="owner" maxlength="200"></label>
<label data-for="waive">Expires <input type="date" name="expires"></label>
<label data-for="waive">What depends on them <select name="downstream"><option value="exempt">is exempt too</option><option value="proceed">runs on what there is</option></select></label>
<label>Token <input type="password" name="token" autocomplete="off" required></label>
<button name="preview">Show what it would do</button>
<div id="action-result" role="status" aria-live="polite"></div>
</form>`;
}
