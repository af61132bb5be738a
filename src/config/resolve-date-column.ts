import type { DateColumn } from "../core/date-column.ts";

interface DateColumnInput {
  readonly date_column: string;
  readonly date_format?: string | undefined;
  readonly column_timezone?: string | undefined;
}

/** Where a table has the date of a row, and how. */
export function dateColumnOf(input: DateColumnInput): DateColumn {
  return {
    dateColumn: input.date_column,
    dateFormat: input.date_format ?? null,
    columnTimezone: input.column_timezone ?? null,
  };
}
