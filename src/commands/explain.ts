import type { Command } from "commander";
import type { IsoDate } from "../core/iso-date.ts";
import { renderExplanation } from "../terminal/explain.ts";
import { terminalOf } from "../terminal/terminal.ts";
import {
  addAsOfFlag,
  type AsOfFlag,
  checkKnown,
  flagsOf,
  type GlobalFlags,
  parseDate,
  printJson,
  type Surroundings,
  withApp,
} from "./shared.ts";

export function addExplainCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("explain")
    .description("why one cell is what it is, and what happens next to it")
    .argument("<processor>", "its name")
    .argument("<date>", "such as 2024-01-31", parseDate);
  addAsOfFlag(command).action((processor: string, date: IsoDate) =>
    explain(processor, date, flagsOf<AsOfFlag>(command), surroundings),
  );
}

async function explain(
  name: string,
  date: IsoDate,
  flags: AsOfFlag & GlobalFlags,
  surroundings: Surroundings,
): Promise<void> {
  await withApp(flags, surroundings, async (app) => {
    const names = app.config.pipeline.processors.map((known) => known.name);
    checkKnown(name, names, "PROCESSOR", "processor");
    const { assessment } = await app.look({
      selection: { processors: null, startDate: null, endDate: date },
      asOf: flags.asOf ?? null,
      signal: surroundings.signal,
    });
    const processor = app.context.compiled.byName.get(name);
    if (processor === undefined) throw new TypeError(`the pipeline lost its processor ${name}`);
    const { document, explanation, attempts, sql } = await app.explain(assessment, processor, date);
    if (flags.format === "json") {
      printJson(surroundings, document);
      return;
    }
    const terminal = terminalOf(surroundings.stdout, flags, surroundings.env);
    surroundings.stdout.write(renderExplanation(explanation, attempts, sql, terminal));
  });
}
