import { type DateRange, type Day, fromDay, parseIsoDate } from "../core/iso-date.ts";
import type { Finding } from "../core/finding.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { nameInHistory } from "../core/run-history.ts";
import { type ScheduleObservation, type ScheduleStrays, scheduleYears } from "../core/observation.ts";
import { completeSchedules, scheduleStraysText, storedSchedules } from "../core/schedule.ts";
import { ReconcilerError } from "../errors.ts";
import type { Warehouse } from "../reconcile/ports.ts";

/** Before any data: where a schedule without a start date is read from. */
const dawn = parseIsoDate("1900-01-01");

export interface ScheduleCheck {
  readonly findings: readonly Finding[];
  /** The dates of each schedule that could be read. */
  readonly dates: ReadonlyMap<string, ReadonlySet<Day>>;
}

/** Whether each schedule can be read and has dates. `broken` are config paths that something was found at already. */
export async function checkSchedules(
  pipeline: Pipeline,
  warehouse: Pick<Warehouse, "readSchedules">,
  today: Day,
  broken: ReadonlySet<string>,
): Promise<ScheduleCheck> {
  const findings: Finding[] = [];
  const dates = new Map<string, ReadonlySet<Day>>();
  for (const spec of pipeline.schedules) {
    const place = `schedules.${spec.name}`;
    if (isWithin(broken, place)) continue;
    const range: DateRange = { start: spec.startDate ?? dawn, end: fromDay(today) };
    try {
      const stored = storedSchedules([spec]);
      const read: ReadonlyMap<string, ScheduleObservation> =
        stored.length === 0 ? new Map() : await warehouse.readSchedules(stored, range);
      for (const [name, { strays }] of read) {
        if (strays !== undefined) findings.push(strayFinding(place, name, strays));
      }
      const days = completeSchedules([spec], read, today).get(spec.name)?.days ?? [];
      dates.set(spec.name, new Set(days));
    } catch (error) {
      if (!(error instanceof ReconcilerError)) throw error;
      findings.push({
        level: "error",
        place,
        expected: "a schedule that can be read and has dates",
        found: error.message,
        hint: error.hint,
      });
    }
  }
  return { findings, dates };
}

function strayFinding(place: string, name: string, strays: ScheduleStrays): Finding {
  return {
    level: "warning",
    place,
    expected: `a date from ${scheduleYears.start} to ${scheduleYears.end} in each row of the schedule ${name}`,
    found: scheduleStraysText(strays),
    hint: "correct these rows, or exclude them with where; they are no dates of the schedule",
  };
}

/** Whether what the user wrote in SQL runs: each processor is profiled over one day. */
export async function checkQueries(
  pipeline: Pipeline,
  warehouse: Pick<Warehouse, "profile">,
  today: Day,
  broken: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  const processors = pipeline.processors.filter(({ name }) => !isWithin(broken, `processors.${name}`));
  const date = fromDay(today);
  const profiled = await warehouse.profile({ processors, range: { start: date, end: date } });
  return processors.flatMap(({ name }) => {
    const observation = profiled.processors.get(name);
    if (observation?.kind !== "failed") return [];
    const { code, message } = observation.failure;
    return [
      {
        level: "error" as const,
        place: `processors.${name}`,
        expected: "a query that observes it",
        found: `${code.replace("_", " ")}: ${message}`,
        hint: "check where, and the conditions under expect; reconcile explain shows the query",
      },
    ];
  });
}

/** Whether the run history can be read: its filter runs, and its columns have what they are to have. */
export async function checkRunHistory(
  { runHistory: spec, processors }: Pipeline,
  warehouse: Pick<Warehouse, "readRunHistory">,
  today: Day,
  broken: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  if (spec === null || isWithin(broken, "run_history")) return [];
  const date = fromDay(today);
  const names = processors.map(({ name }) => nameInHistory(spec, name));
  const range = { start: date, end: date };
  const reading = await warehouse.readRunHistory({ spec, names, range, since: 0, withErrors: true });
  if (reading.kind === "read") return [];
  const { code, message } = reading.failure;
  return [
    {
      level: "error",
      place: "run_history",
      expected: "a query that reads the runs",
      found: `${code.replace("_", " ")}: ${message}`,
      hint: "check where, and the columns that are named",
    },
  ];
}

/** Two processors that are never scheduled on the same date never wait for each other, whatever the config says. */
export function checkSharedDates(
  pipeline: Pipeline,
  dates: ReadonlyMap<string, ReadonlySet<Day>>,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { name, schedule, edges } of pipeline.processors) {
    const own = dates.get(schedule);
    for (const [index, edge] of edges.entries()) {
      if (edge.window.kind !== "same_date") continue;
      for (const upstream of edge.anyOf) {
        const other = pipeline.processors.find((processor) => processor.name === upstream)?.schedule ?? "";
        const theirs = dates.get(other);
        if (other === schedule || own === undefined || theirs === undefined || sharesOne(own, theirs))
          continue;
        findings.push({
          level: "warning",
          place: `processors.${name}.depends_on[${index}]`,
          expected: `a date on which both ${name} and ${upstream} are scheduled`,
          found: `none: schedules ${schedule} and ${other} have no date in common, so this dependency never holds anything back`,
          hint: "window: since_previous, or a lookback, reads dates of the other schedule",
        });
      }
    }
  }
  return findings;
}

function sharesOne(one: ReadonlySet<Day>, other: ReadonlySet<Day>): boolean {
  for (const day of one) if (other.has(day)) return true;
  return false;
}

function isWithin(paths: ReadonlySet<string>, parent: string): boolean {
  for (const path of paths) if (path === parent || path.startsWith(`${parent}.`)) return true;
  return false;
}
