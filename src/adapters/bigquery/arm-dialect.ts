import type { Column } from "../sql/source.ts";
import type { ArmDialect } from "../sql/profile-arm.ts";
import { epochMs } from "./dates.ts";
import { loadSql } from "./sql-files.ts";
import { enclose, quoteIdentifier } from "./sql-text.ts";

/** Types whose values BigQuery does not compare; their JSON is compared instead. */
const isIncomparable = ({ type }: Column) => /^(?:JSON|GEOGRAPHY|ARRAY|STRUCT)/.test(type);

export function armDialect(timezone: string): ArmDialect {
  return {
    loadSql,
    quoteIdentifier,
    enclose,
    epochMs: (aggregate, column, source, columnTimezone) =>
      epochMs(aggregate, column, source, { timezone, columnTimezone }),
    countIf: (condition) => `countif(${condition})`,
    toFloat: (expression) => `cast(${expression} as float64)`,
    toInteger: (expression) => `cast(${expression} as int64)`,
    dayNumber: (day) => `unix_date(${day})`,
    excessRows(columns) {
      const names = columns.map(({ name }) => quoteIdentifier(name));
      const [first] = columns;
      if (first === undefined) return "count(*) - 1";
      // BigQuery counts no distinct records; as JSON, a whole number keeps all its digits and NULL is a value.
      if (columns.length > 1) return `count(*) - count(distinct to_json_string(struct(${names.join(", ")})))`;
      if (isIncomparable(first)) return `count(*) - count(distinct to_json_string(${names[0]}))`;
      return `count(*) - count(distinct ${names[0]}) - if(count(*) > count(${names[0]}), 1, 0)`;
    },
    // NaN is not at least anything here.
    atLeast: ({ name }, minimum) => `${quoteIdentifier(name)} >= ${minimum}`,
    label,
  };
}

/** A result column may have letters, digits and underscores, begins with none of the digits, and is there once. */
function label(text: string, place: number): string {
  const word = text.replaceAll(/[^A-Za-z0-9]+/g, "_").replace(/^(?=\d)/, "_");
  return quoteIdentifier(place < 4 ? word : `${word.slice(0, 200)}_${place - 3}`);
}
