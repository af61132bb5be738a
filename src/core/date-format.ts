import type { DateRange, IsoDate } from "./iso-date.ts";

/** The form of a date that is kept as text or as a whole number, as strftime writes it. */
export interface DateFormat {
  readonly text: string;
  /** An RE2 pattern that a value matches whole; its one group holds what the date is read from. */
  readonly pattern: string;
  /** What that group holds. */
  readonly parts: readonly FormatPart[];
  /** Whether there is a time of day, so that a zone matters. */
  readonly hasTime: boolean;
  /** The digits of a number in this form; null if the form has anything but digits. */
  readonly digits: number | null;
  /** The beginning of each value, whose order is that of the dates; null if the form has none. */
  readonly ordered: Ordered | null;
}

export interface Ordered {
  readonly parts: readonly FormatPart[];
  /** Comes after whatever a value has behind these parts; nothing if they are all. */
  readonly end: "" | "~";
  /** What one step of these parts is in a number. */
  readonly scale: number;
}

/** A literal text, or a directive such as `%Y`. */
export type FormatPart =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "directive"; readonly name: DirectiveName };

type DirectiveName = keyof typeof directives;

interface Directive {
  readonly pattern: string;
  /** Null if their number varies, or if it is no digits. */
  readonly digits: number | null;
  readonly unit: Unit;
}

type Unit = "year" | "month" | "day" | "hour" | "minute" | "second" | "fraction";

const monthNames = "January|February|March|April|May|June|July|August|September|October|November|December";
const shortMonthNames = monthNames.replaceAll(/([A-Z][a-z]{2})[a-z]*/g, "$1");

/** A year has four digits, so that no value of another form passes for an early date. */
const directives = {
  "%Y": { pattern: "[1-9]\\d{3}", digits: 4, unit: "year" },
  "%y": { pattern: "\\d{2}", digits: 2, unit: "year" },
  "%m": { pattern: "\\d{2}", digits: 2, unit: "month" },
  "%-m": { pattern: "\\d{1,2}", digits: null, unit: "month" },
  "%b": { pattern: `(?i:${shortMonthNames})`, digits: null, unit: "month" },
  "%B": { pattern: `(?i:${monthNames})`, digits: null, unit: "month" },
  "%d": { pattern: "\\d{2}", digits: 2, unit: "day" },
  "%-d": { pattern: "\\d{1,2}", digits: null, unit: "day" },
  "%H": { pattern: "(?:[01]\\d|2[0-3])", digits: 2, unit: "hour" },
  "%M": { pattern: "[0-5]\\d", digits: 2, unit: "minute" },
  "%S": { pattern: "[0-5]\\d", digits: 2, unit: "second" },
  "%f": { pattern: "\\d{1,9}", digits: null, unit: "fraction" },
} as const satisfies Record<string, Directive>;

const shorthands: Readonly<Record<string, string>> = { "%F": "%Y-%m-%d", "%T": "%H:%M:%S" };

/** Digits of a number that is exact in every warehouse and here. */
const digitsMax = 15;

/** The form, or what is wrong with the text. */
export function parseDateFormat(text: string): DateFormat | { readonly problem: string } {
  const parts: FormatPart[] = [];
  for (const found of wordsOf(text)) {
    if (isDirective(found)) parts.push({ kind: "directive", name: found });
    else if (found === "%%" || !found.startsWith("%"))
      parts.push({ kind: "literal", text: found === "%%" ? "%" : found });
    else return { problem: `${found} is not known: use ${Object.keys(directives).join(" ")}` };
  }
  const problem = problemOf(parts);
  return problem === null ? formatOf(text, parts) : { problem };
}

/** Directives, `%%` and what stands between them. */
function wordsOf(text: string): readonly string[] {
  const words = text.match(/%-?[a-zA-Z%]|%|[^%]+/g) ?? [];
  return words.flatMap((word) => {
    const long = shorthands[word];
    return long === undefined ? [word] : wordsOf(long);
  });
}

