// Goal: every alert fires when it should and does not when it should not, names what there is, and comes with a page that helps.
// Method: Debian's promtool, and the files as they are.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { buildProgram } from "../../src/commands/program.ts";
import { recordedSeries, unknownMetrics } from "../support/promql.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}deploy/prometheus/`;
const read = (path: string) => readFileSync(`${root}${path}`, "utf8");

const rulesSchema = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          record: z.string().optional(),
          alert: z.string().optional(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.record(z.string(), z.string()).optional(),
          annotations: z
            .strictObject({ summary: z.string(), description: z.string(), runbook_url: z.string() })
            .optional(),
        }),
      ),
    }),
  ),
});
const testsSchema = z.object({
  tests: z.array(
    z.object({
      alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })),
    }),
  ),
});

const rules = rulesSchema
  .parse(parse(read("deploy/prometheus/rules.yml")))
  .groups.flatMap((group) => group.rules);
const alerts = rules.flatMap(({ alert, ...rule }) => (alert === undefined ? [] : [{ alert, ...rule }]));
const alertNames = [...new Set(alerts.map(({ alert }) => alert))];
const runbooks = readdirSync(`${root}docs/runbooks`).map((file) => file.replace(/\.md$/, ""));

function promtool(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr, error } = spawnSync("promtool", args, { cwd: folder, encoding: "utf8" });
  return { status, said: error === undefined ? stdout + stderr : `${error.message}: run npm run pretest` };
}

test("promtool takes the rules and the scrape config", () => {
  expect(promtool("check", "config", "prometheus.yml")).toMatchObject({ status: 0 });
  expect(promtool("check", "rules", "rules.yml")).toMatchObject({ status: 0 });
});

test("every alert fires and does not fire as its cases say", () => {
  expect(promtool("test", "rules", "rules.test.yml")).toMatchObject({ status: 0 });
}, 120_000);

test("every alert has a case in which it fires, and one in which it does not", () => {
  const cases = testsSchema
    .parse(parse(read("deploy/prometheus/rules.test.yml")))
    .tests.flatMap((one) => one.alert_rule_test);
  const named = (fires: boolean) =>
    new Set(
      cases.filter(({ exp_alerts }) => exp_alerts.length > 0 === fires).map(({ alertname }) => alertname),
    );
  expect(named(true)).toEqual(new Set(alertNames));
  // The dead-man's switch has no case in which it does not: that is what it is for.
  expect(named(false)).toEqual(new Set(alertNames.filter((name) => name !== "GapReconcilerWatchdog")));
});

test("every alert tells people enough: whose it is, what it means, and where to read on", () => {
  for (const { alert, annotations, labels, expr } of alerts) {
    expect(alert).toMatch(/^GapReconciler[A-Z][A-Za-z]+$/);
    expect(annotations?.runbook_url).toBe(`docs/runbooks/${alert}.md`);
    // Static, so that a list of alerts groups by it.
    expect(annotations?.summary).not.toContain("{{");
    const severity = labels?.["severity"];
    if (severity === undefined) expect(expr, alert).toMatch(/severity/);
    else expect(["critical", "warning", "none"]).toContain(severity);
  }
});

test("rules and runbooks name only metrics that there are, with labels that they have", () => {
  const texts = [
    ...rules.map(({ expr }) => expr),
    ...runbooks.map((name) => read(`docs/runbooks/${name}.md`)),
  ];
  expect(texts.flatMap(unknownMetrics)).toEqual([]);
  expect(unknownMetrics('gap_reconciler_gapz > 0 or gap_reconciler_gaps{colour="red"} > 0')).toHaveLength(2);
  const recorded = rules.flatMap(({ record }) => record ?? []);
  const used = new Set(rules.flatMap(({ expr }) => recordedSeries(expr)));
  expect(used.size).toBeGreaterThan(0);
  expect([...used].filter((name) => !recorded.includes(name))).toEqual([]);
});

test("every alert has its runbook, its line in the list, and every runbook its alert", () => {
  expect(runbooks.toSorted()).toEqual(alertNames.toSorted());
  const listed = [...read("docs/alerts.md").matchAll(/\[(GapReconciler\w+)\]\(runbooks\/\1\.md\)/g)];
  expect(new Set(listed.map(([, name]) => name))).toEqual(new Set(alertNames));
});

test.each(runbooks)(
  "%s says what it means, how to look and what to do, with commands that there are",
  (name) => {
    const page = read(`docs/runbooks/${name}.md`);
    expect(page.match(/^#.*$/gm)).toEqual([
      `# ${name}`,
      "## What it means",
      "## How to look",
      "## What to do",
    ]);
    const program = buildProgram({
      env: {},
      stdout: process.stdout,
      stderr: process.stderr,
      stdin: process.stdin,
      signal: new AbortController().signal,
      exitWith: () => undefined,
      exitAfterSignalWith: () => undefined,
    });
    expect(unknownWords(program, "reconcile stats")).toEqual(["stats"]);
    expect(unknownWords(program, "reconcile status --formatt json")).toEqual(["--formatt"]);
    for (const [, line = ""] of page.matchAll(/(?:^|`)(reconcile [^`#\n]+)/gm))
      expect(unknownWords(program, line)).toEqual([]);
    for (const [, target = ""] of page.matchAll(/\]\(([^)#]+)/g)) {
      expect(() => read(`docs/runbooks/${target}`), `the link to ${target}`).not.toThrow();
    }
  },
);

/** The command and the flags of a line that the command line does not know. */
function unknownWords(program: Command, line: string): readonly string[] {
  const [, first = "", ...rest] = line.trim().split(/\s+/);
  const command = first.startsWith("--") ? program : program.commands.find((each) => each.name() === first);
  if (command === undefined) return [first];
  const flags = [first, ...rest].filter((word) => word.startsWith("--"));
  return flags.filter((flag) => !command.options.some(({ long }) => long === flag));
}
