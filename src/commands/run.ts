import type { Command } from "commander";
import { resultDocument } from "../core/result-document.ts";
import { ReconcilerError } from "../errors.ts";
import { createProgress } from "../terminal/progress.ts";
import { renderSummary } from "../terminal/summary.ts";
import { terminalOf } from "../terminal/terminal.ts";
import { costOf } from "./cost-of.ts";
import { exitCodeOf, exitGaps } from "./exit-code.ts";
import { runPlan } from "./plan.ts";
import {
  addAsOfFlag,
  addSelectionFlags,
  type AsOfFlag,
  flagsOf,
  type GlobalFlags,
  parseDuration,
  parseExitCode,
  printJson,
  type SelectionFlags,
  selectionOf,
  type Surroundings,
  withApp,
} from "./shared.ts";

export interface RunFlags extends SelectionFlags, AsOfFlag {
  readonly singlePass?: boolean;
  readonly maxWait?: number;
  readonly gapsExitCode?: number;
  readonly dryRun?: boolean;
  readonly metricsFile?: string;
}

/** Long enough for the backoff of an ordinary repair and for a run that was accepted elsewhere. */
const maxWaitMsDefault = 3_600_000;

/** The flags of `run`, which `--once` takes too. */
export function addRunFlags(command: Command): Command {
  const flagged = addSelectionFlags(command)
    .option("--single-pass", "one cycle: leave what its repairs unblock for the next run")
    .option(
      "--max-wait <duration>",
      "wait so long in all for backoff, other processes and runs elsewhere (default: 1h)",
      parseDuration,
    )
    .option("--gaps-exit-code <n>", "exit with this when gaps remain (default: 2)", parseExitCode)
    .option("--metrics-file <path>", "write metrics there when it ends, for a textfile collector (*.prom)")
    .option("--dry-run", "print the plan, write nothing (= reconcile plan)");
  return addAsOfFlag(flagged);
}

export function addRunCommand(program: Command, surroundings: Surroundings): void {
  const command = program.command("run").description("repair until converged (= reconcile --once)");
  addRunFlags(command).action(() => runOnce(flagsOf<RunFlags>(command), surroundings));
}

export async function runOnce(flags: RunFlags & GlobalFlags, surroundings: Surroundings): Promise<void> {
  if (flags.dryRun === true) return runPlan(flags, surroundings);
  if (flags.asOf !== undefined) {
    throw new ReconcilerError(
      "usage",
      "--as-of goes with plan, status, explain and report, not with a run that repairs",
      {
        hint: "add --dry-run, or leave --as-of out",
      },
    );
  }
  await withApp(flags, surroundings, async (app) => {
    const selection = selectionOf(flags, app.config.pipeline);
    const terminal = terminalOf(surroundings.stderr, flags, surroundings.env);
    const progress = createProgress(surroundings.stderr, {
      ...terminal,
      quiet: flags.quiet === true,
      log: surroundings.stderr.isTTY ? null : app.logProgress,
    });
    const result = await app
      .once(
        {
          selection,
          asOf: null,
          maxAgeMs: null,
          singlePass: flags.singlePass === true,
          maxWaitMs: flags.maxWait ?? maxWaitMsDefault,
          ...(flags.metricsFile === undefined ? {} : { metricsFile: flags.metricsFile }),
          listener: progress,
          signal: surroundings.signal,
        },
        (message) => {
          // Without a terminal the log says it.
          if (terminal.interactive && flags.quiet !== true) progress.writeAbove(`waiting: ${message}\n`);
        },
      )
      .finally(() => progress.stop());
    const { assessment, repairs } = result;
    const cost = costOf(app.config, assessment, result.scanBytes);
    const document = resultDocument({ assessment, target: app.config.target, steps: [], repairs, cost });
    if (flags.format === "json") printJson(surroundings, await app.nameKeys(document));
    else
      surroundings.stdout.write(
        renderSummary(document, terminalOf(surroundings.stdout, flags, surroundings.env)),
      );
    if (!result.stopped)
      surroundings.exitWith(exitCodeOf(document, assessment, flags.gapsExitCode ?? exitGaps));
  });
}
