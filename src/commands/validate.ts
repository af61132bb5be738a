import type { Command } from "commander";
import type { App } from "../compose.ts";
import { ledgerPlace } from "../config/config.ts";
import { coarseEdges } from "../core/coarse-edges.ts";
import { fenceTables } from "../core/fence-names.ts";
import type { Finding } from "../core/finding.ts";
import type { Day } from "../core/iso-date.ts";
import { appendingRepairs } from "../core/repair-advice.ts";
import { localDayAt } from "../core/wall-clock.ts";
import { terminalOf } from "../terminal/terminal.ts";
import { renderValidation, type ValidationDocument } from "../terminal/validation.ts";
import { exitError } from "./exit-code.ts";
import { flagsOf, type GlobalFlags, printJson, type Surroundings, withApp } from "./shared.ts";
import { checkColumns } from "./validate-columns.ts";
import { checkLedger, ledgerPath } from "./validate-ledger.ts";
import { checkQueries, checkRunHistory, checkSchedules, checkSharedDates } from "./validate-queries.ts";
import { checkRepairs } from "./validate-repairs.ts";

interface ValidateFlags {
  readonly connect?: boolean;
  readonly create?: boolean;
}

interface WarehouseCheck {
  readonly tables: number;
  readonly columns: number;
  readonly findings: readonly Finding[];
  /** The dates of each schedule that could be read. */
  readonly dates: ReadonlyMap<string, ReadonlySet<Day>>;
}

export function addValidateCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("validate")
    .description("check the pipeline file; with --connect also everything that it names")
    .option("--connect", "look at every table, column, query and repair target, and at the ledger")
    .option("--create", "make the ledger where there is none");
  command.action(() => validate(flagsOf<ValidateFlags>(command), surroundings));
}

async function validate(flags: ValidateFlags & GlobalFlags, surroundings: Surroundings): Promise<void> {
  await withApp(flags, surroundings, async (app) => {
    const { config, context } = app;
    const warehouse = flags.connect === true ? await checkWarehouse(app, surroundings.env) : null;
    const findings = [
      ...coarseEdges(config.pipeline, warehouse?.dates),
      ...appendingRepairs(config.pipeline),
      ...(warehouse?.findings ?? []),
    ];
    const isCreated = flags.create === true && findings.every(({ place }) => place !== ledgerPath);
    if (isCreated) await context.ledger.create();
    const { pipeline } = config;
    const document: ValidationDocument = {
      schema_version: 1,
      pipeline: pipeline.name,
      target: config.target,
      config_file: config.file,
      valid: findings.every(({ level }) => level !== "error"),
      checked: {
        processors: pipeline.processors.length,
        schedules: pipeline.schedules.length,
        repairs: pipeline.repairUnits.length,
        waivers: pipeline.waivers.length,
        warehouse: warehouse === null ? null : { tables: warehouse.tables, columns: warehouse.columns },
      },
      creates: fenceTables(pipeline, config.storage.type),
      ledger_created: isCreated ? ledgerPlace(config.storage) : null,
      findings,
    };
    const { stdout, env } = surroundings;
    if (flags.format === "json") printJson(surroundings, document);
    else stdout.write(renderValidation(document, terminalOf(stdout, flags, env)));
    if (!document.valid) surroundings.exitWith(exitError);
  });
}

/** Each check asks only about what the one before found nothing wrong with, so that one fault is told once. */
async function checkWarehouse(app: App, env: Surroundings["env"]): Promise<WarehouseCheck> {
  const { warehouse, ledger } = app.context;
  const { pipeline } = app.config;
  await warehouse.connect();
  const now = await warehouse.now();
  const today = localDayAt(now, pipeline.timezone);
  const { tables, columns, findings, typeOf } = await checkColumns(pipeline, warehouse);
  const broken = new Set(findings.map(({ place }) => place));
  const schedules = await checkSchedules(pipeline, warehouse, today, broken);
  const all = [
    ...findings,
    ...schedules.findings,
    ...(await checkQueries(pipeline, warehouse, today, broken)),
    ...(await checkRunHistory(pipeline, warehouse, today, broken)),
    ...checkSharedDates(pipeline, schedules.dates),
    ...(await checkRepairs(pipeline, warehouse, app.context.executor, env, { broken, typeOf })),
    ...(await checkLedger(ledger, now)),
  ];
  return { tables, columns, findings: all, dates: schedules.dates };
}
