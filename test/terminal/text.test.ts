import { describe, expect, test } from "vitest";
import { renderTable } from "../../src/terminal/table.ts";
import { displayWidth, padEnd, painter, truncate, wrap } from "../../src/terminal/text.ts";

describe("widths", () => {
  test.each([
    ["", 0],
    ["orders", 6],
    ["■✗◐○…", 5],
    ["注文", 4],
    ["é", 1],
    ["e\u0301", 1],
    ["👩‍💻", 2],
    ["\u001b[31mred\u001b[39m", 3],
  ])("%j takes %d cells", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  test("a text is cut by cells, not by letters, and says that something is gone", () => {
    expect(truncate("orders", 6)).toBe("orders");
    expect(truncate("orders", 5)).toBe("orde…");
    expect(truncate("注文注文", 5)).toBe("注文…");
    expect(displayWidth(truncate("注文注文", 4))).toBeLessThanOrEqual(4);
    expect(truncate("orders", 0)).toBe("");
  });

  test("columns of wide letters stay aligned", () => {
    const { head, lines } = renderTable(
      [{ title: "name" }, { title: "n", align: "right" }],
      [
        ["注文", "7"],
        ["orders", "12"],
      ],
      80,
    );
    expect([head, ...lines]).toEqual(["name     n", "注文     7", "orders  12"]);
  });

  test("the flexible column gives way, and no line is longer than the terminal", () => {
    const { lines } = renderTable(
      [{ title: "name", flexible: true }, { title: "why" }],
      [["a_very_long_processor_name", "31 missing"]],
      24,
    );
    expect(lines).toEqual(["a_very_long…  31 missing"]);
  });
});

describe("lines", () => {
  test("are broken between words, the later ones indented", () => {
    expect(wrap("one two three", 10, "  ")).toEqual(["  one two", "  three"]);
  });

  test("keep a word whole that is longer than a line, so that it can be copied", () => {
    expect(wrap("see /a/very/long/path.sql now", 10, "- ")).toEqual([
      "- see",
      "  /a/very/long/path.sql",
      "  now",
    ]);
  });

  test("have colours only where there are some", () => {
    expect(painter(false)("red", "x")).toBe("x");
    expect(painter(true)(["bold", "red"], "x")).toContain("\u001b[");
    expect(displayWidth(painter(true)("red", padEnd("x", 4)))).toBe(4);
  });
});
