import type { ExplainedCell, ExplainedRun, Explanation } from "../core/explain.ts";
import { formatInstant } from "../core/wall-clock.ts";
import type { AttemptRecord } from "../reconcile/ports.ts";
import { stateGlyphs } from "../presentation/states.ts";
import { stateStyles } from "./glyphs.ts";
import type { RenderOptions } from "./terminal.ts";
import { harmless, harmlessLine } from "../presentation/harmless.ts";
import { counted, formatDates, formatSeconds } from "../presentation/numbers.ts";
import { type Paint, painter, wrap } from "./text.ts";
import { edgeWords } from "../presentation/edge-words.ts";
import { dispositionText, reasonText } from "../presentation/words.ts";

const attemptsMax = 5;
const logLinesMax = 12;
const runsMax = 5;
const blockersMax = 8;

/** Everything that is known of one cell, section by section: what it is, why, and what happens next. */
export function renderExplanation(
  explanation: Explanation,
  attempts: readonly AttemptRecord[],
  sql: string | null,
  options: RenderOptions,
): string {
  const paint = painter(options.color);
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ["", verdictLines(explanation, options, paint)],
    ["expected", expectedLines(explanation, options)],
    ["seen", seenLines(explanation, sql, options, paint)],
    ["checks", checkLines(explanation, options, paint)],
    ["reads", upstreamLines(explanation, options, paint)],
    ["root causes", explanation.root_causes.flatMap((cell) => cellLines(cell, options, paint))],
    ["waivers", waiverLines(explanation, options)],
    ["attempts", attemptLines(attempts, options, paint)],
    ["runs elsewhere", runLines(explanation, options, paint)],
    ["next", nextLines(explanation, options, paint)],
  ];
  return `${sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => [...(title === "" ? [] : [paint("bold", title)]), ...lines].join("\n"))
    .join("\n\n")}\n`;
}

function verdictLines(explanation: Explanation, options: RenderOptions, paint: Paint): readonly string[] {
  const { processor, date, phase, table, state, disposition, reason, degraded } = explanation;
  const where = phase === null ? table : `${table}, phase ${phase}`;
  const words = [
    `${processor} on ${date} (${where}) is ${state}`,
    disposition === "none"
      ? reasonText(reason)
      : dispositionText(disposition, reason, explanation.attempts_max),
    degraded ? "made from less than all of its inputs" : "",
  ];
  const text = words.filter((part) => part !== "").join("; ");
  const [first = "", ...rest] = wrap(text, options.columns, "  ");
  return [`${paint(stateStyles[state], stateGlyphs[state])} ${paint("bold", first.trimStart())}`, ...rest];
}

function expectedLines({ expected, due_at }: Explanation, options: RenderOptions): readonly string[] {
  const due = due_at === null ? "due when the last date that it reads is known" : `due ${due_at}`;
  return [...expected, due].flatMap((line) => wrap(line, options.columns, "  "));
}

function seenLines(
  { observed, failure }: Explanation,
  sql: string | null,
  options: RenderOptions,
  paint: Paint,
): readonly string[] {
  const query =
    sql === null
      ? []
      : [`  ${paint("dim", "by this query:")}`, ...indented(harmless(sql).trim().split("\n"), "    ", paint)];
  if (failure !== null) {
    const text = `nothing: the query failed: ${failure.code.replace("_", " ")}: ${harmlessLine(failure.message)}`;
    return [...wrap(text, options.columns, "  "), ...query];
  }
  if (observed === null) return query;
  const { rows, entities, first_write, last_write } = observed;
  const parts = [counted(rows, "row")];
  if (entities !== null) parts.push(counted(entities, "distinct key"));
  if (first_write !== null && last_write !== null) {
    parts.push(
      first_write === last_write ? `written ${first_write}` : `written ${first_write} to ${last_write}`,
    );
  }
  return [...wrap(parts.join(", "), options.columns, "  "), ...query];
}

function checkLines({ checks }: Explanation, options: RenderOptions, paint: Paint): readonly string[] {
  return checks.flatMap(({ name, holds, observed, expected }) => {
    const text = harmlessLine(
      holds ? `${name}: ${observed}` : `${name}: expected ${expected}, found ${observed}`,
    );
    return marked(holds, text, options, paint);
  });
}

function upstreamLines({ upstreams }: Explanation, options: RenderOptions, paint: Paint): readonly string[] {
  return upstreams.flatMap((edge) => {
    const { mark, text } = edgeWords(edge);
    const head =
      mark === null ? neutral(text, options, paint) : marked(mark === "satisfied", text, options, paint);
    const shown = edge.blocked_by.slice(0, blockersMax);
    const more = edge.blocked_by.length - shown.length;
    return [
      ...head,
      ...shown.flatMap((cell) => cellLines(cell, options, paint, "      ")),
      ...(more > 0 ? [`      … and ${more} more`] : []),
    ];
  });
}

function cellLines(
  cell: ExplainedCell,
  options: RenderOptions,
  paint: Paint,
  indent = "  ",
): readonly string[] {
  const words = cell.disposition === "none" ? reasonText(cell.reason) : plainDisposition(cell);
  const text = `${cell.processor} ${cell.date} ${cell.state}${words === "" ? "" : `, ${words}`}`;
  const [first = "", ...rest] = wrap(text, options.columns, `${indent}  `);
  return [
    `${indent}${paint(stateStyles[cell.state], stateGlyphs[cell.state])} ${first.trimStart()}`,
    ...rest,
  ];
}

/** Of another cell the number of its attempts is not known here. */
function plainDisposition({ disposition, reason }: ExplainedCell): string {
  if (reason === "attempts_used_up") return "quarantined: its attempts are used up";
  return dispositionText(disposition, reason, 0);
}

