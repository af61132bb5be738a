// What people decide: first the daemon says in words what it would do, and only a second press does it. The token is kept in
// this tab (sessionStorage) and sent in a header; it never gets into an address, a cookie or the page that is fetched.

const tokenKey = "gap-reconciler-token";
const answerMs = 30_000;
const touchedMax = 20;
const paths = { waive: "waivers" };

/** What the last preview was for; a press on the other button sends exactly this. */
let previewed = null;

function prepare() {
  const form = document.getElementById("action-form");
  if (form === null || !form.hidden) return;
  form.hidden = false;
  form.elements.token.value = sessionStorage.getItem(tokenKey) ?? "";
  showFields(form);
  form.addEventListener("input", ({ target }) => {
    if (target.name === "action") showFields(form);
    forget(form);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void preview(form);
  });
}

/** Only what the chosen action takes. */
function showFields(form) {
  const action = form.elements.action.value;
  for (const label of form.querySelectorAll("label[data-for]")) {
    label.hidden = !label.dataset.for.split(" ").includes(action);
    // Or the browser would ask for what nobody can see.
    label.querySelector("[name]").disabled = label.hidden;
  }
}

/** A preview of something else must not be confirmed. */
function forget(form) {
  previewed = null;
  form.querySelector("#action-result").replaceChildren();
}

function requestOf(form) {
  const { action, processors, token } = form.elements;
  const body = {};
  for (const label of form.querySelectorAll("label:not([hidden])")) {
    const field = label.querySelector("[name]");
    if (["action", "processors", "token"].includes(field.name) || field.value.trim() === "") continue;
    body[field.name] = field.value.trim();
  }
  const chosen = [...processors.selectedOptions].map(({ value }) => value);
  const isAboutCells = !processors.closest("label").hidden;
  if (isAboutCells && chosen.length > 0) body.processors = chosen;
  // The daemon takes a request for everything only where it says so; the preview tells how much that is.
  else if (isAboutCells && body.start_date === undefined && body.end_date === undefined) body.all = true;
  sessionStorage.setItem(tokenKey, token.value);
  return {
    path: `/api/v1/${paths[action.value] ?? action.value}`,
    token: token.value,
    body,
    title: titleOf(action),
  };
}

function titleOf(action) {
  return action.selectedOptions[0]?.textContent ?? "";
}

async function preview(form) {
  forget(form);
  const request = requestOf(form);
  const result = form.querySelector("#action-result");
  result.replaceChildren(paragraph("Asking…"));
  const answer = await send(request, { ...request.body, dry_run: true }, null);
  if (answer.problem !== null) {
    result.replaceChildren(...problemParagraphs(answer.problem));
    return;
  }
  const confirm = document.createElement("button");
  confirm.type = "button";
  confirm.className = "danger";
  confirm.textContent = `Do it: ${request.title}`;
  // The same key with each press: what was done already is not done twice.
  previewed = { request, key: randomKey() };
  confirm.addEventListener("click", () => void decide(form, confirm));
  result.replaceChildren(...previewParagraphs(answer.document), confirm);
}

async function decide(form, confirm) {
  if (previewed === null) return;
  const { request, key } = previewed;
  confirm.disabled = true;
  const answer = await send(request, request.body, key);
  const result = form.querySelector("#action-result");
  if (answer.problem !== null) {
    confirm.disabled = false;
    result.replaceChildren(...problemParagraphs(answer.problem), confirm);
    return;
  }
  previewed = null;
  result.replaceChildren(paragraph(`Done: ${request.title}.`));
  document.dispatchEvent(new Event("page-refresh"));
}

async function send({ path, token }, body, key) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        ...(key === null ? {} : { "idempotency-key": key }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerMs),
    });
    const document = await response.json();
    return response.ok ? { document, problem: null } : { document: null, problem: document };
  } catch (thrown) {
    const detail = `The daemon did not answer (${thrown.message}); whether it was done is not known.`;
    return {
      document: null,
      problem: { detail, hint: "press again: the same request is never done twice" },
    };
  }
}

/** A page that came over plain HTTP has no randomUUID. */
function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

function previewParagraphs({ effect, touched = [], notes = [] }) {
  const lines = touched.slice(0, touchedMax).map(({ processor, dates = [], detail }) => {
    const range =
      dates.length > 1 ? `${dates[0]} to ${dates.at(-1)} (${dates.length} dates)` : (dates[0] ?? "");
    return `${processor}: ${detail ?? range}`;
  });
  if (touched.length > touchedMax) lines.push(`… and ${touched.length - touchedMax} other processors`);
  return [effect, ...lines, ...notes].filter((text) => typeof text === "string").map(paragraph);
}

function problemParagraphs({ detail, title, hint }) {
  const texts = [detail ?? title ?? "It was refused.", hint];
  return texts.filter((text) => typeof text === "string" && text !== "").map(paragraph);
}

/** Always as text: what an answer holds is never markup. */
function paragraph(text) {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}

document.addEventListener("page-shown", prepare);
prepare();
