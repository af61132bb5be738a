import { didYouMean } from "../config/nearest.ts";
import {
  columnKindOf,
  type DateColumn,
  type DateColumnProblem,
  dateColumnProblem,
  timeColumnHint,
} from "../core/date-column.ts";
import { type Pipeline, type Processor, type TableName, tableText } from "../core/pipeline.ts";
import { exceptionsSpec } from "../core/schedule.ts";
import type { TableInspection, Warehouse } from "../reconcile/ports.ts";
import type { Finding } from "../core/finding.ts";

interface TableUse {
  readonly place: string;
  readonly table: TableName;
}

interface ColumnUse extends TableUse {
  readonly column: string;
  /** What it has to hold. */
  readonly holds: Holds;
}

type Holds = { readonly kind: "any" | "time" } | ({ readonly kind: "date" } & Pick<DateColumn, "dateFormat">);

export interface ColumnCheck {
  readonly findings: readonly Finding[];
  readonly tables: number;
  readonly columns: number;
  /** The warehouse's name of a column's type; null where there is no such column. */
  readonly typeOf: (table: TableName, column: string) => string | null;
}

const columnsShownMax = 12;

/** Whether every table and column that the config names is there, with a type that can be dated where it has to be. */
export async function checkColumns(
  pipeline: Pipeline,
  warehouse: Pick<Warehouse, "inspect">,
): Promise<ColumnCheck> {
  const tableUses = tablesOf(pipeline);
  const columnUses = columnsOf(pipeline);
  const tables = new Map([...tableUses, ...columnUses].map(({ table }) => [tableText(table), table]));
  const inspected = new Map(
    (await warehouse.inspect({ tables: [...tables.values()] })).map((found) => [
      tableText(found.table),
      found,
    ]),
  );
  const findings: Finding[] = [];
  for (const use of tableUses) {
    const found = inspected.get(tableText(use.table));
    if (found !== undefined && found.columns === null) findings.push(missingTable(use, found));
  }
  for (const use of columnUses) {
    const columns = inspected.get(tableText(use.table))?.columns ?? null;
    const finding = columns === null ? null : checkColumn(use, columns);
    if (finding !== null) findings.push(finding);
  }
  const typeOf = (table: TableName, column: string) => {
    const columns = inspected.get(tableText(table))?.columns ?? null;
    return columns === null ? null : (typeIn(columns, column) ?? null);
  };
  return { findings, tables: tables.size, columns: columnUses.length, typeOf };
}

function missingTable({ place, table }: TableUse, found: TableInspection): Finding {
  return {
    level: "error",
    place,
    expected: `a table ${tableText(table)} that can be read`,
    found: found.message ?? "none",
    hint: found.nearest === null ? "create it, or correct its name" : `did you mean "${found.nearest}"?`,
  };
}

function checkColumn(use: ColumnUse, columns: ReadonlyMap<string, string>): Finding | null {
  const { place, table, column } = use;
  const type = typeIn(columns, column);
  const expected = `a column ${column} of ${tableText(table)}`;
  if (type === undefined) {
    const names = [...columns.keys()];
    const more = names.length > columnsShownMax ? ", …" : "";
    const hint = didYouMean(column, names) ?? `it has: ${names.slice(0, columnsShownMax).join(", ")}${more}`;
    return { level: "error", place, expected, found: "no such column", hint };
  }
  const problem = problemOf(use, type);
  if (problem === null) return null;
  const { hint } = problem;
  return {
    level: "error",
    place,
    expected: `${expected} ${problem.expected}`,
    found: `one of type ${type}`,
    hint,
  };
}

function problemOf({ column, holds }: ColumnUse, type: string): DateColumnProblem | null {
  if (holds.kind === "any") return null;
  if (holds.kind === "date")
    return dateColumnProblem(type, { dateColumn: column, dateFormat: holds.dateFormat });
  const kind = columnKindOf(type);
  if (kind === "date" || kind === "time") return null;
  return { expected: "of type TIMESTAMP or DATE", hint: timeColumnHint(column, type) };
}

function typeIn(columns: ReadonlyMap<string, string>, column: string): string | undefined {
  const wanted = column.toLowerCase();
  return [...columns].find(([name]) => name.toLowerCase() === wanted)?.[1];
}

function tablesOf(pipeline: Pipeline): readonly TableUse[] {
  const uses: TableUse[] = [];
  for (const { place, source } of storedSchedules(pipeline)) {
    uses.push({ place: `${place}.table`, table: source.table });
  }
  for (const { name, table, expect } of pipeline.processors) {
    const place = `processors.${name}`;
    uses.push({ place: `${place}.table`, table });
    const { excusedBy } = expect.coverage ?? { excusedBy: null };
    if (excusedBy !== null)
      uses.push({ place: `${place}.expect.coverage.excused_by.table`, table: excusedBy.table });
    const log = expect.rows.completionLog;
    if (log !== null) uses.push({ place: `${place}.expect.rows.completion_log.table`, table: log.table });
  }
  if (pipeline.runHistory !== null) {
    uses.push({ place: "run_history.table", table: pipeline.runHistory.table });
  }
  return uses;
}

