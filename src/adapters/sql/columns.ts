/** Calls `each` with every value of a column; NULL is null. */
export type Visit<T> = (each: (value: T | null, row: number) => void) => void;

/** A result that is read by column. */
export interface ResultColumns {
  integers(column: number): Int32Array;
  numbers(column: number): Float64Array;
  strings(column: number): (string | null)[];
}

/** A numeric column; NULL becomes NaN. Whole numbers of 64 bits must be within ±2^53. */
export function numbersOf<T>(rowCount: number, visit: Visit<T>): Float64Array {
  const values = new Float64Array(rowCount);
  visit((value, row) => {
    values[row] = value === null ? Number.NaN : Number(value);
  });
  return values;
}

/** A column of whole numbers within 32 bits; NULL becomes 0. */
export function integersOf<T>(rowCount: number, visit: Visit<T>): Int32Array {
  const values = new Int32Array(rowCount);
  visit((value, row) => {
    values[row] = Number(value);
  });
  return values;
}
