import { civilOf } from "../../core/iso-date.ts";
import type { Axis } from "../../core/schedule.ts";
import type { GridColumns } from "../../presentation/grid-columns.ts";
import { type Content, html } from "./html.ts";

const monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** Below so many columns a month, their names would not fit above them. */
const columnsPerMonthMin = 4;
/** Up to so many columns each can have its day of the month above it. */
const dayColumnsMax = 45;

interface Column {
  readonly segment: number;
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Rows of headings from the widest to the narrowest: seasons, then years, or months, or months and days. */
export function headingRows(
  axis: Axis,
  { segments }: GridColumns,
  dates: readonly string[],
): readonly Content[] {
  const columns = segments.flatMap(({ columns: own }, segment) =>
    own.map(([position = 0]): Column => ({ segment, ...civilOf(axis.first + position) })),
  );
  const rows: Content[] = [];
  if (segments.some(({ name }) => name !== "")) {
    rows.push(segments.map(({ name, columns: own }) => heading(name, own.length, "season")));
  }
  const monthOf = ({ segment, year, month }: Column) => `${segment}/${year}-${month}`;
  const months = grouped(columns, monthOf);
  if (columns.length / Math.max(1, months.length) < columnsPerMonthMin) {
    const years = grouped(columns, ({ segment, year }) => `${segment}/${year}`);
    rows.push(years.map(({ first, size }) => heading(size < 3 ? "" : String(first.year), size, "tick")));
    return rows;
  }
  let lastYear = 0;
  rows.push(
    months.map(({ first, size }) => {
      const name = monthNames[first.month - 1] ?? "";
      const text = first.year === lastYear || size < 7 ? name : `${name} ${first.year}`;
      lastYear = first.year;
      return heading(size < 3 ? "" : text, size, "tick");
    }),
  );
  if (columns.length <= dayColumnsMax) {
    rows.push(
      columns.map(
        ({ day }, index) =>
          html`<th scope="col" class="tick"><abbr title="${dates[index] ?? ""}">${day}</abbr></th>`,
      ),
    );
  }
  return rows;
}

function heading(text: string, size: number, kind: string): Content {
  // A heading without words is none to a screen reader.
  return text === ""
    ? html`<td class="${kind}" colspan="${size}"></td>`
    : html`<th scope="colgroup" class="${kind}" colspan="${size}">${text}</th>`;
}

function grouped(
  columns: readonly Column[],
  keyOf: (column: Column) => string,
): readonly { readonly first: Column; readonly size: number }[] {
  const groups = new Map<string, { first: Column; size: number }>();
  for (const column of columns) {
    const known = groups.get(keyOf(column));
    if (known === undefined) groups.set(keyOf(column), { first: column, size: 1 });
    else known.size++;
  }
  return [...groups.values()];
}
