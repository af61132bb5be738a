import { describe, expect, test } from "vitest";
import { ReconcilerError } from "../../src/errors.ts";
import { errorDocument, renderError } from "../../src/terminal/error.ts";
import { golden, hasEscapes } from "./lines.ts";

const plain = { columns: 80, color: false };

describe("an error", () => {
  test("says what is wrong, where, and what to do, without a stack", () => {
    const error = new ReconcilerError("warehouse_not_found", "expected a DuckDB file, found none", {
      path: "/data/warehouse.duckdb",
      hint: "check warehouse.path",
    });
    expect(renderError(error, { ...plain, debug: true })).toBe(
      golden(`
error: expected a DuckDB file, found none
  at  /data/warehouse.duckdb
  to do  check warehouse.path
`),
    );
  });

  test("keeps the layout of a message of several lines and does not repeat the place in it", () => {
    const error = new ReconcilerError(
      "config_invalid",
      "p.yaml is not valid: 1 error\n\n  p.yaml:3:5  x\n    expected  y",
      {
        path: "p.yaml",
      },
    );
    expect(renderError(error, plain)).toBe(
      "error: p.yaml is not valid: 1 error\n\n  p.yaml:3:5  x\n    expected  y\n",
    );
  });

  test("breaks a long message where the terminal ends", () => {
    const text = renderError(new ReconcilerError("usage", "word ".repeat(30)), plain);
    expect(text.split("\n").every((line) => line.length <= 80)).toBe(true);
    expect(text.split("\n")[1]).toMatch(/^ {7}word/);
  });

  test("that nobody foresaw is called a bug, with its stack only for debugging", () => {
    const error = new TypeError("x is undefined");
    const text = renderError(error, plain);
    expect(text).toContain("error: x is undefined\n");
    expect(text).toContain("this is a bug of gap-reconciler");
    expect(text).not.toContain("error.test.ts");
    expect(renderError(error, { ...plain, debug: true })).toContain("error.test.ts");
  });

  test("may be anything that was thrown", () => {
    expect(renderError("boom", plain)).toContain("error: boom\n");
    expect(renderError(undefined, plain)).toContain("error: undefined\n");
  });

  test("never drives the terminal with what it quotes", () => {
    const text = renderError(
      new ReconcilerError("usage", "found \u001b[2J", { hint: "\u001b]0;x\u0007" }),
      plain,
    );
    expect(hasEscapes(text)).toBe(false);
    expect(hasEscapes(renderError(new ReconcilerError("usage", "x"), { ...plain, color: true }))).toBe(true);
  });

  test("is a document for programs", () => {
    expect(errorDocument(new ReconcilerError("usage", "no", { hint: "do", path: "p" }))).toEqual({
      error: { code: "usage", message: "no", hint: "do", path: "p" },
    });
    expect(errorDocument(new Error("a\nb"))).toEqual({
      error: { code: "internal", message: "a b", hint: expect.stringContaining("bug"), path: null },
    });
  });
});
