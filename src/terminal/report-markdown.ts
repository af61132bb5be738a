import type { ReportDocument, ReportEntry, SeasonReport } from "../core/completion-report.ts";
import {
  comparisonText,
  exemptText,
  footnote,
  phaseTitle,
  reportColumns,
  rowOf,
  seasonTitle,
  verdictText,
} from "./report-text.ts";

/** The report as Markdown, to be read as it is or put into a pull request. */
export function renderReportMarkdown(report: ReportDocument): string {
  const { pipeline, target, range, as_of } = report;
  const name = target === null ? pipeline : `${pipeline} (${target})`;
  const comparison = comparisonText(report);
  const exempt = exemptText(report.total.after);
  return `${[
    `# Completion of ${escape(name)}`,
    `${range.start_date} to ${range.end_date}, as of ${as_of}.`,
    `**${verdictText(report)}**`,
    ...(comparison === "" ? [] : [comparison]),
    table("Season", [
      ...report.seasons.map((season) => [seasonTitle(season.season), season] as const),
      ...(report.seasons.length > 1 ? [["**Total**", report.total] as const] : []),
    ]),
    ...(exempt === "" ? [] : [`Of all dates, ${exempt}.`]),
    ...report.seasons.map(seasonSection),
    footnote,
  ].join("\n\n")}\n`;
}

function seasonSection(season: SeasonReport): string {
  const rows = season.phases.flatMap((phase) => [
    [`**${escape(phaseTitle(phase.phase))}**`, phase] as const,
    ...phase.processors.map((entry) => [`\`${entry.processor}\``, entry] as const),
  ]);
  const exempt = exemptText(season.after);
  return [
    `## ${escape(seasonTitle(season.season))}`,
    `${season.start_date} to ${season.end_date}${exempt === "" ? "" : `; ${exempt}`}.`,
    table("Processor", rows),
  ].join("\n\n");
}

function table(title: string, rows: readonly (readonly [string, ReportEntry])[]): string {
  const head = [title, ...reportColumns.map((column) => column.title)];
  const lines = rows.map(([label, entry]) => {
    const row = rowOf(entry);
    return [label, ...reportColumns.map(({ key }) => row[key])];
  });
  const rule = head.map((_, index) => (index === 0 ? "---" : "---:"));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Names are shown as they are, whatever Markdown or HTML they look like. */
function escape(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_{}[\]<>#|~&]/g, (sign) => `\\${sign}`);
}
