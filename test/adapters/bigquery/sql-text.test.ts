import { describe, expect, test } from "vitest";
import {
  enclose,
  encloseQuery,
  parametersOf,
  quoteIdentifier,
  quoteText,
} from "../../../src/adapters/bigquery/sql-text.ts";

describe("an expression", () => {
  test.each([
    "a = 1",
    `a in ('x;', 'it\\'s (', "odd)name", "it's")`,
    "a = '''it's ( ; '' ''' and b = \"\"\" \" ) \"\"\"",
    "regexp_contains(a, r'\\(x') and b = rb'\\'(' and c = b\"(\"",
    "a -- a ( remark ;\n = 1",
    "a # a ( remark ;\n = 1",
    "a /* one /* within ( */ = 1",
    "`odd)name;` = 1",
    "price = 'é' and @@time_zone is not null",
  ])("that is whole is enclosed as it is: %s", (sql) => {
    expect(enclose(sql)).toBe(`(${sql}\n)`);
  });

  test.each([
    ["true) or (true", "`)`"],
    ["(true", "without `)`"],
    ["a[1", "without `]`"],
    ["true; drop table t", "`;`"],
    ["a = 'x", "' that is not closed"],
    ["a = 'x\n'", "' that is not closed"],
    ['a = "x', '" that is not closed'],
    ["a = '''x''", "''' that is not closed"],
    ["a = r'x\\'", "' that is not closed"],
    ["`a", "` that is not closed"],
    ["a /* why", "comment"],
    // Only DuckDB's comments nest; here the rest would be read.
    ["a /* /* */ ) or (true */", "`)`"],
    ["a -- a remark ends with any line end\r) or (true", "`)`"],
  ])("that could leave its parentheses is refused: %s", (sql, found) => {
    expect(() => enclose(sql)).toThrow(found);
  });
});

test.each(["select 1", "select 1;", "select 1; # done\n", "select ';' ; ; /* end */"])(
  "a query may end in `;` and remarks: %s",
  (sql) => {
    expect(encloseQuery(sql)).not.toMatch(/;\s*\n\)$/);
  },
);

describe("the parameters of a statement", () => {
  test("are named as in every dialect or as in GoogleSQL", () => {
    const { sql, names } = parametersOf("select $start_date, @end_date, @start_date, $x1 from t");
    expect(sql).toBe("select @start_date, @end_date, @start_date, @x1 from t");
    expect(names).toEqual(["start_date", "end_date", "x1"]);
  });

  test("are not looked for in texts, names, remarks and system variables", () => {
    const text =
      "select '$a', \"@b\", `$c`, '''$d''' -- $e\n # @f\n /* $g */ , @@time_zone, @{hint = 1} r'$h'";
    expect(parametersOf(text)).toEqual({ sql: text, names: [] });
  });
});

test("names and texts are quoted whatever they hold", () => {
  expect(quoteIdentifier("odd`na\\me")).toBe("`odd\\`na\\\\me`");
  expect(quoteText("it's a \\ \n")).toBe("'it\\'s a \\\\ \\n'");
});
