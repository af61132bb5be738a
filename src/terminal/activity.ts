import { type DecisionDocument, decisionDocument } from "../core/decision-document.ts";
import type { Decision, GapEvent, RepairEnd } from "../core/ledger-records.ts";
import { formatInstant } from "../core/wall-clock.ts";
import type { LedgerActivity } from "../reconcile/ports.ts";
import type { RenderOptions } from "./terminal.ts";
import { harmlessLine } from "../presentation/harmless.ts";
import { counted, formatCount, formatDates } from "../presentation/numbers.ts";
import { type Paint, painter, truncate, wrap } from "./text.ts";

/** What happened since an instant, for programs. */
export interface ActivityDocument {
  readonly cycles: { readonly count: number; readonly converged: number; readonly not_accepted: number };
  /** Gaps opened, closed, and opened again after they had been complete, by processor. */
  readonly gaps: Readonly<
    Record<string, { readonly opened: number; readonly closed: number; readonly reopened: number }>
  >;
  /** Runs by repair and outcome. */
  readonly repairs: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly decisions: readonly DecisionDocument[];
}

export function activityDocument(activity: LedgerActivity): ActivityDocument {
  const { cycles, gapEvents, ends, decisions } = activity;
  return {
    cycles: {
      count: cycles.length,
      converged: cycles.filter(({ converged }) => converged).length,
      not_accepted: cycles.filter(({ accepted }) => !accepted).length,
    },
    gaps: Object.fromEntries(gapCounts(gapEvents)),
    repairs: repairCounts(ends),
    decisions: decisions.map(decisionDocument),
  };
}

const decisionsMax = 10;
const processorsMax = 15;

/** What was opened, closed, repaired and decided, in a few lines. */
export function renderActivity(activity: LedgerActivity, options: RenderOptions): string {
  const paint = painter(options.color);
  const { cycles } = activityDocument(activity);
  const refused = cycles.not_accepted === 0 ? "" : `, ${formatCount(cycles.not_accepted)} not accepted`;
  const lines = [
    `${paint("bold", "since then")}  ${counted(cycles.count, "cycle")}, ${formatCount(cycles.converged)} converged${refused}`,
    ...gapLines(activity.gapEvents, options, paint),
    ...repairLines(activity.ends, options, paint),
    ...decisionLines(activity.decisions, options, paint),
  ];
  return `${lines.join("\n")}\n`;
}

interface GapCounts {
  readonly opened: number;
  readonly closed: number;
  readonly reopened: number;
}

/** A gap is re-opened where it was complete before, ever, or closed within what is looked at. */
function gapCounts(events: readonly GapEvent[]): ReadonlyMap<string, GapCounts> {
  const closed = new Set<string>();
  const counts = new Map<string, GapCounts>();
  for (const { processor, date, event, wasComplete } of events) {
    const cell = `${processor}/${date}`;
    const known = counts.get(processor) ?? { opened: 0, closed: 0, reopened: 0 };
    if (event === "closed") {
      closed.add(cell);
      counts.set(processor, { ...known, closed: known.closed + 1 });
    } else {
      const again = wasComplete || closed.has(cell);
      counts.set(processor, {
        ...known,
        opened: known.opened + 1,
        reopened: known.reopened + (again ? 1 : 0),
      });
    }
  }
  return counts;
}

function gapLines(events: readonly GapEvent[], options: RenderOptions, paint: Paint): readonly string[] {
  const counts = [...gapCounts(events)];
  const sum = (pick: (of: GapCounts) => number) => counts.reduce((total, [, of]) => total + pick(of), 0);
  const total = {
    opened: sum(({ opened }) => opened),
    closed: sum(({ closed }) => closed),
    reopened: sum(({ reopened }) => reopened),
  };
  const lines = [`${paint("bold", "gaps")}  ${gapWords(total)}`];
  for (const [processor, of] of counts.slice(0, processorsMax)) {
    lines.push(...wrap(`${processor}: ${gapWords(of)}`, options.columns, "  "));
  }
  if (counts.length > processorsMax)
    lines.push(`  … and ${counted(counts.length - processorsMax, "processor")} more`);
  return lines;
}

function gapWords({ opened, closed, reopened }: GapCounts): string {
  const again =
    reopened === 0 ? "" : ` (${formatCount(reopened)} of them again, after they had been complete)`;
  return `${formatCount(opened)} opened${again}, ${formatCount(closed)} closed`;
}

function repairCounts(ends: readonly RepairEnd[]): Record<string, Record<string, number>> {
  const counts: Record<string, Record<string, number>> = {};
  for (const { repair, outcome } of ends) {
    const of = counts[repair] ?? {};
    of[outcome] = (of[outcome] ?? 0) + 1;
    counts[repair] = of;
  }
  return counts;
}

function repairLines(ends: readonly RepairEnd[], options: RenderOptions, paint: Paint): readonly string[] {
  const total = new Map<string, number>();
  for (const { outcome } of ends) total.set(outcome, (total.get(outcome) ?? 0) + 1);
  const words = (entries: Iterable<readonly [string, number]>) =>
    [...entries]
      .map(([outcome, count]) => `${formatCount(count)} ${outcome.replaceAll("_", " ")}`)
      .join(", ");
  const lines = [`${paint("bold", "repairs")}  ${ends.length === 0 ? "none" : words(total)}`];
  const failing = Object.entries(repairCounts(ends)).filter(([, outcomes]) =>
    Object.keys(outcomes).some((outcome) => outcome !== "repaired" && outcome !== "skipped"),
  );
  for (const [repair, outcomes] of failing.slice(0, processorsMax)) {
    lines.push(...wrap(`${repair}: ${words(Object.entries(outcomes))}`, options.columns, "  "));
  }
  return lines;
}

function decisionLines(
  decisions: readonly Decision[],
  options: RenderOptions,
  paint: Paint,
): readonly string[] {
  if (decisions.length === 0) return [`${paint("bold", "decisions")}  none`];
  const shown = decisions.slice(-decisionsMax);
  const lines = [`${paint("bold", "decisions")}  ${formatCount(decisions.length)}`];
  for (const decision of shown) lines.push(truncate(`  ${decisionText(decision)}`, options.columns));
  return lines;
}

/** Who did what to which cells, when and why. */
export function decisionText(decision: Decision): string {
  const { at, actor, kind, processors, startDate, endDate, reason } = decision;
  const which = processors === null ? "every processor" : processors.join(", ");
  const range = startDate === null && endDate === null ? "" : ` ${rangeText(startDate, endDate)}`;
  const why = reason === "" ? "" : `: ${reason}`;
  return harmlessLine(`${formatInstant(at)} ${actor} ${kind} ${which}${range}${why}`);
}

function rangeText(start: string | null, end: string | null): string {
  if (start !== null && end !== null)
    return start === end ? start : formatDates([start, end]).replace(/ \(.*/, "");
  return start === null ? `up to ${end}` : `from ${start} on`;
}