function problemOf(parts: readonly FormatPart[]): string | null {
  const units = parts.flatMap((part) => (part.kind === "directive" ? [directives[part.name].unit] : []));
  if (!units.includes("year")) return "it has no year: add %Y";
  if (units.includes("day") && !units.includes("month")) return "it has a day without a month: add %m";
  if (new Set(units).size < units.length) return "it has a part of the date or time twice";
  if (units.some(isOfTime) && !units.includes("day")) return "it has a time without a day: add %d";
  if (units.some(isOfTime) && !units.includes("hour")) return "it has a time without an hour: add %H";
  for (const [index, part] of parts.entries()) {
    const next = parts[index + 1];
    if (part.kind !== "directive" || directives[part.name].digits !== null || next === undefined) continue;
    const runsOn = next.kind === "directive" || /^\d/.test(next.text);
    if (runsOn) return `the end of ${part.name} cannot be told: put a separator after it`;
  }
  return null;
}

function formatOf(text: string, parts: readonly FormatPart[]): DateFormat {
  const last = parts.findLastIndex((part) => part.kind === "directive" && !isPassedOver(part));
  const read = parts.slice(0, last + 1);
  const patternOf = (some: readonly FormatPart[]) => some.map(partPattern).join("");
  const widths = parts.map(digitsOf);
  const digits = widths.reduce<number | null>(
    (sum, width) => (sum === null || width === null ? null : sum + width),
    0,
  );
  return {
    text,
    pattern: `^(${patternOf(read)})${patternOf(parts.slice(last + 1))}$`,
    parts: read,
    hasTime: parts.some((part) => part.kind === "directive" && isOfTime(directives[part.name].unit)),
    digits: digits === null || digits > digitsMax ? null : digits,
    ordered: orderedOf(parts, widths),
  };
}

/** Year, month and day in this order, each with all its digits, are in order as text; what comes after is not looked at. */
function orderedOf(parts: readonly FormatPart[], widths: readonly (number | null)[]): DateFormat["ordered"] {
  const order = ["%Y", "%m", "%d"];
  let taken = 0;
  let end = 0;
  for (const part of parts) {
    if (part.kind === "directive") {
      if (part.name !== order[taken]) break;
      taken += 1;
    }
    end += 1;
  }
  if (taken === 0) return null;
  const digitsAfter = widths.slice(end).reduce<number>((sum, width) => sum + (width ?? 0), 0);
  return { parts: parts.slice(0, end), end: end === parts.length ? "" : "~", scale: 10 ** digitsAfter };
}

/** Seconds and their fractions move no date. */
function isPassedOver(part: FormatPart): boolean {
  if (part.kind === "literal") return true;
  const { unit } = directives[part.name];
  return unit === "second" || unit === "fraction";
}

function partPattern(part: FormatPart): string {
  return part.kind === "directive"
    ? directives[part.name].pattern
    : part.text.replaceAll(/[.*+?^${}()|[\]\\]/g, (sign) => `\\${sign}`);
}

function digitsOf(part: FormatPart): number | null {
  if (part.kind === "directive") return directives[part.name].digits;
  return /^\d+$/.test(part.text) ? part.text.length : null;
}

function isOfTime(unit: Unit): boolean {
  return unit === "hour" || unit === "minute" || unit === "second" || unit === "fraction";
}

function isDirective(text: string): text is DirectiveName {
  return Object.hasOwn(directives, text);
}

/** The parts as a format of strptime; `nameOf` is what a dialect calls a directive. */
export function formatText(
  parts: readonly FormatPart[],
  nameOf: (name: string) => string = (name) => name,
): string {
  return parts
    .map((part) => (part.kind === "directive" ? nameOf(part.name) : part.text.replaceAll("%", "%%")))
    .join("");
}

/** What the values of a range lie between, both ends included; wider where the form goes on after its ordered parts. */
export function textBounds(
  { parts, end }: Ordered,
  range: DateRange,
): { readonly from: string; readonly to: string } {
  return { from: write(parts, range.start), to: `${write(parts, range.end)}${end}` };
}

/** The same of numbers. */
export function numberBounds(
  { parts, scale }: Ordered,
  range: DateRange,
): { readonly from: number; readonly to: number } {
  return {
    from: Number(write(parts, range.start)) * scale,
    to: (Number(write(parts, range.end)) + 1) * scale - 1,
  };
}

/** The year, month and day of the parts. */
function write(parts: readonly FormatPart[], date: IsoDate): string {
  const values: Partial<Record<DirectiveName, string>> = {
    "%Y": date.slice(0, 4),
    "%m": date.slice(5, 7),
    "%d": date.slice(8, 10),
  };
  return parts.map((part) => (part.kind === "literal" ? part.text : (values[part.name] ?? ""))).join("");
}
