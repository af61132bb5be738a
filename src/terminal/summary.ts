import { exemptReasons, type StateName } from "../core/grid.ts";
import type { ResultDocument, StaleRunDocument } from "../core/result-document.ts";
import { type Advice, adviceOf } from "./advice.ts";
import { type CauseGroup, causesOf } from "../presentation/cause-groups.ts";
import { causeText, outsideCauseText } from "../presentation/cause-words.ts";
import { costLines } from "./cost.ts";
import { stateGlyphs } from "../presentation/states.ts";
import { stateStyles } from "./glyphs.ts";
import type { RenderOptions } from "./terminal.ts";
import { harmlessLine } from "../presentation/harmless.ts";
import { counted, formatCount, formatDates } from "../presentation/numbers.ts";
import { scheduleChangeTexts } from "../presentation/schedule-changes.ts";
import { strayScheduleTexts, strayTexts } from "../presentation/stray-rows.ts";
import { displayWidth, padEnd, type Paint, painter, truncate, wrap } from "./text.ts";
import { reasonText } from "../presentation/words.ts";

const causesMax = 10;
const failuresMax = 5;
const staleMax = 5;
const straysMax = 5;
/** A longer command has its purpose on the next line, so that the others stay close to theirs. */
const commandWidthMax = 48;

