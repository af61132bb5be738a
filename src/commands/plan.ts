import type { Command } from "commander";
import { resultDocument } from "../core/result-document.ts";
import { renderPlan } from "../terminal/plan-table.ts";
import { terminalOf } from "../terminal/terminal.ts";
import { costOf } from "./cost-of.ts";
import { exitCodeOf, exitGaps } from "./exit-code.ts";
import {
  addAsOfFlag,
  addSelectionFlags,
  type AsOfFlag,
  flagsOf,
  type GlobalFlags,
  lookAsTold,
  parseExitCode,
  printJson,
  type SelectionFlags,
  type Surroundings,
  withApp,
} from "./shared.ts";

interface PlanFlags extends SelectionFlags, AsOfFlag {
  readonly gapsExitCode?: number;
}

export function addPlanCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("plan")
    .description("print the whole cascade of repairs, as if each worked; write nothing")
    .option("--gaps-exit-code <n>", "exit with this when there are gaps (default: 2)", parseExitCode);
  addAsOfFlag(addSelectionFlags(command)).action(() => runPlan(flagsOf<PlanFlags>(command), surroundings));
}

export async function runPlan(flags: PlanFlags & GlobalFlags, surroundings: Surroundings): Promise<void> {
  await withApp(flags, surroundings, async (app) => {
    const look = await lookAsTold(app, flags, surroundings);
    const { assessment } = look;
    const steps = look.steps();
    const forecastBytes = await look.forecast(steps);
    const cost = costOf(app.config, assessment, look.scanBytes, forecastBytes);
    const { target } = app.config;
    const document = resultDocument({ assessment, target, steps, forecastBytes, repairs: [], cost });
    if (flags.format === "json") printJson(surroundings, await app.nameKeys(document));
    else
      surroundings.stdout.write(
        renderPlan(document, terminalOf(surroundings.stdout, flags, surroundings.env)),
      );
    surroundings.exitWith(exitCodeOf(document, assessment, flags.gapsExitCode ?? exitGaps));
  });
}
