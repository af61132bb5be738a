import { describe, expect, test } from "vitest";
import { harmless, harmlessLine } from "../../src/presentation/harmless.ts";

describe("text of others", () => {
  test("loses what would drive the terminal, keeps its lines and letters", () => {
    const text = "\u001b[2J\u001b]0;title\u0007done\r\n50%\r100%\tok\u0000\u202egnp";
    expect(harmless(text)).toBe("done\n50%\n100%  okgnp");
  });

  test("is one line where one is asked for", () => {
    expect(harmlessLine("  a\n\tb\u001b[0m ")).toBe("a b");
  });
});
