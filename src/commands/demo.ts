import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import type { App } from "../compose.ts";
import type { Assessment } from "../core/assessment.ts";
import { completionReport } from "../core/completion-report.ts";
import { explainCell } from "../core/explain.ts";
import { dateAt, Disposition } from "../core/grid.ts";
import type { Processor } from "../core/pipeline.ts";
import { resultDocument } from "../core/result-document.ts";
import { exampleDirectory } from "../demo/tables.ts";
import { renderExplanation } from "../terminal/explain.ts";
import { renderGrid } from "../terminal/grid.ts";
import { createProgress } from "../terminal/progress.ts";
import { renderReportMarkdown } from "../terminal/report-markdown.ts";
import { renderSummary } from "../terminal/summary.ts";
import { type Terminal, terminalOf } from "../terminal/terminal.ts";
import { wrap } from "../terminal/text.ts";
import { exitCodeOf, exitGaps } from "./exit-code.ts";
import { flagsOf, type GlobalFlags, type Surroundings, withApp } from "./shared.ts";

interface DemoFlags {
  readonly keep?: boolean;
}

const everything = { processors: null, startDate: null, endDate: null };

export function addDemoCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("demo")
    .description("see all of it on a made-up warehouse of four seasons, without a server")
    .option("--keep", "keep the warehouse and its pipeline file, to try other commands on them");
  command.action(() => demo(flagsOf<DemoFlags>(command), surroundings));
}

async function demo(flags: DemoFlags & GlobalFlags, surroundings: Surroundings): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "gap-reconciler-demo-"));
  const config = join(folder, "pipeline.yaml");
  const warehouse = join(folder, "nba.duckdb");
  const { stdout } = surroundings;
  try {
    await cp(fileURLToPath(exampleDirectory), folder, { recursive: true });
    stdout.write("1. Four seasons of an NBA prediction platform, computed in DuckDB …\n");
    // Loaded late, as everything that brings the database with it.
    const { buildDemoWarehouse } = await import("../demo/build.ts");
    const { seedStories } = await import("../demo/stories.ts");
    await buildDemoWarehouse(warehouse);
    stdout.write("2. … and what happened to them, as it happens to real pipelines:\n\n");
    const stories = await seedStories(warehouse);
    const { columns } = terminalOf(stdout, flags, surroundings.env);
    for (const story of stories)
      stdout.write(`${wrap(`${story.title}. ${story.detail}`, columns, "   ").join("\n")}\n`);
    const demoFlags = { ...flags, config, target: "local" };
    await withApp(demoFlags, surroundings, (app) => tell(app, demoFlags, surroundings));
    if (flags.keep === true) stdout.write(`\nkept: reconcile status --config ${config}\n`);
  } finally {
    if (flags.keep !== true) await rm(folder, { recursive: true, force: true });
  }
}

/** Shows, explains, repairs, shows again: what a person would do by hand, command by command. */
async function tell(app: App, flags: GlobalFlags, surroundings: Surroundings): Promise<void> {
  const { stdout, signal } = surroundings;
  const terminal = terminalOf(stdout, flags, surroundings.env);
  const { target } = app.config;
  const { assessment: before } = await app.look({ selection: everything, asOf: null, signal });
  stdout.write("\n3. What the warehouse holds, against its schedule: reconcile status\n\n");
  stdout.write(`${renderGrid(before, terminal)}\n`);
  stdout.write(
    renderSummary(
      resultDocument({ assessment: before, target, steps: [], repairs: [], cost: null }),
      terminal,
    ),
  );
  stdout.write(await explainDeepest(app, before, terminal));
  stdout.write(
    "\n5. Repair in dependency order, every result proven by the next query: reconcile --once\n\n",
  );
  const result = await repairAll(app, flags, surroundings);
  stdout.write("6. What the warehouse holds now: reconcile status, reconcile report\n\n");
  stdout.write(`${renderGrid(result.assessment, terminal)}\n`);
  const after = resultDocument({ ...result, target, steps: [], cost: null });
  stdout.write(renderSummary(after, terminal));
  const report = completionReport({
    assessment: result.assessment,
    target,
    before: { kind: "assessment", assessment: before },
  });
  stdout.write(`\n${renderReportMarkdown(report)}`);
  if (!result.stopped) surroundings.exitWith(exitCodeOf(after, result.assessment, exitGaps));
}

async function repairAll(app: App, flags: GlobalFlags, { stderr, env, signal }: Surroundings) {
  const progress = createProgress(stderr, {
    ...terminalOf(stderr, flags, env),
    quiet: flags.quiet === true,
    log: stderr.isTTY ? null : app.logProgress,
  });
  const options = { selection: everything, asOf: null, maxAgeMs: null, singlePass: false, maxWaitMs: 60_000 };
  return app.once({ ...options, listener: progress, signal }, () => undefined).finally(() => progress.stop());
}

/** The blocked cell of the last phase that has one: its causes lie deepest. */
async function explainDeepest(app: App, assessment: Assessment, terminal: Terminal): Promise<string> {
  const { grid } = assessment;
  for (const processor of grid.pipeline.processors.toReversed()) {
    const position = firstBlocked(assessment, processor);
    if (position === null) continue;
    const date = dateAt(grid.axis, position);
    const sql = await app.context.warehouse.describeProfile(processor, date);
    const text = renderExplanation(explainCell(assessment, processor, position), [], sql, terminal);
    return `\n4. Why one of these dates is empty: reconcile explain ${processor.name} ${date}\n\n${text}`;
  }
  return "";
}

function firstBlocked({ grid }: Assessment, processor: Processor): number | null {
  const row = processor.index * grid.axis.length;
  const found = grid.dispositions.subarray(row, row + grid.axis.length).indexOf(Disposition.blocked);
  return found < 0 ? null : found;
}
