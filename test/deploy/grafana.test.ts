// Goal: the dashboard in the repository is the one that its code makes, and every question that it asks has an answer.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { buildDashboard } from "../../scripts/dashboard/build.ts";
import { dashboardRows } from "../../scripts/dashboard/rows.ts";
import { metricCatalog, metricPrefix } from "../../src/observability/metric-catalog.ts";
import { unknownMetrics } from "../support/promql.ts";

const file = new URL("../../deploy/grafana/gap-reconciler.json", import.meta.url);
const onDisk: unknown = JSON.parse(readFileSync(file, "utf8"));
const dashboard = z
  .object({
    panels: z.array(
      z.object({
        id: z.number(),
        title: z.string(),
        description: z.string().optional(),
        type: z.string(),
        datasource: z.unknown().optional(),
        targets: z.array(z.object({ expr: z.string(), datasource: z.unknown() })).optional(),
      }),
    ),
    templating: z.object({ list: z.array(z.object({ name: z.string(), query: z.unknown() })) }),
  })
  .parse(onDisk);
const panels = dashboard.panels.filter(({ type }) => type !== "row");
const targets = panels.flatMap((panel) => panel.targets ?? []);

test("the dashboard in the repository is that of the code: `npm run dashboard` writes it", () => {
  expect(onDisk).toEqual(JSON.parse(JSON.stringify(buildDashboard(dashboardRows))));
});

test("it goes from what is lacking to the health of the daemon, and every panel says what it shows", () => {
  expect(dashboard.panels.filter(({ type }) => type === "row").map(({ title }) => title)).toEqual([
    "Convergence",
    "Burn-down of gaps",
    "Oldest gaps",
    "Repairs",
    "Cost",
    "Health of the daemon itself",
  ]);
  expect(panels.filter(({ description = "" }) => description === "")).toEqual([]);
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
});

test("pipelines, processors and the Prometheus are chosen above it, and every panel heeds them", () => {
  expect(dashboard.templating.list.map(({ name }) => name)).toEqual(["datasource", "pipeline", "processor"]);
  const chosen = { type: "prometheus", uid: "${datasource}" };
  expect(panels.filter(({ datasource }) => JSON.stringify(datasource) !== JSON.stringify(chosen))).toEqual(
    [],
  );
  for (const { expr } of targets) {
    const selectors = expr.match(/gap_reconciler_\w+(\{[^}]*\})?/g) ?? [];
    expect(selectors, expr).not.toEqual([]);
    expect(selectors.filter((selector) => !selector.includes('pipeline=~"$pipeline"'))).toEqual([]);
  }
});

test("it asks only for metrics that there are, by labels that they have, and shows nearly all of them", () => {
  const asked = [...targets.map(({ expr }) => expr), JSON.stringify(dashboard.templating)];
  expect(asked.flatMap(unknownMetrics)).toEqual([]);
  const unseen = Object.keys(metricCatalog).filter(
    (name) => !asked.some((text) => text.includes(`${metricPrefix}${name}`)),
  );
  expect(unseen.length / Object.keys(metricCatalog).length).toBeLessThan(0.1);
});

test("Prometheus understands every question", () => {
  const folder = mkdtempSync(join(tmpdir(), "gap-reconciler-dashboard-"));
  try {
    const rules = targets.map(({ expr }, index) => ({
      record: `panel:query${index}:expr`,
      expr: expr.replaceAll("$__rate_interval", "5m"),
    }));
    // JSON is YAML.
    writeFileSync(join(folder, "rules.yml"), JSON.stringify({ groups: [{ name: "panels", rules }] }));
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "rules", "rules.yml"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect({ status, said: stdout + stderr }).toMatchObject({ status: 0 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
