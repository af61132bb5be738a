import { type Command, InvalidArgumentError } from "commander";
import { completionReport } from "../core/completion-report.ts";
import { beforeFromLedger } from "../core/report-past.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import { renderReportHtml } from "../terminal/report-html.ts";
import { renderReportMarkdown } from "../terminal/report-markdown.ts";
import {
  addAsOfFlag,
  addSelectionFlags,
  type AsOfFlag,
  flagsOf,
  type GlobalFlags,
  lookAsTold,
  parseDuration,
  parseInstant,
  printJson,
  type SelectionFlags,
  type Surroundings,
  withApp,
} from "./shared.ts";

interface ReportFlags extends SelectionFlags, AsOfFlag {
  readonly since?: (now: EpochMs) => EpochMs;
  readonly html?: boolean;
}

/** As many events and cycles as the ledger tells at once. */
const eventsMax = 10_000;

export function addReportCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("report")
    .description("how complete everything is by season and phase, before and now, as Markdown")
    .option("--html", "one HTML file instead of Markdown")
    .option(
      "--since <when>",
      "compare with then, such as 7d or 2024-01-31T12:00:00Z (default: the first cycle on record)",
      parseSince,
    );
  addAsOfFlag(addSelectionFlags(command)).action(() =>
    printReport(flagsOf<ReportFlags>(command), surroundings),
  );
}

async function printReport(flags: ReportFlags & GlobalFlags, surroundings: Surroundings): Promise<void> {
  await withApp(flags, surroundings, async (app) => {
    const { assessment } = await lookAsTold(app, flags, surroundings);
    const activity = await app.context.ledger.since(0);
    const since = flags.since?.(assessment.now) ?? null;
    const report = completionReport({
      assessment,
      target: app.config.target,
      before: beforeFromLedger(activity, since, eventsMax),
    });
    if (flags.format === "json") printJson(surroundings, report);
    else
      surroundings.stdout.write(
        flags.html === true ? renderReportHtml(report) : renderReportMarkdown(report),
      );
  });
}

/** A duration before now, or an instant. */
function parseSince(text: string): (now: EpochMs) => EpochMs {
  if (/^\d+(ms|s|m|h|d)$/.test(text)) {
    const ago = parseDuration(text);
    return (now) => now - ago;
  }
  if (!/T/.test(text)) {
    throw new InvalidArgumentError(
      "Expected a duration such as 7d, or an instant such as 2024-01-31T12:00:00Z.",
    );
  }
  const instant = parseInstant(text);
  return () => instant;
}
