import type { Command } from "commander";
import { resultDocument } from "../core/result-document.ts";
import { activityDocument, renderActivity } from "../terminal/activity.ts";
import { renderGrid } from "../terminal/grid.ts";
import { renderSummary } from "../terminal/summary.ts";
import { terminalOf } from "../terminal/terminal.ts";
import { costOf } from "./cost-of.ts";
import {
  addAsOfFlag,
  addSelectionFlags,
  type AsOfFlag,
  flagsOf,
  type GlobalFlags,
  lookAsTold,
  parseDuration,
  printJson,
  type SelectionFlags,
  type Surroundings,
  withApp,
} from "./shared.ts";

interface StatusFlags extends SelectionFlags, AsOfFlag {
  readonly since?: number;
}

export function addStatusCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("status")
    .description("show the grid, the counts and the root causes")
    .option(
      "--since <duration>",
      "what was opened, closed, repaired and decided since, such as 24h",
      parseDuration,
    );
  addAsOfFlag(addSelectionFlags(command)).action(() =>
    showStatus(flagsOf<StatusFlags>(command), surroundings),
  );
}

async function showStatus(flags: StatusFlags & GlobalFlags, surroundings: Surroundings): Promise<void> {
  await withApp(flags, surroundings, async (app) => {
    const look = await lookAsTold(app, flags, surroundings);
    const { assessment } = look;
    // What nobody is billed for needs no forecast.
    const forecast = app.config.storage.type === "duckdb" ? undefined : await look.forecast(look.steps());
    const cost = costOf(app.config, assessment, look.scanBytes, forecast);
    const since = flags.since === undefined ? null : assessment.now - flags.since;
    const activity = since === null ? null : await app.context.ledger.since(since);
    const document = resultDocument({ assessment, target: app.config.target, steps: [], repairs: [], cost });
    const { stdout } = surroundings;
    if (flags.format === "json") {
      const named = await app.nameKeys(document);
      printJson(surroundings, activity === null ? named : { ...named, activity: activityDocument(activity) });
      return;
    }
    const terminal = terminalOf(stdout, flags, surroundings.env);
    stdout.write(`${renderGrid(assessment, terminal)}\n${renderSummary(document, terminal)}`);
    if (activity !== null) stdout.write(`\n${renderActivity(activity, terminal)}`);
  });
}
