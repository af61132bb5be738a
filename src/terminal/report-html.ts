import { escapeHtml } from "../core/escape-html.ts";
import type { ReportDocument, ReportEntry, SeasonReport } from "../core/completion-report.ts";
import {
  comparisonText,
  exemptText,
  footnote,
  percent,
  phaseTitle,
  reportColumns,
  rowOf,
  seasonTitle,
  verdictText,
} from "./report-text.ts";

const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #ffffff; --row: #f6f8fa; --good: #1a7f37; --bad: #cf222e; --track: #eaeef2 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --paper: #0d1117; --row: #151b23; --good: #3fb950; --bad: #f85149; --track: #262c36 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 70rem; padding: 2rem 1rem 4rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem; margin: 0 0 .25rem } h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem }
p { margin: .25rem 0 1rem } .soft { color: var(--soft) }
.verdict { font-size: 1.1rem; font-weight: 600 } .good { color: var(--good) } .bad { color: var(--bad) }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .35rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap }
thead th { color: var(--soft); font-weight: 500 } th:first-child { text-align: left; font-weight: 400 }
tr.group th, tr.group td { background: var(--row); font-weight: 600 } tbody tr:not(.group) th { padding-left: 1.2rem }
.bar { display: inline-block; width: 5rem; height: .5rem; margin-right: .5rem; background: var(--track); border-radius: .25rem; overflow: hidden; vertical-align: middle }
.bar i { display: block; height: 100%; background: var(--good) }
@media print { body { max-width: none; padding: 0 } }
`.trim();

/** The report as one HTML file: no script, nothing from elsewhere, light or dark as the reader's system is. */
export function renderReportHtml(report: ReportDocument): string {
  const { pipeline, target, range, as_of, converged } = report;
  const name = escapeHtml(target === null ? pipeline : `${pipeline} (${target})`);
  const exempt = exemptText(report.total.after);
  const comparison = [comparisonText(report), exempt === "" ? "" : `Of all dates, ${exempt}.`].filter(
    Boolean,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Completion of ${name}</title>
<style>
${style}
</style>
</head>
<body>
<main>
<h1>Completion of ${name}</h1>
<p class="soft">${range.start_date} to ${range.end_date}, as of <time datetime="${as_of}">${as_of}</time></p>
<p class="verdict ${converged ? "good" : "bad"}">${escapeHtml(verdictText(report))}</p>
${comparison.map((text) => `<p>${escapeHtml(text)}</p>\n`).join("")}${table("Season", [
  ...report.seasons.map((season) => line(seasonTitle(season.season), season, false)),
  ...(report.seasons.length > 1 ? [line("Total", report.total, true)] : []),
])}
${report.seasons.map(seasonSection).join("\n")}
<p class="soft">${escapeHtml(footnote)}</p>
</main>
</body>
</html>
`;
}

function seasonSection(season: SeasonReport): string {
  const exempt = exemptText(season.after);
  const rows = season.phases.flatMap((phase) => [
    line(phaseTitle(phase.phase), phase, true),
    ...phase.processors.map((entry) => line(entry.processor, entry, false)),
  ]);
  return `<section>
<h2>${escapeHtml(seasonTitle(season.season))}</h2>
<p class="soft">${season.start_date} to ${season.end_date}${exempt === "" ? "" : `; ${escapeHtml(exempt)}`}</p>
${table("Processor", rows)}
</section>`;
}

function table(title: string, rows: readonly string[]): string {
  const head = [title, ...reportColumns.map((column) => column.title)];
  return `<div class="scroll"><table>
<thead><tr>${head.map((text) => `<th scope="col">${text}</th>`).join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table></div>`;
}

function line(label: string, entry: ReportEntry, isGroup: boolean): string {
  const row = rowOf(entry);
  const cells = reportColumns.map(({ key }) => {
    const text = escapeHtml(row[key]);
    if (key === "coverage") return `<td>${bar(entry.after.coverage)}${text}</td>`;
    const isBad = (key === "gaps" && entry.after.gaps > 0) || (key === "unknown" && entry.after.unknown > 0);
    return `<td${isBad ? ' class="bad"' : ""}>${text}</td>`;
  });
  return `<tr${isGroup ? ' class="group"' : ""}><th scope="row">${escapeHtml(label)}</th>${cells.join("")}</tr>`;
}

function bar(coverage: number | null): string {
  if (coverage === null) return "";
  return `<span class="bar" aria-hidden="true"><i style="width: ${percent(coverage).replace(" ", "")}"></i></span>`;
}