function waiverLines({ waivers }: Explanation, options: RenderOptions): readonly string[] {
  return waivers.flatMap(({ owner, reason, expires, source }) => {
    const until = expires === null ? "for ever" : `until ${expires}`;
    const from = source === "config" ? "in the config" : "by a command";
    return wrap(
      `by ${harmlessLine(owner)} ${until}, ${from}: ${harmlessLine(reason)}`,
      options.columns,
      "  ",
    );
  });
}

/** The last ones, oldest first; the log of the last one only, since the others are as a rule the same. */
function attemptLines(
  attempts: readonly AttemptRecord[],
  options: RenderOptions,
  paint: Paint,
): readonly string[] {
  const shown = attempts.slice(-attemptsMax);
  const hidden = attempts.length - shown.length;
  const lines =
    hidden > 0 ? [`  … ${counted(hidden, "earlier attempt")}; --format json has all of them`] : [];
  for (const [index, attempt] of shown.entries()) {
    lines.push(...oneAttempt(attempt, index === shown.length - 1, options, paint));
  }
  return lines;
}

function oneAttempt(
  attempt: AttemptRecord,
  withLog: boolean,
  options: RenderOptions,
  paint: Paint,
): readonly string[] {
  const took = formatSeconds((attempt.endedAt - attempt.startedAt) / 1000);
  const charge = attempt.charged || attempt.outcome === "repaired" ? "" : " (not counted)";
  const range = attempt.dates.length > 1 ? `, with ${formatDates(attempt.dates)}` : "";
  const head = `${formatInstant(attempt.startedAt)} attempt ${attempt.attempt}: ${attempt.outcome.replace("_", " ")}${charge} after ${took}${range}`;
  const lines = [...marked(attempt.outcome === "repaired", head, options, paint)];
  if (attempt.stateBefore !== "" && attempt.rowsBefore !== attempt.rowsAfter) {
    lines.push(
      `      ${counted(attempt.rowsBefore, "row")} before, ${counted(attempt.rowsAfter, "row")} after`,
    );
  }
  const why = [attempt.errorCode, attempt.message === null ? null : harmlessLine(attempt.message)]
    .filter((part) => part !== null)
    .join(": ");
  if (why !== "") lines.push(...wrap(why, options.columns, "      "));
  if (withLog && attempt.logTail !== null && attempt.logTail.trim() !== "") {
    const log = harmless(attempt.logTail).trimEnd().split("\n");
    const cut = log.length - logLinesMax;
    lines.push(`      ${paint("dim", cut > 0 ? `the last ${logLinesMax} lines of its log:` : "its log:")}`);
    lines.push(...indented(log.slice(-logLinesMax), "        ", paint));
  }
  return lines;
}

/** The last ones, newest first, with what each failed with. */
function runLines({ run_history }: Explanation, options: RenderOptions, paint: Paint): readonly string[] {
  if (run_history === null) return [];
  const { runs, failure } = run_history;
  const unread =
    failure === null
      ? []
      : wrap(
          `the run history could not be read: ${failure.code.replace("_", " ")}: ${harmlessLine(failure.message)}`,
          options.columns,
          "  ",
        );
  const more = runs.length - runsMax;
  return [
    ...unread,
    ...runs.slice(0, runsMax).flatMap((run) => oneRun(run, options, paint)),
    ...(more > 0 ? [`  … ${counted(more, "earlier run")}; --format json has them`] : []),
  ];
}

function oneRun(run: ExplainedRun, options: RenderOptions, paint: Paint): readonly string[] {
  const name = run.run_id === null ? "" : ` (run ${harmlessLine(run.run_id)})`;
  const until = run.ended_at === null ? "" : `, ended ${run.ended_at}`;
  const text = `${run.started_at} ${harmlessLine(run.status)}${name}${until}`;
  const error =
    run.error === null || run.error.trim() === "" ? [] : harmless(run.error).trimEnd().split("\n");
  const cut = error.length - logLinesMax;
  return [
    ...(run.kind === "failed" ? marked(false, text, options, paint) : wrap(text, options.columns, "    ")),
    ...indented(error.slice(0, logLinesMax), "        ", paint),
    ...(cut > 0 ? [`        … ${counted(cut, "more line")}`] : []),
  ];
}

/** A command at the end of the sentence has a line to itself, so that it can be copied. */
function nextLines({ next, next_at }: Explanation, options: RenderOptions, paint: Paint): readonly string[] {
  const when = next_at === null || next.includes(next_at) ? "" : ` (${next_at})`;
  const command = / (reconcile [^:]*)$/.exec(next)?.[1];
  if (command === undefined || !next.endsWith(`: ${command}`))
    return wrap(`${next}${when}`, options.columns, "  ");
  const prose = next.slice(0, next.length - command.length).trimEnd();
  return [...wrap(`${prose}${when}`, options.columns, "  "), `    ${paint("cyan", command)}`];
}

function neutral(text: string, options: RenderOptions, paint: Paint): readonly string[] {
  const [first = "", ...rest] = wrap(text, options.columns, "    ");
  return [`  ${paint("dim", "–")} ${first.trimStart()}`, ...rest];
}

function marked(good: boolean, text: string, options: RenderOptions, paint: Paint): readonly string[] {
  const [first = "", ...rest] = wrap(text, options.columns, "    ");
  const mark = good ? paint("green", "✓") : paint(["bold", "red"], "✗");
  return [`  ${mark} ${first.trimStart()}`, ...rest];
}

/** Text of others is never broken: it is there to be copied. */
function indented(lines: readonly string[], indent: string, paint: Paint): readonly string[] {
  return lines.map((line) => (line.trim() === "" ? "" : `${indent}${paint("dim", line)}`));
}
