import { addDays, type DateRange } from "../../core/iso-date.ts";
import { type ScheduleObservation, scheduleYears } from "../../core/observation.ts";
import type { ScheduleSpec } from "../../core/pipeline.ts";
import {
  refuseParameters,
  scheduleFailed,
  scheduleObservation,
  type StoredSchedule,
} from "../sql/schedules.ts";
import { columnOf, type Source } from "../sql/source.ts";
import type { Catalog } from "./catalog.ts";
import { allDates, type Dates, datedSource } from "./dates.ts";
import type { Jobs } from "./jobs.ts";
import type { Limits } from "./limits.ts";
import { Bindings } from "./parameters.ts";
import { loadSql } from "./sql-files.ts";
import { encloseQuery, parametersOf, quoteIdentifier } from "./sql-text.ts";

/** @throws Unobservable, or QueryError where the query cannot be analyzed */
export async function scheduleSource(
  jobs: Jobs,
  catalog: Catalog,
  stored: StoredSchedule,
  limits: Limits,
): Promise<Source> {
  if (stored.kind === "table") return catalog.table(stored.table);
  const label = `the query in ${stored.file}`;
  const enclosed = encloseQuery(stored.sql);
  refuseParameters(parametersOf(stored.sql).names, label);
  const sql = `${enclosed} as gr_query`;
  const { columns } = await jobs.analyze({ sql: `select * from ${sql}`, purpose: "analyze" }, limits);
  return { sql, label, columns: new Map(columns.map((column) => [column.name.toLowerCase(), column])) };
}

const outsideOfYears: readonly DateRange[] = [
  { start: allDates.start, end: addDays(scheduleYears.start, -1) },
  { start: addDays(scheduleYears.end, 1), end: allDates.end },
];

/** @throws ReconcilerError `schedule_failed`, or `interrupted` when called off. */
export async function readSchedule(
  jobs: Jobs,
  catalog: Catalog,
  { spec, stored }: { readonly spec: ScheduleSpec; readonly stored: StoredSchedule },
  { range, timezone }: { readonly range: DateRange; readonly timezone: string },
  limits: Limits,
): Promise<ScheduleObservation> {
  try {
    const source = await scheduleSource(jobs, catalog, stored, limits);
    const quoted = (name: string) => quoteIdentifier(columnOf(source, name).name);
    const { seasonColumn, unitColumn, where } = stored;
    const season = seasonColumn === null ? "''" : `coalesce(cast(${quoted(seasonColumn)} as string), '')`;
    const units = unitColumn === null ? "count(*)" : `count(distinct ${quoted(unitColumn)})`;
    const read = async (
      name: string,
      dates: Pick<Dates, "ranges" | "withoutDate">,
      filter: string | null,
    ) => {
      const binder = new Bindings();
      const { day, condition } = datedSource(source, stored, filter, { ...dates, timezone, binder });
      const sql = loadSql(name, { season, units, day, source: source.sql, condition });
      const statement = { sql, parameters: binder.parameters, purpose: "schedule" };
      return (await jobs.read(statement, limits)).rows;
    };
    const start = spec.startDate !== null && spec.startDate > range.start ? spec.startDate : range.start;
    const [seasons, dates] = await Promise.all([
      read("read-seasons", { ranges: [scheduleYears] }, null),
      read(
        "read-schedule",
        { ranges: [{ start, end: range.end }, ...outsideOfYears], withoutDate: true },
        where,
      ),
    ]);
    return scheduleObservation(seasons, dates);
  } catch (error) {
    throw scheduleFailed(spec, stored, "BigQuery", error);
  }
}