/** Tables that schedules are read from, and the dates that they leave out. */
function storedSchedules({ schedules }: Pipeline) {
  return schedules.flatMap((spec) =>
    [
      { place: `schedules.${spec.name}`, source: spec.source },
      { place: `schedules.${spec.name}.except`, source: exceptionsSpec(spec)?.source },
    ].flatMap(({ place, source }) => (source?.kind === "table" ? [{ place, source }] : [])),
  );
}

function columnsOf(pipeline: Pipeline): readonly ColumnUse[] {
  return [
    ...storedSchedules(pipeline).flatMap(({ place, source }) => {
      const { table, unitColumn, seasonColumn } = source;
      return [
        dateUse(place, table, source),
        ...optional(`${place}.unit_column`, table, unitColumn),
        ...optional(`${place}.season_column`, table, seasonColumn),
      ];
    }),
    ...pipeline.processors.flatMap((processor) => [
      ...ownColumns(processor),
      ...coverageColumns(pipeline, processor),
      ...entityColumns(pipeline, processor),
    ]),
    ...runHistoryColumns(pipeline),
  ];
}

function runHistoryColumns({ runHistory }: Pipeline): readonly ColumnUse[] {
  if (runHistory === null) return [];
  const { table, processorColumn, statusColumn, startedAtColumn } = runHistory;
  const { endedAtColumn, errorColumn, runIdColumn } = runHistory;
  const place = "run_history";
  return [
    dateUse(place, table, runHistory),
    ...optional(`${place}.processor_column`, table, processorColumn),
    ...optional(`${place}.status_column`, table, statusColumn),
    ...optional(`${place}.started_at_column`, table, startedAtColumn, "time"),
    ...optional(`${place}.ended_at_column`, table, endedAtColumn, "time"),
    ...optional(`${place}.error_column`, table, errorColumn),
    ...optional(`${place}.run_id_column`, table, runIdColumn),
  ];
}

function ownColumns(processor: Processor): readonly ColumnUse[] {
  const { name, table, writtenAtColumn, expect } = processor;
  const place = `processors.${name}`;
  const uses: ColumnUse[] = [
    dateUse(place, table, processor),
    ...optional(`${place}.written_at_column`, table, writtenAtColumn, "time"),
  ];
  for (const [index, columns] of expect.uniqueKeys.entries()) {
    for (const column of columns)
      uses.push(...optional(`${place}.expect.unique_keys[${index}]`, table, column));
  }
  for (const [index, { column }] of expect.notNull.entries())
    uses.push(...optional(`${place}.expect.not_null[${index}]`, table, column));
  return [...uses, ...optional(`${place}.expect.quality.column`, table, expect.quality?.column ?? null)];
}

function coverageColumns(pipeline: Pipeline, processor: Processor): readonly ColumnUse[] {
  const { coverage, rows } = processor.expect;
  const place = `processors.${processor.name}.expect`;
  const uses: ColumnUse[] = [];
  const log = rows.completionLog;
  if (log !== null) {
    uses.push(dateUse(`${place}.rows.completion_log`, log.table, log));
    uses.push(...optional(`${place}.rows.completion_log.rows_column`, log.table, log.rowsColumn));
  }
  if (coverage === null) return uses;
  uses.push(...optional(`${place}.coverage.key`, processor.table, coverage.key));
  const { of } = coverage;
  const other =
    of.kind === "processor" ? tableOf(pipeline, of.name) : scheduleTable(pipeline, processor.schedule);
  if (other !== null) uses.push(...optional(`${place}.coverage.of_key`, other, coverage.ofKey));
  if (coverage.excusedBy !== null) {
    const { table, key } = coverage.excusedBy;
    uses.push(
      dateUse(`${place}.coverage.excused_by`, table, coverage.excusedBy),
      ...optional(`${place}.coverage.excused_by.key`, table, key),
    );
  }
  return uses;
}

function entityColumns(pipeline: Pipeline, { name, expect }: Processor): readonly ColumnUse[] {
  const { perEntity } = expect.rows;
  const table = perEntity === null ? null : tableOf(pipeline, perEntity.of);
  if (table === null) return [];
  return optional(`processors.${name}.expect.rows.per_entity.key`, table, perEntity?.key ?? null);
}

function tableOf({ processors }: Pipeline, name: string): TableName | null {
  return processors.find((processor) => processor.name === name)?.table ?? null;
}

function scheduleTable({ schedules }: Pipeline, name: string): TableName | null {
  const source = schedules.find((schedule) => schedule.name === name)?.source;
  return source?.kind === "table" ? source.table : null;
}

function dateUse(
  place: string,
  table: TableName,
  { dateColumn, dateFormat }: Pick<DateColumn, "dateColumn" | "dateFormat">,
): ColumnUse {
  return { place: `${place}.date_column`, table, column: dateColumn, holds: { kind: "date", dateFormat } };
}

function optional(
  place: string,
  table: TableName,
  column: string | null,
  kind: "any" | "time" = "any",
): readonly ColumnUse[] {
  return column === null ? [] : [{ place, table, column, holds: { kind } }];
}
