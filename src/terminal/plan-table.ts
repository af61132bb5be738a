import type { StepDocument } from "../core/repair-documents.ts";
import type { ResultDocument } from "../core/result-document.ts";
import { adviceOf } from "./advice.ts";
import { costLines } from "./cost.ts";
import { type Column, renderTable } from "./table.ts";
import type { RenderOptions } from "./terminal.ts";
import { counted, formatBytes, formatCount, formatSeconds, painter, wrap } from "./text.ts";

const linesMax = 40;

const jobColumns: readonly Column[] = [
  { title: "wave", align: "right" },
  { title: "repair", flexible: true },
  { title: "first" },
  { title: "last" },
  { title: "dates", align: "right" },
  { title: "time", align: "right" },
  { title: "billed", align: "right" },
  { title: "why" },
];

const groupColumns: readonly Column[] = [...jobColumns, { title: "jobs", align: "right" }];
const billedColumn = jobColumns.findIndex(({ title }) => title === "billed");

/** A warehouse that bills nothing has no column for it. */
function isShown({ cost }: ResultDocument): (column: unknown, index: number) => boolean {
  return (_column, index) => cost !== null || index !== billedColumn;
}

/** A job, or the jobs of one repair in one wave. */
interface Line {
  readonly wave: number;
  readonly repair: string;
  readonly jobs: number;
  readonly first: string;
  readonly last: string;
  readonly dates: number;
  readonly seconds: number | null;
  readonly bytes: number | null;
  readonly why: string;
}

/**
 * What a run would do if every repair worked, wave by wave: a line per job, or, where there are more than 40, a line per
 * repair and wave; never more than 40.
 */
export function renderPlan(document: ResultDocument, options: RenderOptions): string {
  const paint = painter(options.color);
  const steps = document.plan;
  const lines = [...wrap(headline(document), options.columns)];
  lines[0] = paint("bold", lines[0] ?? "");
  if (steps.length > 0) {
    const isFolded = steps.length > linesMax;
    const all = isFolded ? grouped(steps) : steps.map(lineOf);
    const table = renderTable(
      (isFolded ? groupColumns : jobColumns).filter(isShown(document)),
      all.slice(0, linesMax).map((line) => cellsOf(line).filter(isShown(document))),
      options.columns,
    );
    lines.push("", paint("dim", table.head), ...table.lines);
    if (all.length > linesMax)
      lines.push(`… and ${formatCount(all.length - linesMax)} more; --format json lists every job`);
    else if (isFolded)
      lines.push(paint("dim", "a line is all jobs of a repair in a wave; --format json lists each"));
  }
  lines.push(...remainder(document, options));
  const cost = costLines(document.cost, options);
  if (cost.length > 0) lines.push("", ...cost);
  return `${lines.join("\n")}\n`;
}

function headline({ plan: steps, pipeline, range, gaps, unknown }: ResultDocument): string {
  const where = `${pipeline}, ${range.start_date} to ${range.end_date}`;
  if (steps.length === 0) {
    const gapText =
      gaps.length === 0 ? "no gap" : `${counted(gaps.length, "gap")}, none of them can be repaired now`;
    const unknownText =
      unknown.length === 0 ? "" : `; ${counted(unknown.length, "cell")} could not be observed`;
    return `nothing to run: ${gapText}${unknownText} (${where})`;
  }
  const waves = Math.max(...steps.map(({ wave }) => wave));
  const dates = steps.reduce((sum, step) => sum + step.dates.length * step.processors.length, 0);
  return `${counted(steps.length, "job")} in ${counted(waves, "wave")} for ${counted(dates, "cell")}, ${timeText(steps)} (${where})`;
}

/** The jobs one after the other; how many run at once depends on limits. */
function timeText(steps: readonly StepDocument[]): string {
  const known = steps.filter(({ forecast_seconds }) => forecast_seconds !== null);
  if (known.length === 0) return "time unknown: no repair has run before";
  const seconds = known.reduce((sum, { forecast_seconds }) => sum + (forecast_seconds ?? 0), 0);
  const atLeast = known.length < steps.length ? "at least " : "about ";
  return `${atLeast}${formatSeconds(seconds)} of run time`;
}

function lineOf(step: StepDocument): Line {
  return {
    wave: step.wave,
    repair: step.repair,
    jobs: 1,
    first: step.start_date,
    last: step.end_date,
    dates: step.dates.length,
    seconds: step.forecast_seconds,
    bytes: step.forecast_bytes,
    why: step.reason,
  };
}

function grouped(steps: readonly StepDocument[]): readonly Line[] {
  const groups = new Map<string, Line>();
  for (const step of steps) {
    const line = lineOf(step);
    const known = groups.get(`${line.wave}/${line.repair}`);
    groups.set(`${line.wave}/${line.repair}`, known === undefined ? line : merged(known, line));
  }
  return [...groups.values()];
}

function merged(a: Line, b: Line): Line {
  return {
    ...a,
    jobs: a.jobs + b.jobs,
    first: a.first < b.first ? a.first : b.first,
    last: a.last > b.last ? a.last : b.last,
    dates: a.dates + b.dates,
    seconds: a.seconds === null || b.seconds === null ? null : a.seconds + b.seconds,
    bytes: a.bytes === null || b.bytes === null ? null : a.bytes + b.bytes,
    why: sumOfReasons(a.why, b.why),
  };
}

/** `3 missing` and `2 missing, 1 partial` are `5 missing, 1 partial`; other words stay away. */
function sumOfReasons(a: string, b: string): string {
  const counts = new Map<string, number>();
  for (const [, count, state] of `${a}, ${b}`.matchAll(/(\d+) (missing|partial|invalid|stale)\b/g)) {
    counts.set(state ?? "", (counts.get(state ?? "") ?? 0) + Number(count));
  }
  return [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
}

function cellsOf(line: Line): readonly string[] {
  return [
    String(line.wave),
    line.repair,
    line.first,
    line.last,
    formatCount(line.dates),
    line.seconds === null ? "?" : formatSeconds(line.seconds),
    line.bytes === null ? "?" : formatBytes(line.bytes),
    line.why,
    formatCount(line.jobs),
  ];
}

/** Gaps that no job is for, with what a person can do. */
function remainder(document: ResultDocument, options: RenderOptions): readonly string[] {
  const planned = new Set(
    document.plan.flatMap(({ processors, dates }) =>
      processors.flatMap((processor) => dates.map((date) => `${processor}/${date}`)),
    ),
  );
  const left = document.gaps.filter(({ processor, date }) => !planned.has(`${processor}/${date}`));
  if (left.length === 0) return [];
  const counts = new Map<string, number>();
  for (const { disposition } of left) counts.set(disposition, (counts.get(disposition) ?? 0) + 1);
  const words = [...counts].map(
    ([disposition, count]) => `${formatCount(count)} ${disposition.replace("_", " ")}`,
  );
  const advice = adviceOf({ gaps: left, unknown: [] })[0];
  const hint = advice === undefined ? "" : `; ${advice.command}`;
  return [
    "",
    ...wrap(`not planned: ${counted(left.length, "gap")} (${words.join(", ")})${hint}`, options.columns),
  ];
}
