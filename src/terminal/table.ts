import { displayWidth, padEnd, padStart, truncate } from "./text.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** The column that gives way where the line is too short; at most one. */
  readonly flexible?: true;
}

const between = "  ";

/** Rows under their titles, aligned, no line longer than `columns`. Cells hold no escape sequences. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): { readonly head: string; readonly lines: readonly string[] } {
  const natural = columns.map(({ title }, index) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[index] ?? ""))),
  );
  const total = natural.reduce((sum, value) => sum + value, 0) + between.length * (columns.length - 1);
  const widths = natural.map((value, index) =>
    columns[index]?.flexible === true ? Math.max(8, value - Math.max(0, total - width)) : value,
  );
  const lineOf = (cells: readonly string[]) =>
    truncate(
      columns
        .map(({ align }, index) => {
          const cell = truncate(cells[index] ?? "", widths[index] ?? 0);
          return align === "right" ? padStart(cell, widths[index] ?? 0) : padEnd(cell, widths[index] ?? 0);
        })
        .join(between)
        .trimEnd(),
      width,
    );
  return { head: lineOf(columns.map(({ title }) => title)), lines: rows.map(lineOf) };
}
