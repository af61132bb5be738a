import { type Day, fromDay, type IsoDate } from "../../core/iso-date.ts";
import type { CoverageKeys, KeyList } from "../../core/coverage-keys.ts";
import type { CoverageExpectation, Processor } from "../../core/pipeline.ts";
import type { ResultColumns } from "./columns.ts";
import type { ArmContext, ArmDialect } from "./arm.ts";
import { columnOf, type DatedSource, type Source } from "./source.ts";

/** What the SQL of a coverage is made of. @throws Unobservable */
export function coverageParts(
  coverage: CoverageExpectation,
  processor: Processor,
  own: DatedSource,
  context: ArmContext,
): Readonly<Record<string, string>> {
  const of =
    coverage.of.kind === "processor"
      ? ofProcessor(coverage.of.name, context)
      : ofSchedule(processor, context);
  const { dialect } = context;
  return {
    own_day: own.day,
    own_key: quoteColumn(own.source, coverage.key, dialect),
    own_source: own.source.sql,
    own_condition: own.condition,
    of_day: of.day,
    of_key: quoteColumn(of.source, coverage.ofKey, dialect),
    of_source: of.source.sql,
    of_condition: of.condition,
    ...excusesOf(coverage, context),
  };
}

/** The statement that names the first `limit` absent and extra keys of each date. @throws Unobservable */
export function coverageKeysSql(
  processor: Processor,
  coverage: CoverageExpectation,
  limit: number,
  context: ArmContext,
): string {
  const own = context.dated(context.tableOf(processor.table), processor, processor.where);
  return context.dialect.loadSql("read-coverage-keys", {
    ...coverageParts(coverage, processor, own, context),
    limit: String(limit),
  });
}

/** The answer of that statement, by date; a date without any such key is left out. */
export function coverageKeysOf(
  rows: ResultColumns,
  { extra: extraMeans }: CoverageExpectation,
): ReadonlyMap<IsoDate, CoverageKeys> {
  const [days, kinds, texts, totals] = [rows.integers(0), rows.integers(1), rows.strings(2), rows.numbers(3)];
  const lists = new Map<Day, { absent: KeyList; extra: KeyList }>();
  days.forEach((day, row) => {
    const found = lists.get(day) ?? { absent: none, extra: none };
    const kind = kinds[row] === 1 ? "extra" : "absent";
    const keys = [...found[kind].keys, texts[row] ?? ""];
    lists.set(day, { ...found, [kind]: { count: totals[row] ?? 0, keys } });
  });
  return new Map(
    [...lists].map(([day, { absent, extra }]) => [
      fromDay(day),
      { absent, extra: extraMeans === "ignore" ? null : extra },
    ]),
  );
}

const none: KeyList = { count: 0, keys: [] };

function excusesOf(
  { excusedBy }: CoverageExpectation,
  context: ArmContext,
): { readonly excuses: string; readonly excused: string } {
  if (excusedBy === null) return { excuses: "", excused: "false" };
  const { dialect } = context;
  const table = context.tableOf(excusedBy.table);
  const { source, day, condition } = context.dated(table, excusedBy, excusedBy.where);
  const key = quoteColumn(source, excusedBy.key, dialect);
  const sql = dialect.loadSql("profile-excused", { day, key, source: source.sql, condition });
  return {
    excuses: `left join (${sql}) as gr_excuses using (gr_day, gr_key)`,
    excused: "gr_excused is not null",
  };
}

export function ofProcessor(name: string, context: ArmContext): DatedSource {
  const other = context.processor(name);
  return context.dated(context.tableOf(other.table), other, other.where);
}

function ofSchedule(processor: Processor, context: ArmContext): DatedSource {
  const schedule = context.schedule(processor.schedule);
  return context.dated(schedule.source, schedule, schedule.where);
}

export function quoteColumn(source: Source, name: string, dialect: ArmDialect): string {
  return dialect.quoteIdentifier(columnOf(source, name).name);
}
