import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnKindOf, dateColumnProblem, timeColumnHint } from "../../src/core/date-column.ts";
import {
  type DateFormat,
  formatText,
  numberBounds,
  parseDateFormat,
  textBounds,
} from "../../src/core/date-format.ts";
import { fromDay, parseIsoDate, toDay } from "../../src/core/iso-date.ts";

function formatOf(text: string): DateFormat {
  const format = parseDateFormat(text);
  if ("problem" in format) throw new Error(format.problem);
  return format;
}

/** Whether a value has the form. RE2 writes the case of a part as (?i:…), which few versions of JavaScript know. */
function matches(format: DateFormat, value: string): boolean {
  return new RegExp(format.pattern.replace("(?i:", "(?:"), "iu").test(value);
}

describe("a form of dates is refused", () => {
  test.each([
    ["%m-%d", "it has no year: add %Y"],
    ["date", "it has no year: add %Y"],
    ["", "it has no year: add %Y"],
    ["%Y-%d", "it has a day without a month: add %m"],
    ["%Y-%m-%m", "it has a part of the date or time twice"],
    ["%Y-%y", "it has a part of the date or time twice"],
    ["%Y-%m %H:%M", "it has a time without a day: add %d"],
    ["%Y-%m-%d %M", "it has a time without an hour: add %H"],
    ["%Y%-m%d", "the end of %-m cannot be told: put a separator after it"],
    ["%Y-%B1", "the end of %B cannot be told: put a separator after it"],
    ["%Y-%j", expect.stringContaining("%j is not known: use %Y")],
    ["%Y-%m-%d%z", expect.stringContaining("%z is not known")],
    ["%Y%", expect.stringContaining("% is not known")],
  ])("%j: %s", (text, problem) => {
    expect(parseDateFormat(text)).toEqual({ problem });
  });
});

describe("a value has a form only if it is written so to the last digit", () => {
  test.each([
    ["%Y%m%d", "20240131", ["2024-01-31", "2024013", "202401310", " 20240131", "00240131", "n/a", ""]],
    ["%Y-%m-%d", "2024-01-31", ["2024-1-31", "20240131", "2024-01-31T00", "2024/01/31", "infinity"]],
    ["%d.%m.%Y", "31.01.2024", ["31x01x2024", "1.1.2024"]],
    ["%-d.%-m.%Y", "1.1.2024", ["1.1.24", "123.1.2024"]],
    [
      "%Y-%m-%d %H:%M:%S.%f",
      "2024-01-31 23:59:59.123456",
      ["2024-01-31 24:00:00.1", "2024-01-31 23:60:00.1"],
    ],
    ["%d %b %Y", "31 Jan 2024", ["31 January 2024", "31 Jab 2024"]],
    ["%B %Y", "january 2024", ["jan 2024"]],
    ["100%% %Y", "100% 2024", ["100%% 2024"]],
    ["%%F %F", "%F 2024-01-31", ["%2024-01-31 2024-01-31"]],
    ["dt=%Y (UTC)", "dt=2024 (UTC)", ["dt=2024 UTC"]],
  ])("%s", (text, value, others) => {
    const format = formatOf(text);
    expect([value, ...others].filter((candidate) => matches(format, candidate))).toEqual([value]);
  });

  test("and the date is read from no more than its parts, in the words of a dialect", () => {
    const format = formatOf("%-d/%m/%Y 100%% %H:%M:%S.%f UTC");
    expect(formatText(format.parts)).toBe("%-d/%m/%Y 100%% %H:%M");
    expect(formatText(format.parts, (name) => name.replace("-", ""))).toBe("%d/%m/%Y 100%% %H:%M");
  });
});

