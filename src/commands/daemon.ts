import type { Command } from "commander";
import { flagsOf, type GlobalFlags, type Surroundings, withApp } from "./shared.ts";

export function addDaemonCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("daemon")
    .description("cycle when `daemon.cron` says and repair all the time, until stopped by a signal");
  command.action(() => runDaemon(flagsOf<object>(command), surroundings));
}

async function runDaemon(flags: GlobalFlags, surroundings: Surroundings): Promise<void> {
  // Being stopped is how a daemon ends.
  surroundings.exitAfterSignalWith(0);
  await withApp(flags, surroundings, (app) =>
    app.daemon({
      signal: surroundings.signal,
      onLocked: (message) => {
        if (flags.quiet !== true) surroundings.stderr.write(`waiting: ${message}\n`);
      },
    }),
  );
}
