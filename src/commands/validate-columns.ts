import { didYouMean } from "../config/nearest.ts";
import { type Pipeline, type Processor, type TableName, tableText } from "../core/pipeline.ts";
import type { TableInspection, Warehouse } from "../reconcile/ports.ts";
import type { Finding } from "../core/finding.ts";

/** What a column of the config has to hold. */
type Kind = "any" | "date" | "time";

interface TableUse {
  readonly place: string;
  readonly table: TableName;
}

interface ColumnUse extends TableUse {
  readonly column: string;
  readonly kind: Kind;
}

export interface ColumnCheck {
  readonly findings: readonly Finding[];
  readonly tables: number;
  readonly columns: number;
}

const kinds: Readonly<Record<Kind, { readonly text: string; readonly fits: (type: string) => boolean }>> = {
  any: { text: "", fits: () => true },
  date: {
    text: " of type DATE or TIMESTAMP",
    fits: (type) => /^(DATE|DATETIME|TIMESTAMP)/i.test(type),
  },
  time: {
    text: " of type TIMESTAMP or DATE",
    fits: (type) => /^(DATE|DATETIME|TIMESTAMP)/i.test(type),
  },
};

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
  return { findings, tables: tables.size, columns: columnUses.length };
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
  const { place, table, column, kind } = use;
  const expected = `a column ${column} of ${tableText(table)}${kinds[kind].text}`;
  const wanted = column.toLowerCase();
  const type = [...columns].find(([name]) => name.toLowerCase() === wanted)?.[1];
  if (type === undefined) {
    const names = [...columns.keys()];
    const more = names.length > columnsShownMax ? ", …" : "";
    const hint = didYouMean(column, names) ?? `it has: ${names.slice(0, columnsShownMax).join(", ")}${more}`;
    return { level: "error", place, expected, found: "no such column", hint };
  }
  if (kinds[kind].fits(type)) return null;
  const hint = `use another column, or a view with cast(${column} as ${kind === "date" ? "date" : "timestamp"})`;
  return { level: "error", place, expected, found: `one of type ${type}`, hint };
}

function tablesOf(pipeline: Pipeline): readonly TableUse[] {
  const uses: TableUse[] = [];
  for (const { name, source } of pipeline.schedules) {
    if (source.kind === "table") uses.push({ place: `schedules.${name}.table`, table: source.table });
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

function columnsOf(pipeline: Pipeline): readonly ColumnUse[] {
  return [
    ...pipeline.schedules.flatMap(({ name, source }) => {
      if (source.kind !== "table") return [];
      const place = `schedules.${name}`;
      const { table, dateColumn, unitColumn, seasonColumn } = source;
      return [
        { place: `${place}.date_column`, table, column: dateColumn, kind: "date" as const },
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
  const { table, dateColumn, processorColumn, statusColumn, startedAtColumn } = runHistory;
  const { endedAtColumn, errorColumn, runIdColumn } = runHistory;
  const place = "run_history";
  return [
    { place: `${place}.date_column`, table, column: dateColumn, kind: "date" },
    ...optional(`${place}.processor_column`, table, processorColumn),
    ...optional(`${place}.status_column`, table, statusColumn),
    { place: `${place}.started_at_column`, table, column: startedAtColumn, kind: "time" },
    ...optional(`${place}.ended_at_column`, table, endedAtColumn, "time"),
    ...optional(`${place}.error_column`, table, errorColumn),
    ...optional(`${place}.run_id_column`, table, runIdColumn),
  ];
}

function ownColumns({ name, table, dateColumn, writtenAtColumn, expect }: Processor): readonly ColumnUse[] {
  const place = `processors.${name}`;
  const uses: ColumnUse[] = [{ place: `${place}.date_column`, table, column: dateColumn, kind: "date" }];
  if (writtenAtColumn !== null)
    uses.push({ place: `${place}.written_at_column`, table, column: writtenAtColumn, kind: "time" });
  for (const [index, columns] of expect.uniqueKeys.entries()) {
    for (const column of columns)
      uses.push({ place: `${place}.expect.unique_keys[${index}]`, table, column, kind: "any" });
  }
  for (const [index, { column }] of expect.notNull.entries())
    uses.push({ place: `${place}.expect.not_null[${index}]`, table, column, kind: "any" });
  return [...uses, ...optional(`${place}.expect.quality.column`, table, expect.quality?.column ?? null)];
}

function coverageColumns(pipeline: Pipeline, processor: Processor): readonly ColumnUse[] {
  const { coverage, rows } = processor.expect;
  const place = `processors.${processor.name}.expect`;
  const uses: ColumnUse[] = [];
  if (rows.completionLog !== null) {
    const { table, dateColumn } = rows.completionLog;
    uses.push({ place: `${place}.rows.completion_log.date_column`, table, column: dateColumn, kind: "date" });
  }
  if (coverage === null) return uses;
  uses.push(...optional(`${place}.coverage.key`, processor.table, coverage.key));
  const { of } = coverage;
  const other =
    of.kind === "processor" ? tableOf(pipeline, of.name) : scheduleTable(pipeline, processor.schedule);
  if (other !== null) uses.push(...optional(`${place}.coverage.of_key`, other, coverage.ofKey));
  if (coverage.excusedBy !== null) {
    const { table, dateColumn, key } = coverage.excusedBy;
    uses.push(
      { place: `${place}.coverage.excused_by.date_column`, table, column: dateColumn, kind: "date" },
      { place: `${place}.coverage.excused_by.key`, table, column: key, kind: "any" },
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

function optional(
  place: string,
  table: TableName,
  column: string | null,
  kind: Kind = "any",
): readonly ColumnUse[] {
  return column === null ? [] : [{ place, table, column, kind }];
}
