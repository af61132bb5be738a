const mebibyte = 2 ** 20;
/** BigQuery bills so much for each table of a statement, however small it is, and for a look at metadata. */
export const leastBilledBytes = 10 * mebibyte;
/** A dry run lists so many of the tables of a statement at the most; there may be more. */
export const listedTablesMax = 50;

/** What a statement is billed at the most that reads so many bytes of so many tables. */
export function billedAtMost(bytes: number, tables: number): number {
  // What reads nothing, because there are no such partitions, is billed nothing.
  if (tables === 0 || bytes === 0) return bytes;
  // Each table above the least is rounded up to a whole megabyte.
  const rounding = Math.min(tables, Math.floor(bytes / leastBilledBytes)) * mebibyte;
  return Math.max(bytes, leastBilledBytes) + (tables - 1) * leastBilledBytes + rounding;
}
