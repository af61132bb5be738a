// Lets the arrow keys move between the cells of the grid. One cell at a time takes part in the Tab order, so that the grid is
// one stop and not thousands; without this script every cell is a link as any other.

const cells = ".grid tbody td a";
const moves = {
  ArrowLeft: "before",
  ArrowRight: "after",
  ArrowUp: "above",
  ArrowDown: "below",
  Home: "first",
  End: "last",
};
let current = null;

function prepare() {
  const links = document.querySelectorAll(cells);
  for (const link of links) link.tabIndex = -1;
  const chosen = current === null ? null : document.querySelector(`${cells}[href="${CSS.escape(current)}"]`);
  const first = chosen ?? links[0];
  if (first !== undefined) first.tabIndex = 0;
}

document.addEventListener("focusin", ({ target }) => {
  if (!(target instanceof Element) || !target.matches(cells)) return;
  for (const link of document.querySelectorAll(`${cells}[tabindex="0"]`)) link.tabIndex = -1;
  target.tabIndex = 0;
  current = target.getAttribute("href");
});

document.addEventListener("keydown", (event) => {
  const { target, key, altKey, ctrlKey, metaKey } = event;
  if (altKey || ctrlKey || metaKey || !(target instanceof Element) || !target.matches(cells)) return;
  const move = moves[key];
  if (move === undefined) return;
  event.preventDefault();
  const link = linkFrom(target.closest("td"), move);
  link?.focus();
  link?.scrollIntoView({ block: "nearest", inline: "nearest" });
});

function linkFrom(cell, move) {
  const own = [...cell.parentElement.querySelectorAll("td a")];
  const index = own.indexOf(cell.querySelector("a"));
  switch (move) {
    case "before":
      return own[index - 1];
    case "after":
      return own[index + 1];
    case "first":
      return own[0];
    case "last":
      return own.at(-1);
    default:
      return linkInRow(cell, move === "above" ? -1 : 1);
  }
}

/** In the next row that has one: the cell over or under this one, or the nearest to it. */
function linkInRow(cell, step) {
  const rows = [...cell.closest("table").querySelectorAll("tbody tr:not(.phase)")];
  const column = columnOf(cell);
  for (let at = rows.indexOf(cell.parentElement) + step; at >= 0 && at < rows.length; at += step) {
    const links = [...rows[at].querySelectorAll("td a")];
    const nearest = links
      .map((link) => ({ link, far: distance(link.closest("td"), column) }))
      .sort((a, b) => a.far - b.far)[0];
    if (nearest !== undefined) return nearest.link;
  }
  return undefined;
}

function columnOf(cell) {
  let column = 0;
  for (let before = cell.previousElementSibling; before !== null; before = before.previousElementSibling) {
    column += before.colSpan;
  }
  return column;
}

function distance(cell, column) {
  const first = columnOf(cell);
  const last = first + cell.colSpan - 1;
  return column < first ? first - column : Math.max(0, column - last);
}

// What a screen reader is told is shown to whoever points at a cell.
document.addEventListener("pointerover", ({ target }) => {
  const link = target instanceof Element ? target.closest(cells) : null;
  if (link !== null) link.title = link.ariaLabel;
});

document.addEventListener("page-shown", prepare);
prepare();
// The newest dates are what people come for.
for (const grid of document.querySelectorAll("#grid .scroll")) grid.scrollLeft = grid.scrollWidth;
