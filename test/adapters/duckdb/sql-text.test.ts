import { describe, expect, test } from "vitest";
import { enclose, encloseQuery, quoteIdentifier, quoteText } from "../../../src/adapters/duckdb/sql-text.ts";

describe("an expression", () => {
  test.each([
    "a = 1",
    "a in ('x;', 'it''s (', \"odd)name\")",
    "a = $$ ; ( $$ and b = $tag$ it's ) $$ $tag$",
    "a = e'it\\'s (' and b[1] = {'k': (1)}.k",
    "a -- a ( remark ;\n = 1",
    "a /* one /* within */ another ( */ = 1",
    "note = 'end \\'",
    "price$usd > 1 and x = 'é'",
  ])("that is whole is enclosed as it is: %s", (sql) => {
    expect(enclose(sql)).toBe(`(${sql}\n)`);
  });

  test.each([
    ["true) or (true", "`)`"],
    ["(true", "without `)`"],
    ["a[1", "without `]`"],
    ["(a]", "`]`"],
    ["true; drop table t", "`;`"],
    ["true;", "`;`"],
    ["a = 'x", "' that is not closed"],
    ['a = "x', '" that is not closed'],
    ["a /* why", "comment"],
    ["a /* /* */", "comment"],
    ["a = $q$ x $$", "$q$ that is not closed"],
    ["a = e'x\\'", "not closed"],
  ])("that could leave its parentheses is refused: %s", (sql, found) => {
    expect(() => enclose(sql)).toThrow(found);
  });

  test("the line of the fault is named", () => {
    expect(() => enclose("a\nand (b\nor c))")).toThrow("line 3");
  });
});

describe("a query", () => {
  test.each(["select 1", "select 1;", "select 1; -- done\n", "select ';' ; ; /* end */"])(
    "may end in `;` and remarks: %s",
    (sql) => {
      expect(encloseQuery(sql)).toMatch(/^\(select [\s\S]*\n\)$/);
      expect(encloseQuery(sql)).not.toMatch(/;\s*\n\)$/);
    },
  );

  test.each(["select 1; select 2", "select 1; -- why\n delete from t", "; select 1"])(
    "of two statements is refused: %s",
    (sql) => {
      expect(() => encloseQuery(sql)).toThrow("second statement");
    },
  );
});

test("names and texts are quoted whatever they hold", () => {
  expect(quoteIdentifier('odd"name')).toBe('"odd""name"');
  expect(quoteText("it's")).toBe("'it''s'");
});
