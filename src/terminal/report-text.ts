import type { ReportCounts, ReportDocument, ReportEntry } from "../core/completion-report.ts";
import { counted, formatCount } from "../presentation/numbers.ts";
import { reasonText } from "../presentation/words.ts";

/** One line of a report's tables, in words. */
export interface ReportRow {
  readonly expected: string;
  readonly exempt: string;
  readonly complete: string;
  readonly gaps: string;
  readonly unknown: string;
  readonly coverage: string;
  readonly quality: string;
}

export const reportColumns: readonly { readonly key: keyof ReportRow; readonly title: string }[] = [
  { key: "expected", title: "Expected" },
  { key: "exempt", title: "Exempt" },
  { key: "complete", title: "Complete" },
  { key: "gaps", title: "Gaps" },
  { key: "unknown", title: "Unknown" },
  { key: "coverage", title: "Coverage" },
  { key: "quality", title: "Quality" },
];

export function rowOf({ before, after, quality }: ReportEntry): ReportRow {
  const change = (pick: (counts: ReportCounts) => string) =>
    before === null || pick(before) === pick(after) ? pick(after) : `${pick(before)} → ${pick(after)}`;
  return {
    expected: formatCount(after.expected),
    exempt: formatCount(exemptCount(after)),
    complete: change(({ complete }) => formatCount(complete)),
    gaps: change(({ gaps }) => formatCount(gaps)),
    unknown: formatCount(after.unknown),
    coverage: change(({ coverage }) => percent(coverage)),
    quality: quality === null ? "" : percent(quality.mean_good_share),
  };
}

/** One decimal, rounded down, so that nothing but everything is 100 %. */
export function percent(value: number | null): string {
  return value === null ? "–" : `${Math.floor(value * 1000 + 1e-6) / 10} %`;
}

function exemptCount({ exempt }: ReportCounts): number {
  return Object.values(exempt).reduce((sum, value) => sum + value, 0);
}

/** `1,203 exempt: 800 in the first days of the season, 403 waived`; empty without any. */
export function exemptText(counts: ReportCounts): string {
  const reasons = Object.entries(counts.exempt).map(
    ([reason, count]) => `${formatCount(count)} ${reasonText(reason)}`,
  );
  return reasons.length === 0 ? "" : `${formatCount(exemptCount(counts))} exempt: ${reasons.join(", ")}`;
}

export function seasonTitle(season: string): string {
  return season === "" ? "All dates" : `Season ${season}`;
}

export function phaseTitle(phase: string | null): string {
  return phase === null ? "no phase" : `phase ${phase}`;
}

/** The result in a sentence. */
export function verdictText({ converged, total: { before, after } }: ReportDocument): string {
  const closed = before === null ? 0 : before.gaps - after.gaps;
  const change =
    before === null || before.gaps === after.gaps
      ? ""
      : closed > 0
        ? ` ${formatCount(closed)} of ${formatCount(before.gaps)} gaps were closed.`
        : ` There ${closed === -1 ? "is" : "are"} ${counted(-closed, "gap")} more than before.`;
  const left = [
    after.gaps === 0 ? "" : `${formatCount(after.gaps)} ${after.gaps === 1 ? "gap remains" : "gaps remain"}`,
    after.unknown === 0 ? "" : `${formatCount(after.unknown)} cells could not be observed`,
  ].filter(Boolean);
  const state = left.length > 0 ? `${left.join(", ")}.` : "Nothing is missing.";
  return `${converged ? "Converged" : "Not converged"}: ${state}${change}`;
}

/** Since when, and how far that can be trusted; empty without a comparison. */
export function comparisonText({ before_as_of, before_is_partial }: ReportDocument): string {
  if (before_as_of === null) return "";
  const partial = before_is_partial
    ? " The record does not reach back to it entirely, so more may have been repaired."
    : "";
  return `Compared with ${before_as_of}: before → now.${partial}`;
}

export const footnote =
  "Coverage is the share of complete cells among those that are expected, due and not exempt, rounded down. Quality is the mean share of good rows of a date, where a quality column says so.";
