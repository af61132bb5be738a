import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { basename, delimiter, isAbsolute, join, resolve } from "node:path";
import { withoutComments } from "../config/loaded.ts";
import { midnightComparison } from "../core/last-day.ts";
import { type Pipeline, type Processor, type RepairUnit, tableText } from "../core/pipeline.ts";
import { repairPlace } from "../core/repair-advice.ts";
import type { CommandAction, HttpAction, SqlAction } from "../core/repair-action.ts";
import { parseIsoDate } from "../core/iso-date.ts";
import { assertNever } from "../errors.ts";
import type { Warehouse } from "../reconcile/ports.ts";
import type { Executor } from "../reconcile/ports/executor.ts";
import type { Finding } from "../core/finding.ts";
import type { ColumnCheck } from "./validate-columns.ts";

/** Nothing is run for it. */
const sampleDate = parseIsoDate("2024-01-01");

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether each repair could start: its SELECT fits the table, its program is there, its URL is one, its job or topic is there
 * and may be used. Nothing is run.
 */
export async function checkRepairs(
  pipeline: Pipeline,
  warehouse: Pick<Warehouse, "checkRepair" | "checkPreconditions">,
  executor: Pick<Executor, "check">,
  env: Environment,
  { broken, typeOf }: SeenColumns,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const unit of pipeline.repairUnits) {
    const place = repairPlace(pipeline, unit);
    const surroundings = { pipeline, warehouse, executor, env, broken, typeOf };
    findings.push(...(await checkAction(unit, place, surroundings)));
    findings.push(...(await checkPreconditions(warehouse, unit, place)));
  }
  return findings;
}

/** What is known of the tables. */
export interface SeenColumns extends Pick<ColumnCheck, "typeOf"> {
  /** Config paths that something was found at already. */
  readonly broken: ReadonlySet<string>;
}

interface Surroundings extends SeenColumns {
  readonly pipeline: Pipeline;
  readonly warehouse: Pick<Warehouse, "checkRepair">;
  readonly executor: Pick<Executor, "check">;
  readonly env: Environment;
}

function checkAction(
  unit: RepairUnit,
  place: string,
  surroundings: Surroundings,
): Promise<readonly Finding[]> | readonly Finding[] {
  const { action } = unit;
  switch (action.kind) {
    case "sql":
      return checkSelect(unit, action, place, surroundings);
    case "command":
      return checkProgram(action, place, surroundings.env);
    case "http":
      return checkUrls(action, place);
    case "kubernetes_job":
    case "cloud_run_job":
    case "pubsub":
      return checkRemote(unit, `${place}.${action.kind}`, surroundings);
    default:
      return assertNever(action, "kind of repair");
  }
}

/** Asks whoever would run it, with the dates of a run as it could be. */
async function checkRemote(
  unit: RepairUnit,
  place: string,
  { pipeline, executor }: Surroundings,
): Promise<readonly Finding[]> {
  const problems = await executor.check({
    repairId: `${unit.name}-check`,
    unit,
    action: unit.action,
    processors: unit.processors.flatMap((index) => pipeline.processors[index] ?? []),
    pipeline: pipeline.name,
    dates: [sampleDate],
    season: null,
    attempt: 1,
    token: 1,
  });
  return problems.map(({ level, message, hint }) => ({
    level,
    place,
    expected: "what it names to be there, and the permission to run it",
    found: message,
    hint,
  }));
}

/** A table that is not there was told of already. */
async function checkSelect(
  unit: RepairUnit,
  action: SqlAction,
  place: string,
  { pipeline, warehouse, broken, typeOf }: Surroundings,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const index of unit.processors) {
    const processor = pipeline.processors[index];
    if (processor === undefined || broken.has(`processors.${processor.name}.table`)) continue;
    const { sql, leaveNull } = action;
    findings.push(...lastDayFindings(action, `${place}.sql_file`, processor, typeOf));
    const problem = await warehouse.checkRepair({ processor, sql, leaveNull });
    if (problem === null) continue;
    const expected = `a SELECT that fits ${tableText(processor.table)}`;
    findings.push({
      level: "error",
      place: `${place}.sql_file`,
      expected,
      found: problem.message,
      hint: problem.hint,
    });
  }
  return findings;
}