/** What a tired person needs of a result: one or two lines when all is well, otherwise what is wrong and what to do. */
export function renderSummary(document: ResultDocument, options: RenderOptions): string {
  const paint = painter(options.color);
  const sections = [
    headline(document, options, paint),
    repairsSection(document, options, paint),
    breakersSection(document, options, paint),
    scheduleSection(document, options, paint),
    unknownSection(document, options, paint),
    runHistorySection(document, options, paint),
    straySection(document, options, paint),
    causesSection(document, options, paint),
    adviceSection(adviceOf(document, options.pipelineFlags), options, paint),
    costLines(document.cost, options),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function headline(document: ResultDocument, options: RenderOptions, paint: Paint): readonly string[] {
  const { pipeline, target, range, as_of, converged, gaps, unknown } = document;
  const name = target === null ? pipeline : `${pipeline} (${target})`;
  const where = `${range.start_date} to ${range.end_date}, as of ${as_of}`;
  const total = totals(document);
  if (converged && gaps.length === 0 && unknown.length === 0) {
    const complete = counted(total("complete") + total("stale"), "complete cell");
    return [
      ...verdictLines(
        paint(["bold", "green"], `converged${staleVerdict(document)}`),
        `${name}: ${complete}, ${where}`,
        options,
      ),
      ...asideLines(document, options),
    ];
  }
  // Gaps of severity `info` do not count against it.
  const verdict = converged
    ? paint(["bold", "green"], `converged${staleVerdict(document)}`)
    : paint(["bold", "red"], "not converged");
  const parts: string[] = [];
  if (gaps.length > 0) parts.push(`${counted(gaps.length, "gap")}: ${byDisposition(document)}`);
  if (unknown.length > 0) parts.push(`${counted(unknown.length, "cell")} could not be observed`);
  parts.push(`${formatCount(total("complete") + total("stale"))} complete`);
  return [
    ...verdictLines(verdict, `${name}: ${where}`, options),
    ...wrap(parts.join("; "), options.columns, "  "),
    ...asideLines(document, options),
  ];
}

/** Stands beside the word "converged", which would say more than is known without it. */
function staleVerdict({ stale_cells: stale }: ResultDocument): string {
  if (stale === 0) return "";
  return `; ${counted(stale, "stale cell")} ${stale === 1 ? "was" : "were"} computed before ${stale === 1 ? "its" : "their"} input changed`;
}

function verdictLines(verdict: string, text: string, { columns }: RenderOptions): readonly string[] {
  if (displayWidth(verdict) + displayWidth(text) + 2 > columns && displayWidth(verdict) > columns / 3) {
    return [verdict, ...wrap(text, columns, "  ")];
  }
  const [first = "", ...rest] = wrap(text, columns, " ".repeat(displayWidth(verdict) + 2));
  return [`${verdict}  ${first.trimStart()}`, ...rest.map((line) => `  ${line.trimStart()}`)];
}

/** What counts for nothing but is good to know; nothing where there is none of it. */
function asideLines(document: ResultDocument, options: RenderOptions): readonly string[] {
  const total = totals(document);
  const parts: string[] = [];
  const exempt = exemptReasons
    .filter((reason) => (document.exempt[reason] ?? 0) > 0)
    .map((reason) => `${formatCount(document.exempt[reason] ?? 0)} ${reasonText(reason)}`);
  if (exempt.length > 0) parts.push(`exempt: ${exempt.join(", ")}`);
  if (total("pending") > 0) parts.push(`${formatCount(total("pending"))} not due yet`);
  if (!document.converged && document.stale_cells > 0) {
    parts.push(`${formatCount(document.stale_cells)} stale, computed before their input changed`);
  }
  if (total("unexpected") > 0) {
    parts.push(`${counted(total("unexpected"), "date")} with rows that no schedule expects`);
  }
  const extra = document.extra_keys.reduce((sum, { dates }) => sum + dates, 0);
  if (extra > 0) parts.push(`${counted(extra, "date")} with keys that their coverage lacks`);
  return parts.length === 0 ? [] : wrap(parts.join("; "), options.columns, "  ");
}

function totals({ counts }: ResultDocument): (state: StateName) => number {
  return (state) => Object.values(counts).reduce((sum, states) => sum + (states[state] ?? 0), 0);
}

/** `3 ready, 12 blocked`: what needs a person first. */
function byDisposition({ gaps }: ResultDocument): string {
  const order = [
    "quarantined",
    "unrepairable",
    "held",
    "blocked",
    "backing_off",
    "ready",
    "queued",
    "running",
  ];
  const counts = new Map<string, number>();
  for (const { disposition } of gaps) counts.set(disposition, (counts.get(disposition) ?? 0) + 1);
  return order
    .filter((disposition) => counts.has(disposition))
    .map((disposition) => `${formatCount(counts.get(disposition) ?? 0)} ${disposition.replace("_", " ")}`)
    .join(", ");
}

function repairsSection(
  { repairs }: ResultDocument,
  options: RenderOptions,
  paint: Paint,
): readonly string[] {
  if (repairs.length === 0) return [];
  const cells = new Map<string, number>();
  for (const repair of repairs) {
    for (const { outcome } of repair.cells) cells.set(outcome, (cells.get(outcome) ?? 0) + 1);
  }
  const outcomes = [...cells].map(([outcome, count]) => `${formatCount(count)} ${outcome.replace("_", " ")}`);
  const lines = [
    paint("bold", `repairs: ${counted(repairs.length, "run")}, cells ${outcomes.join(", ") || "none"}`),
  ];
  const messages = new Map<string, { count: number; repair: string; text: string }>();
  for (const { repair, outcome, error_code, message } of repairs) {
    if (outcome === "repaired" || outcome === "skipped") continue;
    const text = [outcome.replace("_", " "), error_code, message === null ? null : harmlessLine(message)]
      .filter((part) => part !== null)
      .join(": ");
    const known = messages.get(`${repair}/${text}`) ?? { count: 0, repair, text };
    messages.set(`${repair}/${text}`, { ...known, count: known.count + 1 });
  }
  const all = [...messages.values()].toSorted((a, b) => b.count - a.count);
  for (const { count, repair, text } of all.slice(0, failuresMax)) {
    lines.push(truncate(`  ${formatCount(count)} × ${repair}  ${text}`, options.columns));
  }
  if (all.length > failuresMax) lines.push(`  … and ${counted(all.length - failuresMax, "other failure")}`);
  return lines;
}

function breakersSection(
  { breakers }: ResultDocument,
  options: RenderOptions,
  paint: Paint,
): readonly string[] {
  if (breakers.length === 0) return [];
  return [
    paint(["bold", "yellow"], "stopped by a safety"),
    ...breakers.flatMap(({ kind, subject, message }) =>
      wrap(`${kind.replace("_", " ")} of ${subject}: ${harmlessLine(message)}`, options.columns, "  "),
    ),
  ];
}

function scheduleSection(
  { schedule_changes: changes }: ResultDocument,
  options: RenderOptions,
  paint: Paint,
): readonly string[] {
  const texts = scheduleChangeTexts(changes);
  if (texts.length === 0) return [];
  return [
    paint(["bold", "yellow"], "schedule changed"),
    ...texts.flatMap((text) => wrap(text, options.columns, "  ")),
  ];
}

/** A line per table, not per cell: the query failed for all of them at once. */
function unknownSection(
  { unknown }: ResultDocument,
  options: RenderOptions,
  paint: Paint,
): readonly string[] {
  const groups = new Map<string, { count: number; text: string }>();
  for (const { processor, code, message } of unknown) {
    const text = `${processor}: ${code.replace("_", " ")}: ${harmlessLine(message)}`;
    groups.set(text, { text, count: (groups.get(text)?.count ?? 0) + 1 });
  }
  if (groups.size === 0) return [];
  return [
    paint(["bold", "magenta"], "could not be observed"),
    ...[...groups.values()].flatMap(({ text, count }) =>
      wrap(`${text} (${counted(count, "cell")})`, options.columns, `  ${paint("magenta", "?")} `),
    ),
  ];
}

/** Runs of others: those that somebody has to look after, and that nothing is known of any. */
function runHistorySection(
  { run_history_failure: failure, stale_runs: stale }: ResultDocument,
  options: RenderOptions,
  paint: Paint,
): readonly string[] {
  if (failure === null && stale.length === 0) return [];
  const texts = [...new Set(stale.map(({ processor }) => processor))].map((processor) =>
    staleText(stale.filter((run) => run.processor === processor)),
  );
  if (failure !== null) {
    const why = `${failure.code.replace("_", " ")}: ${harmlessLine(failure.message)}`;
    texts.unshift(`it could not be read, so that runs elsewhere may be unknown and be doubled: ${why}`);
  }
  const more = texts.length - staleMax;
  return [
    paint(["bold", "yellow"], "run history"),
    ...texts.slice(0, staleMax).flatMap((text) => wrap(text, options.columns, "  ")),
    ...(more > 0 ? [`  … and ${counted(more, "other processor")}; --format json lists every run`] : []),
  ];
}

/** Of the runs of one processor. */
function staleText(runs: readonly StaleRunDocument[]): string {
  const [first] = runs;
  if (first === undefined) return "";
  const where = `${first.processor} ${formatDates([...new Set(runs.map(({ date }) => date))])}`;
  const since = runs.map(({ started_at }) => started_at).toSorted()[0] ?? "";
  if (runs.length > 1) {
    return `${where}: ${counted(runs.length, "run")} are said to be running, the first since ${since}; they are taken for dead and ignored`;
  }
  const run = first.run_id === null ? "a run" : `run ${harmlessLine(first.run_id)}`;
  return `${where}: ${run} is said to be running since ${since}; it is taken for dead and ignored`;
}

/** A line for each kind, so that none is broken in two. */
function straySection(
  { stray_rows: strays, stray_schedule_rows: scheduleStrays }: ResultDocument,
  options: RenderOptions,
  paint: Paint,
): readonly string[] {
  if (strays.length + scheduleStrays.length === 0) return [];
  const lines = strays
    .slice(0, straysMax)
    .flatMap((stray) => strayTexts(stray).map((text) => `  ${stray.processor}: ${text}`));
  const more = strays.length - straysMax;
  return [
    paint(["bold", "yellow"], "rows in no cell"),
    ...lines.map((line) => truncate(line, options.columns)),
    ...(more > 0 ? [`  … and ${counted(more, "other table")}; --format json lists all`] : []),
    ...strayScheduleTexts(scheduleStrays).flatMap((text) => wrap(text, options.columns, "  ")),
  ];
}

function causesSection(document: ResultDocument, options: RenderOptions, paint: Paint): readonly string[] {
  const { gaps, outside } = causesOf(document);
  const lines = [
    ...gaps.map((group) => causeLines(group, options, paint)),
    ...outside.map((cause) => wrap(outsideCauseText(cause), options.columns, "    ")),
  ];
  if (lines.length === 0) return [];
  const more = lines.length - causesMax;
  return [
    paint("bold", "causes"),
    ...lines.slice(0, causesMax).flat(),
    ...(more > 0 ? [`  … and ${formatCount(more)} more; --format json lists every gap`] : []),
  ];
}

function causeLines(group: CauseGroup, options: RenderOptions, paint: Paint): readonly string[] {
  const [first = "", ...rest] = wrap(causeText(group), options.columns, "    ");
  return [`  ${paint(stateStyles[group.state], stateGlyphs[group.state])} ${first.trimStart()}`, ...rest];
}

function adviceSection(advice: readonly Advice[], options: RenderOptions, paint: Paint): readonly string[] {
  if (advice.length === 0) return [];
  const widths = advice
    .map(({ command }) => displayWidth(command))
    .filter((width) => width <= commandWidthMax);
  const width = Math.max(0, ...widths);
  const lines = advice.flatMap(({ command, purpose }) => {
    const fits = displayWidth(command) <= width && 4 + width + displayWidth(purpose) <= options.columns;
    return fits
      ? [`  ${paint("cyan", padEnd(command, width))}  ${purpose}`]
      : [`  ${paint("cyan", command)}`, ...wrap(purpose, options.columns, "      ")];
  });
  return [paint("bold", "next"), ...lines];
}
