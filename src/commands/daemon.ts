import { type Command, Option } from "commander";
import { ReconcilerError } from "../errors.ts";
import { flagsOf, type GlobalFlags, type Surroundings, withApp } from "./shared.ts";

export function addDaemonCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("daemon")
    .description("cycle when `daemon.cron` says and repair all the time, until stopped by a signal")
    .addOption(
      new Option("--role <role>", "what this process does beside others (default: all)").choices([
        "all",
        "planner",
        "worker",
      ]),
    );
  command.action(() => runDaemon(flagsOf<DaemonFlags>(command), surroundings));
}

interface DaemonFlags {
  readonly role?: "all" | "planner" | "worker";
}

async function runDaemon(flags: DaemonFlags & GlobalFlags, surroundings: Surroundings): Promise<void> {
  // Being stopped is how a daemon ends.
  surroundings.exitAfterSignalWith(0);
  await withApp(flags, surroundings, async (app) => {
    const { role = "all" } = flags;
    if (role !== "all" && app.config.redis === null) {
      throw new ReconcilerError("usage", `--role ${role} needs a redis section in the config`, {
        hint: "without one a daemon works alone: leave --role out",
      });
    }
    await app.daemon({
      role,
      signal: surroundings.signal,
      onLocked: (message) => {
        // The log says it too.
        if (surroundings.stderr.isTTY && flags.quiet !== true)
          surroundings.stderr.write(`waiting: ${message}\n`);
      },
    });
  });
}
