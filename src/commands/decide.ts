import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { createInterface } from "node:readline/promises";
import { type Command, Option } from "commander";
import type { App } from "../compose.ts";
import { type DecisionPreview, type DecisionRequest, needsReason, previewDecision } from "../core/decide.ts";
import { decisionDocument } from "../core/decision-document.ts";
import type { IsoDate } from "../core/iso-date.ts";
import type { Decision, DecisionKind } from "../core/ledger-records.ts";
import { ReconcilerError } from "../errors.ts";
import { decisionText } from "../terminal/activity.ts";
import { renderPreview } from "../terminal/decision.ts";
import { terminalOf } from "../terminal/terminal.ts";
import { exitError } from "./exit-code.ts";
import {
  addSelectionFlags,
  flagsOf,
  type GlobalFlags,
  parseDate,
  printJson,
  type SelectionFlags,
  selectionOf,
  type Surroundings,
  withApp,
} from "./shared.ts";

interface DecideFlags extends SelectionFlags {
  readonly all?: boolean;
  readonly reason?: string;
  readonly actor?: string;
  readonly owner?: string;
  readonly expires?: IsoDate;
  readonly downstream?: "exempt" | "proceed";
  readonly stale?: boolean;
}

interface DecisionCommand {
  readonly kind: DecisionKind;
  readonly description: string;
}

const decisionCommands: readonly DecisionCommand[] = [
  { kind: "waive", description: "say that gaps will not be filled: they are exempt" },
  { kind: "unwaive", description: "take back what was waived by a command" },
  { kind: "retry", description: "give quarantined gaps new attempts" },
  { kind: "release", description: "close the circuit of a repair that works again" },
  { kind: "accept", description: "believe what a breaker refuses to believe" },
  { kind: "pause", description: "start no repair of these cells" },
  { kind: "resume", description: "let paused repairs go on" },
  { kind: "cancel", description: "ask running repairs to stop" },
  { kind: "rebuild", description: "compute stale cells again, though nothing is missing in them" },
];

/** Adds a command for everything that a person may decide; each is kept in the ledger with actor, reason and time. */
export function addDecisionCommands(program: Command, surroundings: Surroundings): void {
  for (const { kind, description } of decisionCommands) {
    const command = addSelectionFlags(program.command(kind).description(description))
      .option("--all", "every processor and every date")
      .option("--actor <name>", "who decides (default: USER, else the machine's name)");
    const reason = new Option("--reason <text>", needsReason[kind] ? "why (required)" : "why");
    command.addOption(needsReason[kind] ? reason.makeOptionMandatory() : reason);
    if (kind === "waive") {
      command
        .option("--owner <name>", "who answers for it (default: the actor)")
        .option("--expires <date>", "the last date on which it holds (default: never ends)", parseDate)
        .addOption(
          new Option(
            "--downstream <what>",
            "what becomes of cells that depend on these (default: exempt)",
          ).choices(["exempt", "proceed"]),
        );
    }
    if (kind === "rebuild") {
      command.addOption(
        new Option("--stale", "all cells that are reported as stale (required)").makeOptionMandatory(),
      );
    }
    command.action(() => decide(kind, flagsOf<DecideFlags>(command), surroundings));
  }
}

async function decide(
  kind: DecisionKind,
  flags: DecideFlags & GlobalFlags,
  surroundings: Surroundings,
): Promise<void> {
  await withApp(flags, surroundings, async (app) => {
    const request = requestOf(kind, flags, app, surroundings);
    const { assessment } = await app.look({
      selection: { processors: null, startDate: request.startDate, endDate: request.endDate },
      asOf: null,
      signal: surroundings.signal,
    });
    const preview = previewDecision(assessment, request);
    const asJson = flags.format === "json";
    if (!asJson) {
      surroundings.stdout.write(
        renderPreview(preview, terminalOf(surroundings.stdout, flags, surroundings.env)),
      );
    }
    if (flags.yes !== true && !(await isConfirmed(preview, flags, surroundings))) {
      surroundings.stderr.write("nothing was recorded\n");
      surroundings.exitWith(exitError);
      return;
    }
    const decision = await app.record(request, randomUUID());
    if (asJson) printJson(surroundings, decisionResult(decision, preview));
    else surroundings.stdout.write(`recorded: ${decisionText(decision)}\n`);
  });
}

function decisionResult(decision: Decision, preview: DecisionPreview) {
  return {
    schema_version: 1,
    decision: decisionDocument(decision),
    touched: preview.touched.map(({ processor, dates }) => ({ processor, dates })),
  };
}

function requestOf(kind: DecisionKind, flags: DecideFlags, app: App, { env }: Surroundings): DecisionRequest {
  const named = [flags.processor, flags.phase, flags.startDate, flags.endDate, flags.stale].some(
    (flag) => flag !== undefined,
  );
  if (flags.all === true && named) {
    throw new ReconcilerError("usage", "expected either --all or a selection, found both");
  }
  if (flags.all !== true && !named) {
    throw new ReconcilerError("usage", `expected a selection of what to ${kind}, found none`, {
      hint: "use --processor, --phase, --start-date or --end-date; --all means every processor and every date",
    });
  }
  const { pipeline } = app.config;
  const selection = selectionOf(flags, pipeline);
  const actor = nonEmpty("--actor", flags.actor) ?? (env["USER"] || env["LOGNAME"] || hostname());
  const reason = nonEmpty("--reason", flags.reason) ?? "";
  // A waiver names its processors, so that one that is added later is not waived with them.
  const processors =
    kind === "waive" && selection.processors === null
      ? pipeline.processors.map(({ name }) => name)
      : selection.processors;
  const waiver =
    kind === "waive"
      ? {
          owner: nonEmpty("--owner", flags.owner) ?? actor,
          expires: flags.expires ?? null,
          downstream: flags.downstream ?? ("exempt" as const),
        }
      : null;
  return { kind, ...selection, processors, actor, reason, waiver };
}

function nonEmpty(flag: string, value: string | undefined): string | undefined {
  if (value === undefined || value.trim() !== "") return value?.trim();
  throw new ReconcilerError("usage", `expected a text after ${flag}, found an empty one`);
}

/** Asks on a terminal. @throws ReconcilerError `usage` where there is nobody to ask */
async function isConfirmed(
  preview: DecisionPreview,
  flags: GlobalFlags,
  { stdin, stdout, stderr, env, signal }: Surroundings,
): Promise<boolean> {
  if (!stdin.isTTY || !stderr.isTTY) {
    throw new ReconcilerError(
      "usage",
      `${preview.kind} asks before it records anything, and this is no terminal`,
      {
        hint: "add --yes to record it without being asked",
      },
    );
  }
  // What it would do must be in sight of who is asked, even where stdout goes into a file.
  if (flags.format === "json" || !stdout.isTTY)
    stderr.write(renderPreview(preview, terminalOf(stderr, flags, env)));
  const questions = createInterface({ input: stdin, output: stderr });
  // Ctrl-C and Ctrl-D close it without an answer: that is no yes.
  const closed = new Promise<string>((resolve) => questions.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([questions.question("record it? [y/N] ", { signal }), closed]);
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    questions.close();
  }
}
