import { Command, CommanderError } from "commander";
import { version } from "../compose/version.ts";
import { didYouMean } from "../config/nearest.ts";
import { ReconcilerError } from "../errors.ts";
import { addConfigCommand } from "./config.ts";
import { addDaemonCommand } from "./daemon.ts";
import { addDecisionCommands } from "./decide.ts";
import { addDemoCommand } from "./demo.ts";
import { addExplainCommand } from "./explain.ts";
import { addPlanCommand } from "./plan.ts";
import { addReportCommand } from "./report.ts";
import { addRunCommand, addRunFlags, type RunFlags, runOnce } from "./run.ts";
import { addGlobalFlags, flagsOf, type Surroundings } from "./shared.ts";
import { addStatusCommand } from "./status.ts";
import { addValidateCommand } from "./validate.ts";

/** The command line as a whole. Errors in its use are thrown as ReconcilerError `usage`. */
export function buildProgram(surroundings: Surroundings): Command {
  const program = new Command("reconcile");
  program
    .description("Finds and repairs gaps in date-partitioned warehouse tables.")
    .version(version())
    .option("--once", "repair until converged, or until nothing more can be done")
    .showHelpAfterError(false);
  addRunFlags(addGlobalFlags(program));
  program.action(async () => {
    checkCommand(program);
    const flags = flagsOf<RunFlags & { readonly once?: boolean }>(program);
    if (flags.once !== true) program.outputHelp();
    else await runOnce(flags, surroundings);
  });
  program.hook("preAction", (_program, command) => checkFlagsBefore(program, command));
  addRunCommand(program, surroundings);
  addDaemonCommand(program, surroundings);
  addPlanCommand(program, surroundings);
  addStatusCommand(program, surroundings);
  addExplainCommand(program, surroundings);
  addReportCommand(program, surroundings);
  addDecisionCommands(program, surroundings);
  addValidateCommand(program, surroundings);
  addConfigCommand(program, surroundings);
  addDemoCommand(program, surroundings);
  // An argument that is no command is told as one, not counted as one too many. Only now, as commands inherit it.
  program.allowExcessArguments();
  for (const command of [program, ...program.commands]) throwErrors(command, surroundings);
  for (const command of program.commands) addGlobalFlags(command);
  return program;
}

function checkCommand(program: Command): void {
  const [name] = program.args;
  if (name === undefined) return;
  const known = program.commands.map((command) => command.name());
  throw new ReconcilerError("usage", `there is no command "${name}"`, {
    hint: didYouMean(name, known) ?? "see: reconcile --help",
  });
}

/**
 * What stands before a command and is none of its flags would be passed over: `--dry-run daemon` would repair.
 * @throws ReconcilerError `usage`
 */
function checkFlagsBefore(program: Command, command: Command): void {
  if (command === program) return;
  const own = new Set(command.options.map((option) => option.attributeName()));
  for (const option of program.options) {
    const name = option.attributeName();
    if (own.has(name) || program.getOptionValueSource(name) !== "cli") continue;
    throw new ReconcilerError(
      "usage",
      `${option.long ?? name} does not go with the command ${command.name()}`,
      {
        hint: `see: reconcile ${command.name()} --help`,
      },
    );
  }
}

/** Commander would print and exit by itself; here only `cli.ts` does. */
function throwErrors(command: Command, { stdout }: Surroundings): void {
  command
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: () => undefined })
    .exitOverride((error: CommanderError) => {
      if (error.exitCode === 0) return;
      const message = error.message.replace(/^error: /, "");
      throw new ReconcilerError("usage", message, {
        hint: `see: ${command.name() === "reconcile" ? "" : "reconcile "}${command.name()} --help`,
      });
    });
}
