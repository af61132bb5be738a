import type { ArmDialect } from "../sql/profile-arm.ts";
import { epochMs } from "./dates.ts";
import { loadSql } from "./sql-files.ts";
import { enclose, quoteIdentifier } from "./sql-text.ts";

export function armDialect(timezone: string): ArmDialect {
  return {
    loadSql,
    quoteIdentifier,
    enclose,
    epochMs: (aggregate, column, source, columnTimezone) =>
      epochMs(aggregate, column, source, { timezone, columnTimezone }),
    countIf: (condition) => `count_if(${condition})`,
    toFloat: (expression) => `(${expression})::double`,
    toInteger: (expression) => `(${expression})::integer`,
    dayNumber: (day) => `(${day} - date '1970-01-01')::integer`,
    excessRows(columns) {
      const names = columns.map(({ name }) => quoteIdentifier(name));
      const [first] = names;
      if (names.length > 1) return `count(*) - count(distinct (${names.join(", ")}))`;
      return `count(*) - count(distinct ${first}) - (count(*) > count(${first}))::integer`;
    },
    atLeast({ name, type }, minimum) {
      const column = quoteIdentifier(name);
      const isFloat = type === "DOUBLE" || type === "FLOAT";
      // DuckDB holds NaN for larger than any number.
      return `${column} >= ${minimum}${isFloat ? ` and not isnan(${column})` : ""}`;
    },
    label: quoteIdentifier,
  };
}
