import type { z } from "zod";
import type { ScheduleSource, ScheduleSpec } from "../core/pipeline.ts";
import { absolutePath, sqlText, type Loaded } from "./loaded.ts";
import { scheduleSchema, weekdays } from "./schema/schedule.ts";
import { keyPlaceOf, type TreePath } from "./tree.ts";

type ScheduleInput = z.output<typeof scheduleSchema>;

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
    return [{ name, source, startDate: input.start_date ?? null, maxGapDays: input.expect.max_gap ?? null }];
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
  if (input.date_column === undefined) {
    loaded.issues.addAt(loaded.tree, [...path, "date_column"], {
      expected: "the column with the date",
      hint: 'add "date_column"',
    });
    return null;
  }
  const columns = {
    dateColumn: input.date_column,
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
  every: "day" | "weekday" | "week" | "month",
): ScheduleSource {
  for (const key of ["date_column", "unit_column", "season_column", "where"] as const) {
    if (input[key] !== undefined) unexpectedKey(loaded, path, key, "table and sql_file");
  }
  if (input.weekday !== undefined && every !== "week") unexpectedKey(loaded, path, "weekday", "every: week");
  if (input.start_date === undefined) {
    loaded.issues.addAt(loaded.tree, [...path, "start_date"], {
      expected: "the first date of the calendar, as YYYY-MM-DD",
      hint: 'add "start_date": a calendar has no first date of its own',
    });
  }
  return { kind: "calendar", every, weekday: weekdays.indexOf(input.weekday ?? "monday") + 1 };
}

function unexpectedKey(loaded: Loaded, path: TreePath, key: string, owner: string): void {
  loaded.issues.addAtKey(loaded.tree, [...path, key], {
    expected: `no ${key}, which belongs to ${owner}`,
    hint: `remove ${key}`,
  });
}