function lastDayFindings(
  { file, sql }: SqlAction,
  place: string,
  { table, dateColumn, columnTimezone }: Processor,
  typeOf: SeenColumns["typeOf"],
): readonly Finding[] {
  const isTimed = /^(TIMESTAMP|DATETIME)/i.test(typeOf(table, dateColumn) ?? "");
  const found = midnightComparison(withoutComments(sql), dateColumn, isTimed);
  if (found === null) return [];
  const { column, text } = found;
  return [
    {
      level: "warning",
      place,
      expected: "a comparison that takes the whole last date",
      found: `${basename(file)}: ${text}, which ends at the first instant of $end_date if ${column} has a time of day`,
      hint:
        columnTimezone === null
          ? `write ${column} >= $start_date and ${column} < $end_date_exclusive`
          : `compare the date of ${column} in the pipeline's time zone with both: the column is in ${columnTimezone}`,
    },
  ];
}

async function checkProgram(
  { argv, cwd, env: own }: CommandAction,
  place: string,
  env: Environment,
): Promise<readonly Finding[]> {
  const at = `${place}.command`;
  const folder = await stat(cwd).catch(() => null);
  if (folder?.isDirectory() !== true) {
    return [
      {
        level: "error",
        place: at,
        expected: `the working folder ${cwd}`,
        found: "no such folder",
        hint: null,
      },
    ];
  }
  const program = argv[0] ?? "";
  // What a template makes of it is known only when it runs.
  if (program.includes("{{")) return [];
  const candidates = program.includes("/")
    ? [isAbsolute(program) ? program : resolve(cwd, program)]
    : (own["PATH"] ?? env["PATH"] ?? "")
        .split(delimiter)
        .map((entry) => join(entry === "" ? "." : entry, program));
  let found = program.includes("/") ? `no file ${candidates[0] ?? ""}` : "none in PATH";
  for (const candidate of candidates) {
    const file = await stat(candidate).catch(() => null);
    if (file?.isFile() !== true) continue;
    const isExecutable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isExecutable) return [];
    found = `${candidate}, which may not be executed`;
  }
  const hint = "install it, correct its name, or give its permission with chmod +x";
  return [{ level: "error", place: at, expected: `the program ${program}`, found, hint }];
}

function checkUrls({ url, poll }: HttpAction, place: string): readonly Finding[] {
  const urls = [
    { at: `${place}.http.url`, text: url },
    ...(poll === null ? [] : [{ at: `${place}.http.poll.url`, text: poll.url }]),
  ];
  return urls.flatMap(({ at, text }) => {
    // A template in front of everything may be the whole address.
    if (text.trimStart().startsWith("{{")) return [];
    const plain = text.replace(/\{\{[^{}]*\}\}/g, "0");
    const protocol = URL.canParse(plain) ? new URL(plain).protocol : null;
    if (protocol === "http:" || protocol === "https:") return [];
    const found = protocol === null ? "a text that is no URL" : `one of ${protocol.slice(0, -1)}`;
    const hint = "write for example https://jobs.example.com/run";
    return [{ level: "error" as const, place: at, expected: "a URL of http or https", found, hint }];
  });
}

async function checkPreconditions(
  warehouse: Pick<Warehouse, "checkPreconditions">,
  { preconditions }: RepairUnit,
  place: string,
): Promise<readonly Finding[]> {
  if (preconditions.length === 0) return [];
  const results = await warehouse.checkPreconditions(preconditions);
  return results.flatMap(({ met, message }, index) =>
    met
      ? []
      : [
          {
            level: "warning" as const,
            place: `${place}.preconditions[${index}]`,
            expected: "true",
            found: message ?? "false",
            hint: "its gaps are held as long as it is not",
          },
        ],
  );
}
