import type { DateRange } from "../../core/iso-date.ts";
import { type ScheduleObservation, scheduleYears } from "../../core/observation.ts";
import type { ScheduleSpec } from "../../core/pipeline.ts";
import { scheduleFailed, scheduleObservation, type StoredSchedule } from "../sql/schedules.ts";
import { columnOf, type Source } from "../sql/source.ts";
import { type Catalog, querySource } from "./catalog.ts";
import { boundRange, datedSource } from "./dates.ts";
import { dateParameter, type RunLimits, type Session } from "./session.ts";
import { loadSql } from "./sql-files.ts";
import { quoteIdentifier, quoteText } from "./sql-text.ts";

export async function scheduleSource(
  session: Session,
  catalog: Catalog,
  spec: StoredSchedule,
): Promise<Source> {
  if (spec.kind === "table") return catalog.table(spec.table);
  return querySource(session, spec.sql, `the query in ${spec.file}`);
}

/** @throws ReconcilerError `schedule_failed`, or `interrupted` when called off. */
export async function readSchedule(
  session: Session,
  catalog: Catalog,
  spec: ScheduleSpec,
  stored: StoredSchedule,
  range: DateRange,
  timezone: string,
  limits: RunLimits,
): Promise<ScheduleObservation> {
  try {
    const source = await scheduleSource(session, catalog, stored);
    const season =
      stored.seasonColumn === null
        ? "''"
        : `coalesce(${quoteIdentifier(columnOf(source, stored.seasonColumn).name)}::varchar, '')`;
    const units =
      stored.unitColumn === null
        ? "count(*)"
        : `count(distinct ${quoteIdentifier(columnOf(source, stored.unitColumn).name)})`;
    const whole = datedSource(source, stored, null, boundRange, timezone);
    const seasons = await session.run(
      loadSql("read-seasons", {
        season,
        day: whole.day,
        source: source.sql,
        condition: whole.condition,
        // Without a season all rows are one group; grouping them by a constant costs three times the statement.
        groups: stored.seasonColumn === null ? "having count(*) > 0" : "group by 1",
      }),
      { start_date: dateParameter(scheduleYears.start), end_date: dateParameter(scheduleYears.end) },
      limits,
    );
    const { day, condition: isAsked } = datedSource(source, stored, null, boundRange, timezone);
    const { anyDay } = datedSource(source, stored, stored.where, boundRange, timezone);
    const { start: firstDate, end: lastDate } = scheduleYears;
    const isStray = `${day} is null or ${day} < date ${quoteText(firstDate)} or ${day} > date ${quoteText(lastDate)}`;
    const condition = `((${isAsked}) or ${isStray}) and ${anyDay}`;
    const start = spec.startDate !== null && spec.startDate > range.start ? spec.startDate : range.start;
    const dates = await session.run(
      loadSql("read-schedule", { day, units, season, source: source.sql, condition }),
      { start_date: dateParameter(start), end_date: dateParameter(range.end) },
      limits,
    );
    return scheduleObservation(seasons, dates);
  } catch (error) {
    throw scheduleFailed(spec, stored, "DuckDB", error);
  }
}
