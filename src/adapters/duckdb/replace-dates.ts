import { setTimeout as sleep } from "node:timers/promises";
import { tableText } from "../../core/pipeline.ts";
import type { ReplaceRequest, ReplaceResult } from "../../reconcile/ports.ts";
import type { ArmContext } from "../sql/profile-arm.ts";
import { calledOff, outwaited, publishedDates, refusedRows, targetOf } from "../sql/repair-shape.ts";
import { columnOf } from "../sql/source.ts";
import { type Catalog, readCatalog } from "./catalog.ts";
import { boundRange, datedSource } from "./dates.ts";
import { createFence, FenceConflict, fenceOf, writeFence } from "./fence.ts";
import { listValue } from "./node-api.ts";
import { computedColumns, rangeParameters } from "./repair-shape.ts";
import { dateParameter, type Parameters, type RunLimits, type Session, StatementError } from "./session.ts";
import { loadSql } from "./sql-files.ts";
import { quoteIdentifier } from "./sql-text.ts";
import { profileStaged, type StagedRows, stageRows } from "./staged-rows.ts";

const retryFromMs = 10;
const retryToMs = 200;

/** What a replacement takes besides its request. */
export interface Replacing {
  readonly timezone: string;
  /** What the profile of staged rows refers to. */
  readonly contextOf: (session: Session, catalog: Catalog) => Promise<ArmContext>;
}

/** A request with what every statement of it needs. */
interface Replacement extends Replacing {
  readonly request: ReplaceRequest;
  readonly parameters: Parameters;
  readonly limits: () => RunLimits;
}

/** The target in SQL, for the statements that write it; `column` is its date column and `day` the date that it means. */
interface TargetSql extends Readonly<Record<string, string>> {
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
  replacing: Replacing,
): Promise<ReplaceResult> {
  const [first] = request.dates;
  const last = request.dates.at(-1);
  if (first === undefined || last === undefined) return { rowsDeleted: 0, rowsInserted: 0, refused: [] };
  const deadline = performance.now() + request.timeoutMs;
  const replacement: Replacement = {
    ...replacing,
    request,
    parameters: {
      ...rangeParameters(first, last),
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
  const { request, parameters, limits, timezone, contextOf } = replacement;
  const { processor, dates, token, repairId, audit } = request;
  const target = targetOf(catalog, request);
  const date = columnOf(target, processor.dateColumn);
  const { day, condition } = datedSource(target, processor, processor.where, boundRange, timezone);
  const texts = {
    table: target.sql,
    day,
    condition,
    column: quoteIdentifier(date.name),
    type: date.type,
  };
  const computed = await computedColumns(session, target, limits());
  await writeFence(
    session,
    fenceOf(catalog),
    { processor: processor.name, dates, token, repairId },
    limits(),
  );
  const staging = { ...replacement, target };
  const rows = await stageRows(session, staging, computed);
  const refused =
    audit === null
      ? []
      : audit(await profileStaged(session, staging, rows, await contextOf(session, catalog)));
  const published = publishedDates(dates, refused);
  if (published.length === 0) return { rowsDeleted: 0, rowsInserted: 0, refused };
  const written = { ...parameters, dates: listValue(published.map(dateParameter)) };
  const deleted = await session.run(loadSql("delete-dates", texts), written, limits());
  const rowsInserted = await insertRows(session, rows, texts, { ...replacement, parameters: written });
  // Nothing is committed for one who was told to stop: the lock may be another's by now.
  if (request.signal.aborted) throw calledOff(request.processor);
  return { rowsDeleted: deleted.rowsChanged, rowsInserted, refused };
}

/** Dates inside the range that were not asked for are left out: another repair may be at work on them. */
async function insertRows(
  session: Session,
  { filled }: StagedRows,
  texts: TargetSql,
  { request, parameters, limits }: Replacement,
): Promise<number> {
  const columns = filled.map(({ name }) => quoteIdentifier(name));
  const values = columns.map((column) =>
    column === texts.column ? `${column}::${texts.type} as ${column}` : column,
  );
  const sql = loadSql("insert-staged-rows", {
    ...texts,
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

function isTransactionConflict(error: unknown): boolean {
  return error instanceof StatementError && error.type === "TransactionContext";
}
