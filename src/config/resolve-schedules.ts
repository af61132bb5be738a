import type { z } from "zod";
import type { ScheduleExceptions, ScheduleSource, ScheduleSpec } from "../core/pipeline.ts";
import { absolutePath, sqlText, type Loaded } from "./loaded.ts";
import { dateColumnOf } from "./resolve-date-column.ts";
import { scheduleSchema, weekdays } from "./schema/schedule.ts";
import { keyPlaceOf, type TreePath } from "./tree.ts";

type ScheduleInput = z.output<typeof scheduleSchema>;
type Calendar = Extract<ScheduleSource, { kind: "calendar" }>;

/** The schedules in file order; `schedule:` alone is the one called `default`. */
export function resolveSchedules(loaded: Loaded): readonly ScheduleSpec[] {
  const { document, tree, issues } = loaded;
  const named = Object.entries(document.schedules).map(([name, input]) => ({
    name,
    input,
    path: ["schedules", name],
  }));
  if (document.schedule !== undefined) {
    if (document.schedules["default"] !== undefined) {
      const place = keyPlaceOf(tree, ["schedules", "default"]);
      const hint = "rename one of them, or remove `schedule`";
      issues.add({
        place,
        expected: "one schedule called default",
        found: "another one: `schedule` is it",
        hint,
      });
    } else named.unshift({ name: "default", input: document.schedule, path: ["schedule"] });
  }
  if (loaded.names.schedules.length === 0) {
    issues.addAt(tree, ["schedule"], {
      expected: "a schedule, which says on which dates data is expected",
      hint: "add `schedule: { table: …, date_column: … }`, or `schedule: { every: day, start_date: 2024-01-01 }`",
    });
  }
  return named.flatMap(({ name, input, path }) => {
    const source = resolveSource(loaded, path, input);
    if (source === null) return [];
    checkEnd(loaded, path, input);
    return [
      {
        name,
        source,
        startDate: input.start_date ?? null,
        endDate: input.end_date ?? null,
        except: resolveExceptions(loaded, [...path, "except"], input.except),
        maxGapDays: input.expect.max_gap ?? null,
      },
    ];
  });
}

function resolveSource(loaded: Loaded, path: TreePath, input: ScheduleInput): ScheduleSource | null {
  const given = (["table", "sql_file", "every"] as const).filter((key) => input[key] !== undefined);
  if (given.length !== 1) {
    loaded.issues.addAt(loaded.tree, path, {
      expected: "exactly one of table, sql_file and every",
      found: given.length === 0 ? "none of them" : given.join(" and "),
    });
    return null;
  }
  if (input.every !== undefined) return calendarSource(loaded, path, input, input.every);
  if (input.weekday !== undefined) unexpectedKey(loaded, path, "weekday", "every: week");
  if (input.day !== undefined) unexpectedKey(loaded, path, "day", "every: month, quarter and year");
  if (input.date_column === undefined) {
    loaded.issues.addAt(loaded.tree, [...path, "date_column"], {
      expected: "the column with the date",
      hint: 'add "date_column"',
    });
    return null;
  }
  const columns = {
    ...dateColumnOf({ ...input, date_column: input.date_column }),
    unitColumn: input.unit_column ?? null,
    seasonColumn: input.season_column ?? null,
    where: input.where ?? null,
  };
  if (input.table !== undefined) return { kind: "table", table: input.table, ...columns };
  const file = input.sql_file ?? "";
  const sql = sqlText(loaded, [...path, "sql_file"], file);
  return sql === null ? null : { kind: "query", file: absolutePath(loaded.folder, file), sql, ...columns };
}

function calendarSource(
  loaded: Loaded,
  path: TreePath,
  input: ScheduleInput,
  every: Calendar["every"],
): ScheduleSource {
  for (const key of [
    "date_column",
    "date_format",
    "column_timezone",
    "unit_column",
    "season_column",
    "where",
  ] as const) {
    if (input[key] !== undefined) unexpectedKey(loaded, path, key, "table and sql_file");
  }
  if (input.weekday !== undefined && every !== "week") unexpectedKey(loaded, path, "weekday", "every: week");
  const isPeriod = every === "month" || every === "quarter" || every === "year";
  if (input.day !== undefined && !isPeriod)
    unexpectedKey(loaded, path, "day", "every: month, quarter and year");
  if (input.start_date === undefined) {
    loaded.issues.addAt(loaded.tree, [...path, "start_date"], {
      expected: "the first date of the calendar, as YYYY-MM-DD",
      hint: 'add "start_date": a calendar has no first date of its own',
    });
  }
  const weekday = weekdays.indexOf(input.weekday ?? "monday") + 1;
  return { kind: "calendar", every, weekday, day: input.day ?? "first" };
}

function checkEnd({ issues, tree }: Loaded, path: TreePath, input: ScheduleInput): void {
  const { start_date: start, end_date: end } = input;
  if (start === undefined || end === undefined || end >= start) return;
  issues.addAt(tree, [...path, "end_date"], {
    expected: `a date that is not before start_date, which is ${start}`,
  });
}

function resolveExceptions(
  loaded: Loaded,
  path: TreePath,
  input: ScheduleInput["except"],
): ScheduleExceptions | null {
  if (input === undefined) return null;
  if (Array.isArray(input)) return { kind: "dates", dates: input };
  const columns = {
    ...dateColumnOf(input),
    unitColumn: null,
    seasonColumn: null,
    where: input.where ?? null,
  };
  if ((input.table === undefined) === (input.sql_file === undefined)) {
    const found = input.table === undefined ? "neither" : "both";
    loaded.issues.addAt(loaded.tree, path, { expected: "either table or sql_file", found });
    return null;
  }
  if (input.table !== undefined)
    return { kind: "stored", source: { kind: "table", table: input.table, ...columns } };
  const file = input.sql_file ?? "";
  const sql = sqlText(loaded, [...path, "sql_file"], file);
  if (sql === null) return null;
  return {
    kind: "stored",
    source: { kind: "query", file: absolutePath(loaded.folder, file), sql, ...columns },
  };
}

function unexpectedKey(loaded: Loaded, path: TreePath, key: string, owner: string): void {
  loaded.issues.addAtKey(loaded.tree, [...path, key], {
    expected: `no ${key}, which belongs to ${owner}`,
    hint: `remove ${key}`,
  });
}
