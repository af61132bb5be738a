/** A comparison that takes the last date of a repair for an instant. */
export interface MidnightComparison {
  /** The column, as the SELECT names it. */
  readonly column: string;
  /** The text of the comparison. */
  readonly text: string;
}

const name = String.raw`["\`]?(\w+)["\`]?`;
const qualifier = String.raw`(?:["\`]?\w+["\`]?\.)?`;
const reference = `(?<![\\w.$@])${qualifier}${name}`;
/** One of the dates, as it is or as the instant at which it begins. */
const begin = (parameter: string) =>
  String.raw`(?:(?:timestamp|datetime)\s*\(\s*[$@]${parameter}\b[^()]*\)|cast\s*\(\s*[$@]${parameter}\s+as\s+\w+\s*\)|[$@]${parameter}\b(?:\s*::\s*\w+)?)`;
const end = String.raw`${begin("end_date")}(?!\s*[-+])`;
const comparisons = [
  new RegExp(String.raw`${reference}\s+between\s+${begin("start_date")}\s+and\s+${end}`, "gi"),
  new RegExp(String.raw`${reference}\s*<=\s*${end}`, "gi"),
];
/** A column that a SELECT turns into a date is none itself. */
const datings = [
  new RegExp(String.raw`${reference}\s*::\s*date\b`, "gi"),
  new RegExp(String.raw`\bcast\s*\(\s*${qualifier}${name}\s+as\s+date\s*\)`, "gi"),
  new RegExp(String.raw`\bdate\s*\(\s*${qualifier}${name}\s*[,)]`, "gi"),
  new RegExp(String.raw`\bdate_trunc\s*\(\s*'day'\s*,\s*${qualifier}${name}\s*\)`, "gi"),
  new RegExp(String.raw`\b(?:timestamp|datetime)_trunc\s*\(\s*${qualifier}${name}\s*,`, "gi"),
];

/**
 * The first comparison by which a SELECT loses all of its last day but midnight: a column with a time of day `between
 * $start_date and $end_date`. Judged by the text alone, so that some are not found.
 * @param sql without comments
 * @param isTimed whether the date column of the table has a time of day
 */
export function midnightComparison(
  sql: string,
  dateColumn: string,
  isTimed: boolean,
): MidnightComparison | null {
  const timed = new Set(datings.flatMap((pattern) => namesIn(sql, pattern)));
  if (isTimed) {
    timed.add(dateColumn.toLowerCase());
    for (const source of namesIn(sql, aliasOf(dateColumn))) timed.add(source);
  }
  for (const pattern of comparisons) {
    for (const match of sql.matchAll(pattern)) {
      const [text, column = ""] = match;
      if (timed.has(column.toLowerCase())) return { column, text: text.replace(/\s+/g, " ") };
    }
  }
  return null;
}

/** A column that becomes the date column as it is. */
function aliasOf(dateColumn: string): RegExp {
  return new RegExp(
    String.raw`${reference}(?:\s*::\s*(?:timestamp|datetime)\w*)?\s+as\s+["\`]?${dateColumn}\b`,
    "gi",
  );
}

function namesIn(sql: string, pattern: RegExp): readonly string[] {
  return [...sql.matchAll(pattern)].map(([, found = ""]) => found.toLowerCase());
}
