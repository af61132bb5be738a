import { setTimeout as sleep } from "node:timers/promises";
import { tableText } from "../../core/pipeline.ts";
import type { ReplaceRequest, ReplaceResult } from "../../reconcile/ports.ts";
import {
  broken,
  calledOff,
  checkOwned,
  checkStaged,
  columnsOf,
  enclosedQuery,
  outwaited,
  refusedRows,
  targetOf,
} from "../sql/repair-shape.ts";
import { columnOf, type Source } from "../sql/source.ts";
import { type Catalog, readCatalog } from "./catalog.ts";
import { boundRange, datedSource } from "./dates.ts";
import { createFence, FenceConflict, fenceOf, writeFence } from "./fence.ts";
import { listValue } from "./node-api.ts";
import { checkParameters } from "./repair-shape.ts";
import {
  type Columns,
  dateParameter,
  type Parameters,
  type RunLimits,
  type Session,
  StatementError,
} from "./session.ts";
import { loadSql } from "./sql-files.ts";
import { encloseQuery, quoteIdentifier } from "./sql-text.ts";

const retryFromMs = 10;
const retryToMs = 200;

/** A request with what every statement of it needs. */
interface Replacement {
  readonly request: ReplaceRequest;
  readonly parameters: Parameters;
  readonly timezone: string;
  readonly limits: () => RunLimits;
}

/** The target in SQL, for the statements that write it; `column` is its date column and `day` the date that it means. */
interface Staged extends Readonly<Record<string, string>> {
  readonly table: string;
  readonly day: string;
  readonly condition: string;
  readonly column: string;
  readonly type: string;
}

/**
 * Replaces the dates in one transaction, fence included. A transaction that meets another one on the same cells is tried
 * again, and then sees the other's token.
 * @throws as `Warehouse.replaceDates` does.
 */
export async function replaceDates(
  session: Session,
  request: ReplaceRequest,
  timezone: string,
): Promise<ReplaceResult> {
  const [first] = request.dates;
  const last = request.dates.at(-1);
  if (first === undefined || last === undefined) return { rowsDeleted: 0, rowsInserted: 0 };
  const deadline = performance.now() + request.timeoutMs;
  const replacement: Replacement = {
    request,
    timezone,
    parameters: {
      start_date: dateParameter(first),
      end_date: dateParameter(last),
      dates: listValue(request.dates.map(dateParameter)),
    },
    limits: () => ({ timeoutMs: Math.max(1, deadline - performance.now()), signal: request.signal }),
  };
  for (let waitMs = retryFromMs; ; waitMs = Math.min(waitMs * 2, retryToMs)) {
    try {
      await createFence(session);
      const catalog = await readCatalog(session, request.signal);
      return await session.transaction(() => replaceOnce(session, catalog, replacement));
    } catch (error) {
      if (!(error instanceof FenceConflict || isTransactionConflict(error))) throw error;
      if (request.signal.aborted) throw calledOff(request.processor);
      if (performance.now() + waitMs >= deadline) throw outwaited(request, error);
    }
    await sleep(waitMs);
  }
}

async function replaceOnce(
  session: Session,
  catalog: Catalog,
  replacement: Replacement,
): Promise<ReplaceResult> {
  const { request, parameters, limits, timezone } = replacement;
  const { processor, dates, token, repairId } = request;
  const target = targetOf(catalog, request);
  const date = columnOf(target, processor.dateColumn);
  const { day, condition } = datedSource(target, date.name, processor.where, boundRange, timezone);
  const staged: Staged = {
    table: target.sql,
    day,
    condition,
    column: quoteIdentifier(date.name),
    type: date.type,
  };
  await writeFence(
    session,
    fenceOf(catalog),
    { processor: processor.name, dates, token, repairId },
    limits(),
  );
  const columns = await stageRows(session, target, replacement);
  await checkStagedRows(session, staged, replacement);
  const deleted = await session.run(loadSql("delete-dates", staged), parameters, limits());
  const rowsInserted = await insertRows(session, columns, staged, replacement);
  await checkOwnership(session, staged, rowsInserted, replacement);
  // Nothing is committed for one who was told to stop: the lock may be another's by now.
  if (request.signal.aborted) throw calledOff(request.processor);
  return { rowsDeleted: deleted.rowsChanged, rowsInserted };
}

/** Runs the SELECT into a temporary table. @returns the target's columns that it fills, quoted. */
async function stageRows(
  session: Session,
  target: Source,
  replacement: Replacement,
): Promise<readonly string[]> {
  const { request, parameters, limits } = replacement;
  const query = enclosedQuery(request, encloseQuery);
  await checkParameters(session, request, query, limits());
  await session.run(loadSql("stage-rows", { query }), parameters, limits());
  // Asked of the rows, not of the SELECT: the type of a column that is a parameter is not known before.
  const { columns } = await session.describe("select * from temp.main.gr_staged", limits());
  const names = columns.map(({ name }) => name);
  return columnsOf(names, target, request).map(({ name }) => quoteIdentifier(name));
}

async function checkStagedRows(session: Session, staged: Staged, replacement: Replacement): Promise<void> {
  const check = await countStrayRows(session, staged, replacement);
  const [undated = 0, outside = 0] = [0, 1].map((column) => check.numbers(column)[0] ?? 0);
  const [first = null, last = null] = [2, 3].map((column) => check.strings(column)[0] ?? null);
  checkStaged({ undated, outside, first, last }, replacement.request);
}

async function countStrayRows(session: Session, staged: Staged, replacement: Replacement): Promise<Columns> {
  const { request, parameters, limits } = replacement;
  try {
    return await session.run(loadSql("check-staged-rows", staged), parameters, limits());
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    const { dateColumn } = request.processor;
    throw broken(
      request,
      `expected ${dateColumn} as ${staged.type}, found something else: ${error.message}`,
      `give ${dateColumn} the type that it has in the table`,
      error,
    );
  }
}

/** Dates inside the range that were not asked for are left out: another repair may be at work on them. */
async function insertRows(
  session: Session,
  columns: readonly string[],
  staged: Staged,
  { request, parameters, limits }: Replacement,
): Promise<number> {
  const values = columns.map((column) =>
    column === staged.column ? `${column}::${staged.type} as ${column}` : column,
  );
  const sql = loadSql("insert-staged-rows", {
    ...staged,
    columns: columns.join(", "),
    values: values.join(", "),
  });
  try {
    return (await session.run(sql, parameters, limits())).rowsChanged;
  } catch (error) {
    if (!(error instanceof StatementError) || isTransactionConflict(error)) throw error;
    throw refusedRows(tableText(request.processor.table), error);
  }
}

async function checkOwnership(
  session: Session,
  staged: Staged,
  rowsInserted: number,
  { request, parameters, limits }: Replacement,
): Promise<void> {
  if (request.processor.where === null) return;
  const owned = await session.run(loadSql("count-dates", staged), parameters, limits());
  checkOwned(rowsInserted, owned.numbers(0)[0] ?? 0, request);
}

function isTransactionConflict(error: unknown): boolean {
  return error instanceof StatementError && error.type === "TransactionContext";
}
