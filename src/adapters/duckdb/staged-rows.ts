import { metricsOf, type Profile } from "../../core/observation.ts";
import { tableText } from "../../core/pipeline.ts";
import type { ReplaceRequest } from "../../reconcile/ports.ts";
import { profileOfArm } from "../sql/profile-all.ts";
import { type ArmContext, profileArm } from "../sql/profile-arm.ts";
import {
  broken,
  checkStaged,
  columnsOf,
  enclosedQuery,
  type FilledColumns,
  refusedRows,
} from "../sql/repair-shape.ts";
import { type Column, columnOf, type Source } from "../sql/source.ts";
import { datedSource } from "./dates.ts";
import { checkParameters } from "./repair-shape.ts";
import { type Columns, type Parameters, type RunLimits, type Session, StatementError } from "./session.ts";
import { loadSql } from "./sql-files.ts";
import { enclose, encloseQuery, quoteIdentifier } from "./sql-text.ts";

const stagedTable = "temp.main.gr_staged";

/** The rows of a repair, kept in a table of their own. */
export interface StagedRows {
  /** The target's columns that they fill. */
  readonly filled: readonly Column[];
  /** The rows as they will be in the target, with all of its columns. */
  readonly source: Source;
}

/** What every statement over staged rows takes. */
export interface Staging {
  readonly request: ReplaceRequest;
  readonly target: Source;
  readonly parameters: Parameters;
  readonly timezone: string;
  readonly limits: () => RunLimits;
}

/** Runs the SELECT into a temporary table. @throws ReconcilerError `repair_contract` */
export async function stageRows(
  session: Session,
  staging: Staging,
  computed: readonly Column[],
): Promise<StagedRows> {
  const { request, target, parameters, limits } = staging;
  const query = enclosedQuery(request, encloseQuery);
  await checkParameters(session, request, query, limits());
  await session.run(loadSql("stage-rows", { query }), parameters, limits());
  // Asked of the rows, not of the SELECT: the type of a column that is a parameter is not known before.
  const shape = await session.describe(`select * from ${stagedTable}`, limits());
  const columns = columnsOf(
    shape.columns.map(({ name }) => name),
    target,
    request,
    computed,
  );
  const rows = { filled: columns.filled, source: asTarget(target, columns, computed) };
  checkCounts(await countStray(session, staging, rows), request);
  return rows;
}

/** What the rows of each date are worth, by the very SQL that profiles the table. */
export async function profileStaged(
  session: Session,
  { request, parameters, limits }: Staging,
  rows: StagedRows,
  context: ArmContext,
): Promise<Profile> {
  const { processor } = request;
  const width = metricsOf(processor.expect).length;
  const arms = profileArm(processor, 0, width, { ...context, staged: rows.source });
  try {
    return profileOfArm(await session.run(loadSql("profile", { arms }), parameters, limits()), processor);
  } catch (error) {
    throw error instanceof StatementError ? refusedRows(tableText(processor.table), error) : error;
  }
}

/** The staged rows with the types and the columns that the target will give them. */
function asTarget(target: Source, { filled, left }: FilledColumns, computed: readonly Column[]): Source {
  const values = [
    ...filled.map((column) => typed(quoteIdentifier(column.name), column)),
    ...left.map((column) => typed(`(${column.fallback ?? "null"})`, column)),
  ];
  const stored = `(select ${values.join(", ")} from ${stagedTable}) as gr_stored`;
  const own = computed.map((column) => typed(`(${column.fallback ?? "null"})`, column));
  const sql = own.length === 0 ? stored : `(select *, ${own.join(", ")} from ${stored}) as gr_computed`;
  return { sql, label: target.label, columns: target.columns };
}

function typed(value: string, { name, type }: Column): string {
  return `${value}::${type} as ${quoteIdentifier(name)}`;
}

function checkCounts(counts: Columns, request: ReplaceRequest): void {
  const [undated = 0, outside = 0, foreign = 0] = [0, 1, 4].map((column) => counts.numbers(column)[0] ?? 0);
  const [first = null, last = null] = [2, 3].map((column) => counts.strings(column)[0] ?? null);
  checkStaged({ undated, outside, foreign, first, last }, request);
}

async function countStray(
  session: Session,
  { request, target, parameters, timezone, limits }: Staging,
  { source }: StagedRows,
): Promise<Columns> {
  const { dateColumn, where } = request.processor;
  const { day } = datedSource(source, request.processor, null, null, timezone);
  const owned = where === null ? "true" : enclose(where);
  try {
    return await session.run(
      loadSql("check-staged-rows", { day, owned, source: source.sql }),
      parameters,
      limits(),
    );
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    const { type } = columnOf(target, dateColumn);
    throw broken(
      request,
      `expected ${dateColumn} as ${type}, found something else: ${error.message}`,
      `give ${dateColumn} the type that it has in the table`,
      error,
    );
  }
}
