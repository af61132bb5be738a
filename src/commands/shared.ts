import { type Command, InvalidArgumentError, Option } from "commander";
import type { App, Look } from "../compose.ts";
import { loadConfig } from "../config/load-config.ts";
import type { Config } from "../config/config.ts";
import { didYouMean } from "../config/nearest.ts";
import { type IsoDate, tryParseIsoDate } from "../core/iso-date.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import { ReconcilerError } from "../errors.ts";
import type { SelectionSpec } from "../reconcile/selection.ts";

/** What every command may be given, before or after its name. */
export interface GlobalFlags {
  readonly config?: string;
  readonly target?: string;
  readonly format?: "text" | "json";
  readonly logLevel?: "silent" | "error" | "warn" | "info" | "debug";
  readonly quiet?: boolean;
  readonly color?: boolean;
  readonly yes?: boolean;
}

export interface SelectionFlags {
  readonly startDate?: IsoDate;
  readonly endDate?: IsoDate;
  readonly processor?: readonly string[];
  readonly phase?: readonly string[];
}

export interface AsOfFlag {
  readonly asOf?: EpochMs;
}

/** What a command reads and writes beside its flags. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  /** Aborts on the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** What the process exits with once everything is closed. */
  readonly exitWith: (code: number) => void;
  /** What it exits with after a signal; 128 and the signal's number unless this is said. */
  readonly exitAfterSignalWith: (code: number) => void;
}

export function addGlobalFlags(command: Command): Command {
  return command
    .option("--config <file>", "the pipeline file (default: ./pipeline.yaml)")
    .option(
      "--target <name>",
      "one of the file's targets (default: GAP_RECONCILER_TARGET, then default_target)",
    )
    .addOption(
      new Option("--format <format>", "what stdout carries (default: text)").choices(["text", "json"]),
    )
    .addOption(
      new Option(
        "--log-level <level>",
        "what stderr carries (default: warn on a terminal, else info)",
      ).choices(["silent", "error", "warn", "info", "debug"]),
    )
    .option("--quiet", "no progress and no logs but errors")
    .option("--no-color", "plain text; NO_COLOR is honoured too")
    .option("--yes", "do not ask");
}

export function addSelectionFlags(command: Command): Command {
  return command
    .option("--start-date <date>", "first date, included (default: the schedule's first)", parseDate)
    .option("--end-date <date>", "last date, included (default: today)", parseDate)
    .option("--processor <name>", "only this processor; may be repeated", collect)
    .option("--phase <label>", "only processors of this phase; may be repeated", collect);
}

export function addAsOfFlag(command: Command): Command {
  return command.option(
    "--as-of <instant>",
    "as if it were then, such as 2024-01-31T12:00:00Z",
    parseInstant,
  );
}

/** Flags of a command with those given before its name. */
export function flagsOf<T>(command: Command): T & GlobalFlags {
  // `--no-color` has a default, which one command of the chain must not set against the other's word.
  const color =
    command.opts<GlobalFlags>().color !== false && command.parent?.opts<GlobalFlags>().color !== false;
  return { ...command.optsWithGlobals<T & GlobalFlags>(), color };
}

export async function readConfig(flags: GlobalFlags, { env }: Surroundings): Promise<Config> {
  return loadConfig({ file: flags.config ?? "pipeline.yaml", target: flags.target ?? null, env });
}

/** Opens the pipeline, hands it to `work` and closes it, whatever happens. */
export async function withApp<T>(
  flags: GlobalFlags,
  surroundings: Surroundings,
  work: (app: App) => Promise<T>,
): Promise<T> {
  const { stderr } = surroundings;
  const level = flags.logLevel ?? (flags.quiet === true ? "error" : stderr.isTTY ? "warn" : "info");
  const config = await readConfig(flags, surroundings);
  // Loaded late: help, and a fault in the config, are told without waiting for the database to load.
  const { compose } = await import("../compose.ts");
  const app = await compose(config, {
    logging: { level, pretty: stderr.isTTY },
    revision: surroundings.env["GAP_RECONCILER_REVISION"] ?? "",
  });
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}

/**
 * Looks at what the flags select, as of the instant that they name.
 * @throws ReconcilerError as `selectionOf` does, and as `App.look` does
 */
export function lookAsTold(
  app: App,
  flags: SelectionFlags & AsOfFlag,
  { signal }: Surroundings,
): Promise<Look> {
  const selection = selectionOf(flags, app.config.pipeline);
  return app.look({ selection, asOf: flags.asOf ?? null, signal });
}

/** @throws ReconcilerError `usage` for a processor or phase that there is not, or a range that ends before it starts */
export function selectionOf(flags: SelectionFlags, pipeline: Pipeline): SelectionSpec {
  const { startDate = null, endDate = null, processor = [], phase = [] } = flags;
  if (startDate !== null && endDate !== null && endDate < startDate) {
    throw new ReconcilerError("usage", `--end-date ${endDate} is before --start-date ${startDate}`, {
      hint: "both ends are included; swap them",
    });
  }
  for (const name of processor) {
    checkKnown(
      name,
      pipeline.processors.map((known) => known.name),
      "--processor",
      "processor",
    );
  }
  const phases = pipeline.processors.flatMap((known) => known.phase ?? []);
  for (const label of phase) checkKnown(label, phases, "--phase", "phase");
  if (processor.length === 0 && phase.length === 0) return { processors: null, startDate, endDate };
  const selected = pipeline.processors.filter(
    ({ name, phase: label }) =>
      (processor.length === 0 || processor.includes(name)) &&
      (phase.length === 0 || phase.includes(label ?? "")),
  );
  if (selected.length === 0) {
    throw new ReconcilerError(
      "usage",
      `no processor is both in --processor ${processor.join(", ")} and in --phase ${phase.join(", ")}`,
    );
  }
  return { processors: selected.map(({ name }) => name), startDate, endDate };
}

export function checkKnown(name: string, known: readonly string[], flag: string, what: string): void {
  if (known.includes(name)) return;
  const hint =
    didYouMean(name, known) ?? (known.length === 0 ? `the pipeline has no ${what}` : "see reconcile status");
  throw new ReconcilerError("usage", `${flag}: there is no ${what} "${name}"`, { hint });
}

export function parseDate(text: string): IsoDate {
  const date = tryParseIsoDate(text);
  if (date === null) throw new InvalidArgumentError(`Expected a date that exists, as YYYY-MM-DD.`);
  return date;
}

export function parseInstant(text: string): EpochMs {
  const pattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;
  const instant =
    pattern.test(text) && tryParseIsoDate(text.slice(0, 10)) !== null ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(instant)) {
    throw new InvalidArgumentError("Expected an instant with its zone, such as 2024-01-31T12:00:00Z.");
  }
  return instant;
}

/** Milliseconds of `500ms`, `30s`, `5m`, `2h`, `7d`. */
export function parseDuration(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? ""];
  if (match === null || unit === undefined) {
    throw new InvalidArgumentError("Expected a duration such as 30s, 5m, 2h or 7d.");
  }
  return Number(match[1]) * unit;
}

export function parseExitCode(text: string): number {
  const code = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(code >= 0 && code <= 255)) throw new InvalidArgumentError("Expected a whole number from 0 to 255.");
  return code;
}

export function printJson({ stdout }: Surroundings, document: unknown): void {
  stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
