// Keeps the page as fresh as the daemon is: whenever the daemon tells of a change, the same address is fetched again and
// what differs is put in its place. While nothing can be fetched the page turns grey and says how old it is.

// What is known of a cell costs the daemon a question to the ledger, which may be billed.
const isCell = document.getElementById("cell") !== null;
const quietMs = isCell ? 10_000 : 1_000;
const hiddenMs = isCell ? 600_000 : 30_000;
const pollMs = 30_000;
const answerMs = 15_000;
const connection = document.getElementById("connection");
const pipeline = document.querySelector(".name a").textContent;

let receivedAt = performance.now();
let lostBecause = null;
let isFetching = false;
let isDue = false;
let timer = null;
let events = null;

/** Fetches soon, and no more than once in a while however much happens. A tab that nobody looks at still tells by its title. */
function refreshSoon() {
  if (isFetching) {
    isDue = true;
    return;
  }
  timer ??= setTimeout(() => void refresh(), document.hidden ? hiddenMs : quietMs);
}

function refreshNow() {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  if (isFetching) isDue = true;
  else void refresh();
}

async function refresh() {
  timer = null;
  isFetching = true;
  isDue = false;
  try {
    const response = await fetch(location.href, {
      headers: { accept: "text/html" },
      cache: "no-store",
      signal: AbortSignal.timeout(answerMs),
    });
    if (response.status === 429) {
      lost("The daemon is asked too often from this address");
      return;
    }
    const type = response.headers.get("content-type") ?? "";
    const fetched = new DOMParser().parseFromString(await response.text(), "text/html");
    const problem = fetched.querySelector("#problem h1");
    if (response.status === 503 && problem !== null) {
      lost(problem.textContent);
      // Not all at the same moment who were refused at the same moment.
      setTimeout(refreshSoon, Number(response.headers.get("retry-after")) * 1_000 * (1 + Math.random()));
      return;
    }
    // An error page of a proxy is no news of the daemon.
    if (response.status >= 500 || !type.startsWith("text/html") || fetched.getElementById("main") === null) {
      throw new Error(`status ${response.status}`);
    }
    show(fetched);
    receivedAt = performance.now();
    found();
  } catch {
    lost("No answer from the daemon");
  } finally {
    isFetching = false;
    if (isDue) refreshSoon();
  }
}

/** Takes over what differs; what somebody is filling in stays. */
function show(fetched) {
  document.title = fetched.title;
  const [main, next] = [document.getElementById("main"), fetched.getElementById("main")];
  main.dataset.revision = next.dataset.revision;
  main.className = next.className;
  const keys = [main, next].map((element) =>
    [...element.children].map(({ id, tagName }) => id || tagName).join(),
  );
  if (keys[0] !== keys[1]) {
    main.replaceChildren(...next.children);
  } else {
    const replacements = [...next.children];
    [...main.children].forEach((old, index) => {
      const replacement = replacements[index];
      if (old.id === "actions" || isFillingIn(old) || sameMarkup(old, replacement)) return;
      replace(old, replacement);
    });
  }
  document.dispatchEvent(new Event("page-shown"));
}

function isFillingIn(element) {
  const active = document.activeElement;
  return element.contains(active) && active.matches("input, select, textarea");
}

/** What the scripts of this page add to a cell is no difference. */
function sameMarkup(old, replacement) {
  const copy = old.cloneNode(true);
  for (const link of copy.querySelectorAll("td a")) {
    link.removeAttribute("tabindex");
    link.removeAttribute("title");
  }
  return copy.isEqualNode(replacement);
}

/** With the focus, the scrolling and what was unfolded as they were. */
function replace(old, replacement) {
  const focused = old.contains(document.activeElement) ? placeOf(document.activeElement) : null;
  const scrolled = [...old.querySelectorAll(".scroll")].map(({ scrollLeft }) => scrollLeft);
  const open = [...old.querySelectorAll("details")].map((details) => details.open);
  old.replaceWith(replacement);
  [...replacement.querySelectorAll(".scroll")].forEach((element, index) => {
    element.scrollLeft = scrolled[index] ?? 0;
  });
  [...replacement.querySelectorAll("details")].forEach((details, index) => {
    details.open = open[index] ?? details.open;
  });
  if (focused !== null) focusAgain(replacement, focused);
}

/** A link is found again by what it leads to, or else by its place. */
function placeOf(element) {
  const all = [...document.querySelectorAll("main a, main button, main summary")];
  return { href: element.getAttribute("href"), index: all.indexOf(element) };
}

function focusAgain(inside, { href, index }) {
  const same = href === null ? null : inside.querySelector(`a[href="${CSS.escape(href)}"]`);
  const there = document.querySelectorAll("main a, main button, main summary")[index];
  (same ?? there)?.focus({ preventScroll: true });
}

function lost(why) {
  lostBecause = why;
  document.body.classList.add("lost");
  // Or a tab that nobody looks at would say "converged" for ever.
  document.title = `unknown now · ${pipeline}`;
  tell();
}

function found() {
  lostBecause = null;
  document.body.classList.remove("lost");
  tell();
}

/** Ages grow by the time since they were received; no clock of another machine is needed. */
function tell() {
  const sinceMs = performance.now() - receivedAt;
  for (const element of document.querySelectorAll("[data-age-ms]")) {
    element.textContent = duration(Number(element.dataset.ageMs) + sinceMs);
  }
  const text = lostBecause === null ? "" : `${lostBecause}: this is what was known ${duration(sinceMs)} ago`;
  if (connection.textContent !== text) connection.textContent = text;
}

/** As the server says it: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
function duration(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** The browser connects again by itself and says which event it saw last, but gives up for good where it was refused once. */
function listen() {
  if (events !== null && events.readyState !== EventSource.CLOSED) return;
  events = new EventSource("/api/v1/events");
  events.addEventListener("view", ({ data }) => {
    if (JSON.parse(data).revision !== Number(document.getElementById("main").dataset.revision)) refreshSoon();
  });
  for (const name of ["reset", "error"]) events.addEventListener(name, refreshSoon);
  events.addEventListener("open", () => {
    if (lostBecause !== null) refreshSoon();
  });
}

listen();
// A connection can die without a word, so the page asks by itself too.
setInterval(() => {
  refreshSoon();
  listen();
}, pollMs);
setInterval(tell, 1_000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refreshNow();
});
document.addEventListener("page-refresh", refreshNow);
