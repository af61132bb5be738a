import { ReconcilerError } from "../../errors.ts";
import { integersOf, numbersOf } from "../sql/columns.ts";
import { type Field, typeName } from "./answers.ts";

/** The rows of a result, read by column. Every value comes as text, whole numbers with all their digits. */
export class Rows {
  readonly #fields: readonly Field[];
  readonly #pages: readonly (readonly unknown[])[];
  readonly rowCount: number;

  constructor(fields: readonly Field[], pages: readonly (readonly unknown[])[]) {
    this.#fields = fields;
    this.#pages = pages;
    this.rowCount = pages.reduce((count, page) => count + page.length, 0);
  }

  get columns(): readonly { readonly name: string; readonly type: string }[] {
    return this.#fields.map((field) => ({ name: field.name, type: typeName(field) }));
  }

  /** A numeric column; NULL becomes NaN. INT64 values must be within ±2^53. */
  numbers(column: number): Float64Array {
    return numbersOf(this.rowCount, (each) => this.#visit(column, each));
  }

  /** A column of whole numbers within 32 bits; NULL becomes 0. */
  integers(column: number): Int32Array {
    return integersOf(this.rowCount, (each) => this.#visit(column, each));
  }

  /** A column as the API writes it; lists and records as JSON. */
  strings(column: number): (string | null)[] {
    const values: (string | null)[] = [];
    this.#visit(column, (value) => values.push(value));
    return values;
  }

  #visit(column: number, each: (value: string | null, row: number) => void): void {
    let row = 0;
    for (const page of this.#pages) {
      for (const cells of page) {
        each(cellOf(cells, column), row);
        row += 1;
      }
    }
  }
}

/** A row is `{f: [{v: …}]}`. @throws ReconcilerError `warehouse_unavailable` for anything else */
function cellOf(row: unknown, column: number): string | null {
  if (typeof row !== "object" || row === null || !("f" in row) || !Array.isArray(row.f)) throw strange(row);
  const cell: unknown = row.f[column];
  if (typeof cell !== "object" || cell === null || !("v" in cell)) throw strange(row);
  const { v: value } = cell;
  if (value === null) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function strange(row: unknown): ReconcilerError {
  const text = JSON.stringify(row) ?? "nothing";
  return new ReconcilerError(
    "warehouse_unavailable",
    `expected a row of BigQuery, found ${text.slice(0, 200)}`,
    {
      hint: "something on the way changes the answers: look at the proxy",
    },
  );
}