describe("the bounds of a range", () => {
  const range = { start: parseIsoDate("2024-01-31"), end: parseIsoDate("2024-12-09") };

  test.each([
    ["%Y%m%d", { from: "20240131", to: "20241209" }, { from: 20_240_131, to: 20_241_209 }],
    ["%Y%m", { from: "202401", to: "202412" }, { from: 202_401, to: 202_412 }],
    ["%Y", { from: "2024", to: "2024" }, { from: 2024, to: 2024 }],
    ["%Y%m%d%H", { from: "20240131", to: "20241209~" }, { from: 2_024_013_100, to: 2_024_120_999 }],
    ["%Y%d%m", { from: "2024", to: "2024~" }, { from: 20_240_000, to: 20_249_999 }],
    ["dt=%F", { from: "dt=2024-01-31", to: "dt=2024-12-09" }, null],
    ["%Y-%m-%d %T", { from: "2024-01-31 ", to: "2024-12-09 ~" }, null],
    ["%Y-%-m-%d", { from: "2024-", to: "2024-~" }, null],
    ["%d.%m.%Y", null, null],
    ["%d%m%Y", null, null],
    ["%y%m%d", null, null],
  ])("of %s are %o as text and %o as numbers", (text, texts, numbers) => {
    const { ordered, digits } = formatOf(text);
    expect(ordered === null ? null : textBounds(ordered, range)).toEqual(texts);
    expect(ordered === null || digits === null ? null : numberBounds(ordered, range)).toEqual(numbers);
  });

  test("hold every value of a date of the range, and in most forms no other", () => {
    const day = fc.integer({
      min: toDay(parseIsoDate("1000-01-01")),
      max: toDay(parseIsoDate("9999-12-31")),
    });
    const forms = fc.constantFrom("%Y%m%d", "%Y-%m-%d", "%Y/%m/%d", "%Y%m", "%Y-%m", "%Y");
    fc.assert(
      fc.property(forms, day, day, day, (text, one, other, asked) => {
        const [start, end] = [Math.min(one, other), Math.max(one, other)].map(fromDay);
        const { ordered, digits } = formatOf(text);
        if (ordered === null || start === undefined || end === undefined) throw new Error(text);
        const [year = "", month = "", date = ""] = fromDay(asked).split("-");
        const value = text.replace("%Y", year).replace("%m", month).replace("%d", date);
        const { from, to } = textBounds(ordered, { start, end });
        const isWithin = from <= value && value <= to;
        if (toDay(start) <= asked && asked <= toDay(end)) expect(isWithin).toBe(true);
        else if (text.includes("%d")) expect(isWithin).toBe(false);
        if (digits === null) return;
        const numbers = numberBounds(ordered, { start, end });
        expect(numbers.from <= Number(value) && Number(value) <= numbers.to).toBe(isWithin);
      }),
    );
  });
});

describe("a column carries dates", () => {
  test.each([
    ["DATE", "date"],
    ["DATETIME", "time"],
    ["TIMESTAMP", "time"],
    ["TIMESTAMP WITH TIME ZONE", "time"],
    ["TIMESTAMP_NS", "time"],
    ["VARCHAR", "text"],
    ["STRING", "text"],
    ["ENUM('20240101')", "text"],
    ["INTEGER", "number"],
    ["UBIGINT", "number"],
    ["INT64", "number"],
    ["DECIMAL(8,0)", "number"],
    ["BIGNUMERIC", "number"],
    ["DOUBLE", "number"],
    ["TIME", "other"],
    ["INTERVAL", "other"],
    ["BOOL", "other"],
    ["VARCHAR[]", "other"],
    ["DATE[]", "other"],
    ["TIMESTAMP[]", "other"],
    ["ARRAY<DATE>", "other"],
    ["STRUCT(d DATE)", "other"],
  ])("of type %s: %s", (type, kind) => {
    expect(columnKindOf(type)).toBe(kind);
  });

  test.each([
    ["DATE", null, null],
    ["VARCHAR", "%Y-%m-%d", null],
    ["BIGINT", "%Y%m%d", null],
    ["VARCHAR", null, /^of type DATE or TIMESTAMP: add date_format.*"%Y-%m-%d" for 2024-01-31/],
    ["BIGINT", null, /^of type DATE or TIMESTAMP: add date_format.*"%Y%m%d" for 20240131, or use/],
    ["BOOLEAN", null, /view with cast\(ds as date\)$/],
    ["BOOLEAN", "%Y", /^of a text or number type: .*view with cast\(ds as date\)$/],
    ["DATE", "%Y", /^of a text or number type, because date_format is "%Y": remove date_format/],
    ["BIGINT", "%Y-%m", /^of a text type, because date_format is "%Y-%m": a number has digits alone/],
  ])("of type %s with the form %s, or says what to do", (type, dateFormat, problem) => {
    const found = dateColumnProblem(type, { dateColumn: "ds", dateFormat });
    if (problem === null) expect(found).toBeNull();
    else expect(`${found?.expected}: ${found?.hint}`).toMatch(problem);
  });

  test("and one that should hold times says how, where a cast can do it", () => {
    expect(timeColumnHint("at", "VARCHAR")).toContain("cast(at as timestamp)");
    expect(timeColumnHint("at", "BIGINT")).not.toContain("cast");
  });
});
