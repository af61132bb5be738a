import type { Command } from "commander";
import { stringify } from "yaml";
import { flagsOf, printJson, readConfig, type Surroundings } from "./shared.ts";

export function addConfigCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("config")
    .description("print the configuration in force: merged, with its defaults, secrets masked")
    .option("--resolved", "the merged result (this is what it prints in any case)");
  command.action(async () => {
    const flags = flagsOf(command);
    const config = await readConfig(flags, surroundings);
    if (flags.format === "json") printJson(surroundings, config.jsonDocument);
    else surroundings.stdout.write(stringify(config.jsonDocument));
  });
}
