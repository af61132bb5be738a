// Goal: no forbidden import can reach src/ unseen. Method: plant each kind in a temporary tree and expect it to be named.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { checkArrows } from "../../scripts/check-arrows.ts";

const trees: string[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true, force: true });
});

function check(files: Readonly<Record<string, string>>): readonly string[] {
  const tree = mkdtempSync(join(tmpdir(), "arrows-"));
  trees.push(tree);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  return checkArrows(tree);
}

describe("checkArrows", () => {
  it("accepts every arrow of the design", () => {
    const violations = check({
      "cli.ts": `import { run } from "./commands/run.ts"; import { e } from "./errors.ts";`,
      "commands/run.ts": `import { compose } from "../compose.ts";
        import type { Cycle } from "../reconcile/cycle.ts";
        import { table } from "../terminal/table.ts";
        import { load } from "../config/load.ts";`,
      "compose.ts": `import { cycle } from "./reconcile/cycle.ts";
        import { duckdb } from "./adapters/duckdb/warehouse.ts";
        import { server } from "./http/server.ts";
        import { metrics } from "./observability/metrics.ts";`,
      "reconcile/ports.ts": `import type { IsoDate } from "../core/iso-date.ts";`,
      "reconcile/cycle.ts": `import type { Clock } from "./ports.ts"; import { plan } from "../core/plan.ts";`,
      "adapters/duckdb/warehouse.ts": `import { readFile } from "node:fs/promises";
        import { DuckDBInstance } from "@duckdb/node-api";
        import { quote } from "../sql-text.ts";
        import type { Warehouse } from "../../reconcile/ports.ts";
        import { day } from "../../core/iso-date.ts";`,
      "http/server.ts": `import type { Ledger } from "../reconcile/ports/ledger.ts"; import { e } from "../errors.ts";`,
      "config/schema.ts": `import { z } from "zod"; import { day } from "../core/iso-date.ts";`,
      "observability/metrics.ts": `import type { State } from "../core/state.ts";`,
      "core/plan.ts": `import { day } from "./iso-date.ts"; import { fail } from "../errors.ts";
        // import { x } from "../adapters/x.ts"; Date.now() and Math.random() in words are no calls
        export const at = (now: number, job: { process: string }) => new Date(now) && job.process && "process.env";`,
      "errors.ts": `export class ReconcilerError extends Error {}`,
    });

    expect(violations).toEqual([]);
  });

  const forbidden: readonly (readonly [file: string, text: string, named: string])[] = [
    ["core/a.ts", `import { x } from "../reconcile/ports.ts";`, "core must not import reconcile"],
    ["core/a.ts", `import { x } from "../config/schema.ts";`, "core must not import config"],
    ["core/a.ts", `import { x } from "../adapters/duckdb/x.ts";`, "core must not import adapters"],
    ["core/a.ts", `import { x } from "node:fs";`, `core must not import "node:fs"`],
    ["core/a.ts", `import type { x } from "zod";`, `core must not import "zod"`],
    ["errors.ts", `import { x } from "./core/x.ts";`, "errors must not import core"],
    ["errors.ts", `import { x } from "node:os";`, `errors must not import "node:os"`],
    ["config/a.ts", `import { x } from "../reconcile/ports.ts";`, "config must not import reconcile"],
    ["config/a.ts", `import { x } from "../adapters/x.ts";`, "config must not import adapters"],
    ["reconcile/a.ts", `import { x } from "../adapters/x.ts";`, "reconcile must not import adapters"],
    ["reconcile/a.ts", `import { x } from "../config/x.ts";`, "reconcile must not import config"],
    ["reconcile/a.ts", `import { x } from "../compose.ts";`, "reconcile must not import compose"],
    [
      "reconcile/a.ts",
      `import { x } from "../observability/x.ts";`,
      "reconcile must not import observability",
    ],
    [
      "adapters/a/b.ts",
      `import { x } from "../../reconcile/cycle.ts";`,
      "adapters must not import reconcile",
    ],
    ["adapters/a/b.ts", `import { x } from "../../http/x.ts";`, "adapters must not import http"],
    ["adapters/a/b.ts", `import { x } from "../../compose.ts";`, "adapters must not import compose"],
    ["http/a.ts", `import { x } from "../reconcile/cycle.ts";`, "http must not import reconcile"],
    ["http/a.ts", `import { x } from "../adapters/x.ts";`, "http must not import adapters"],
    ["observability/a.ts", `import { x } from "../adapters/x.ts";`, "observability must not import adapters"],
    ["terminal/a.ts", `import { x } from "../compose.ts";`, "terminal must not import compose"],
    ["compose.ts", `import { x } from "./commands/x.ts";`, "compose must not import commands"],
    ["commands/a.ts", `import { x } from "../adapters/x.ts";`, "commands must not import adapters"],
    ["commands/a.ts", `import { x } from "../http/x.ts";`, "commands must not import http"],
    [
      "commands/a.ts",
      `import { x } from "../reconcile/x.ts";`,
      "commands may import only types from reconcile",
    ],
    ["commands/a.ts", `import { x } from "../cli.ts";`, "commands must not import cli"],
    ["cli.ts", `import { x } from "./adapters/x.ts";`, "cli must not import adapters"],
    ["cli.ts", `import { x } from "./reconcile/x.ts";`, "cli must not import reconcile"],
    ["helpers/a.ts", `export const x = 1;`, "no rule says what src/helpers may import"],
    ["config/a.ts", `import { x } from "../../test/x.ts";`, `config must not import "../../test/x.ts"`],
  ];
  it.each(forbidden)("names the violation in %s: %s", (file, text, named) => {
    const violations = check({ [file]: text });

    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`src/${file}`);
    expect(violations[0]).toContain(named);
  });

  const disguises: readonly string[] = [
    `import "../adapters/x.ts";`,
    `import type { X } from "../adapters/x.ts";`,
    `import {\n  type X,\n} from "../adapters/x.ts";`,
    `import * as x from "../adapters/x.ts";`,
    `export { x } from "../adapters/x.ts";`,
    `export type { X } from "../adapters/x.ts";`,
    `export * from "../adapters/x.ts";`,
    `export * as x from "../adapters/x.ts";`,
    `const x = await import("../adapters/x.ts");`,
    `type X = import("../adapters/x.ts").X;`,
    `import x = require("../adapters/x.ts");`,
    `const x = require("../adapters/x.ts");`,
    `import x from "./../core/../adapters/x.ts";`,
    `import { x } /* from "./y.ts" */ from "../adapters/x.ts";`,
  ];
  it.each(disguises)("sees the import in %s", (text) => {
    expect(check({ "core/a.ts": text })).toEqual([
      expect.stringMatching(/^src\/core\/a\.ts:1: core must not import adapters/),
    ]);
  });

  it.each(["const name = `x`; await import(name);", "await import(`../adapters/${1}.ts`);"])(
    "refuses an import that cannot be followed: %s",
    (text) => {
      expect(check({ "reconcile/a.ts": text })).toEqual([expect.stringContaining("computed path")]);
    },
  );

  it.each([
    ["export const at = Date.now();", "Date.now"],
    [`export const at = Date["now"]();`, "Date.now"],
    ["export const at = new Date();", "new Date()"],
    ["export const at = Date();", "Date()"],
    ["export const x = Math.random();", "Math.random"],
    ["export const x = process.env;", "process"],
    ["export const now = Date.now;", "Date.now"],
  ])("keeps core pure: %s", (text, what) => {
    expect(check({ "core/a.ts": text })).toEqual([expect.stringContaining(`core must not use ${what}:`)]);
    expect(check({ "reconcile/a.ts": text })).toEqual([]);
  });

  it("gives the line of each violation and checks every file", () => {
    const violations = check({
      "core/deep/er/a.ts": `import { day } from "../../iso-date.ts";\n\nimport { x } from "../../../http/x.ts";`,
      "adapters/job.mjs": `export const x = 1;\nimport "../compose.ts";`,
    });

    expect(violations).toEqual([
      `src/adapters/job.mjs:2: adapters must not import compose ("../compose.ts")`,
      `src/core/deep/er/a.ts:3: core must not import http ("../../../http/x.ts")`,
    ]);
  });

  it("reports a file that cannot be parsed rather than passing it", () => {
    expect(check({ "core/a.ts": "import { from ;" })[0]).toMatch(/^src\/core\/a\.ts:1: cannot be parsed/);
  });

  it("reports a tree without source files rather than passing it", () => {
    expect(check({ "core/notes.md": "text" })[0]).toContain("no source files to check");
  });
});
