import { hashOf } from "../core/hash.ts";
import { tableText } from "../core/pipeline.ts";
import type {
  CoverageExpectation,
  Expectation,
  QualityExpectation,
  RowsExpectation,
} from "../core/pipeline.ts";
import { checkName, type Loaded } from "./loaded.ts";
import { dateColumnOf } from "./resolve-date-column.ts";
import type { ProcessorInput } from "./schema/processor.ts";
import type { TreePath } from "./tree.ts";

type ExpectInput = ProcessorInput["expect"];

/** What makes a cell of one processor complete; bounds that nothing can meet are reported. */
export function resolveExpectation(loaded: Loaded, name: string, input: ProcessorInput): Expectation {
  const path = ["processors", name, "expect"];
  const { expect } = input;
  refuseDateColumn(loaded, [...path, "not_null"], input);
  const expectation = {
    rows: resolveRows(loaded, name, expect),
    coverage: expect.coverage === undefined ? null : resolveCoverage(loaded, name, input, expect.coverage),
    uniqueKeys: expect.unique_keys,
    notNull: expect.not_null.map((entry) =>
      typeof entry === "string"
        ? { column: entry, maxRatio: 0 }
        : { column: entry.column, maxRatio: entry.max_ratio },
    ),
    checks: Object.entries(expect.checks).map(([check, sql]) => ({ name: check, sql })),
    measures: resolveMeasures(loaded, [...path, "measures"], expect.measures),
    quality:
      expect.quality === undefined ? null : resolveQuality(loaded, [...path, "quality"], expect.quality),
  };
  const place = { table: tableText(input.table), ...dateColumnOf(input), where: input.where ?? null };
  return { ...expectation, hash: hashOf({ ...expectation, ...place }) };
}

/** A row without a date stands in no cell, so that none could ever fail. */
function refuseDateColumn(
  { issues, tree }: Loaded,
  path: TreePath,
  { date_column, expect }: ProcessorInput,
): void {
  for (const [index, entry] of expect.not_null.entries()) {
    const isNamed = typeof entry === "string";
    const column = isNamed ? entry : entry.column;
    if (column.toLowerCase() !== date_column.toLowerCase()) continue;
    issues.addAt(tree, isNamed ? [...path, index] : [...path, index, "column"], {
      expected:
        "a column other than date_column: a row without a date belongs to no date, so the check cannot fail",
      hint: "remove it; `reconcile status` reports rows without a date",
    });
  }
}

function resolveRows(loaded: Loaded, name: string, expect: ExpectInput): RowsExpectation {
  const { issues, tree } = loaded;
  const { rows } = expect;
  const path = ["processors", name, "expect", "rows"];
  const min = rows.min ?? 1;
  if (rows.max !== undefined && rows.max < min) {
    issues.addAt(tree, [...path, "max"], { expected: `at least min, which is ${min}` });
  }
  if (rows.per_unit !== undefined && rows.max_per_unit !== undefined && rows.max_per_unit < rows.per_unit) {
    issues.addAt(tree, [...path, "max_per_unit"], {
      expected: `at least per_unit, which is ${rows.per_unit}`,
    });
  }
  const entity = rows.per_entity;
  if (entity !== undefined) {
    checkOther(loaded, [...path, "per_entity", "of"], name, entity.of);
  }
  if (rows.when !== undefined) checkOther(loaded, [...path, "when", "of"], name, rows.when.of);
  return {
    min,
    max: rows.max ?? null,
    perUnit: rows.per_unit ?? null,
    maxPerUnit: rows.max_per_unit ?? null,
    perEntity:
      entity === undefined
        ? null
        : { of: entity.of, key: entity.key ?? entityKey(loaded, expect, entity.of), min: entity.min },
    when: rows.when ?? null,
    completionLog: resolveLog(rows.completion_log),
  };
}

