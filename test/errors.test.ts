import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { errorCodes } from "../src/errors.ts";

test("docs/errors.md describes every error code, and no other", async () => {
  const page = await readFile(new URL("../docs/errors.md", import.meta.url), "utf8");
  const described = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1]);
  expect(new Set(described)).toEqual(new Set<string | undefined>(errorCodes));
});