function resolveLog(log: ExpectInput["rows"]["completion_log"]): RowsExpectation["completionLog"] {
  if (log === undefined) return null;
  const { table, where, rows_column: rowsColumn } = log;
  return { table, ...dateColumnOf(log), where: where ?? null, rowsColumn: rowsColumn ?? null };
}

/** How a processor's entities are known: by what the coverage here says of it, or by its own coverage. */
function entityKey(loaded: Loaded, expect: ExpectInput, of: string): string | null {
  const { coverage } = expect;
  if (coverage?.of === of) return coverage.of_key ?? coverage.key;
  return loaded.document.processors[of]?.expect.coverage?.key ?? null;
}

function resolveCoverage(
  loaded: Loaded,
  name: string,
  input: ProcessorInput,
  coverage: NonNullable<ExpectInput["coverage"]>,
): CoverageExpectation {
  const path = ["processors", name, "expect", "coverage", "of"];
  const ofSchedule = coverage.of === "schedule";
  if (!ofSchedule) checkOther(loaded, path, name, coverage.of);
  else if (hasCalendar(loaded, input)) {
    const hint = "name a processor, or use a schedule from a table";
    loaded.issues.addAt(loaded.tree, path, {
      expected: "a schedule with rows",
      found: "a calendar, which has none",
      hint,
    });
  }
  const excused = coverage.excused_by;
  return {
    of: ofSchedule ? { kind: "schedule" } : { kind: "processor", name: coverage.of },
    key: coverage.key,
    ofKey: coverage.of_key ?? coverage.key,
    min: coverage.min,
    extra: coverage.extra === "report" ? null : coverage.extra,
    excusedBy:
      excused === undefined
        ? null
        : {
            table: excused.table,
            ...dateColumnOf(excused),
            key: excused.key ?? coverage.key,
            where: excused.where ?? null,
          },
  };
}

function hasCalendar(loaded: Loaded, input: ProcessorInput): boolean {
  const name = scheduleName(loaded, input);
  const { schedule, schedules } = loaded.document;
  return (name === "default" ? (schedule ?? schedules[name]) : schedules[name ?? ""])?.every !== undefined;
}

/** The schedule that a processor names, or else `default`, or else the only one; null where that is not clear. */
export function scheduleName(loaded: Loaded, input: ProcessorInput): string | null {
  const { schedules } = loaded.names;
  if (input.schedule !== undefined) return input.schedule;
  if (schedules.includes("default")) return "default";
  return schedules.length === 1 ? (schedules[0] ?? null) : null;
}

function resolveMeasures(
  loaded: Loaded,
  path: TreePath,
  input: ExpectInput["measures"],
): Expectation["measures"] {
  return Object.entries(input).map(([name, { sql, min, max }]) => {
    const { issues, tree } = loaded;
    if (min === undefined && max === undefined) {
      issues.addAt(tree, [...path, name], { expected: "min, max or both", found: "neither" });
    } else if (min !== undefined && max !== undefined && max < min) {
      issues.addAt(tree, [...path, name, "max"], { expected: `at least min, which is ${min}` });
    }
    return { name, sql, min: min ?? null, max: max ?? null };
  });
}

function resolveQuality(
  loaded: Loaded,
  path: TreePath,
  input: NonNullable<ExpectInput["quality"]>,
): QualityExpectation {
  const { column, good, ok, degraded } = input;
  if (ok > good)
    loaded.issues.addAt(loaded.tree, [...path, "ok"], { expected: `at most good, which is ${good}` });
  if (degraded > ok)
    loaded.issues.addAt(loaded.tree, [...path, "degraded"], { expected: `at most ok, which is ${ok}` });
  return { column, good, ok, degraded, minGoodShare: input.min_good_share, afterDays: input.after_days };
}

function checkOther(loaded: Loaded, path: TreePath, name: string, other: string): void {
  if (other === name)
    loaded.issues.addAt(loaded.tree, path, { expected: "another processor", found: "the processor itself" });
  else checkName(loaded, path, other, "processor");
}
