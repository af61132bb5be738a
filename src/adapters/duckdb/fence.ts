import { duckDbFence } from "../../core/fence-names.ts";
import type { IsoDate } from "../../core/iso-date.ts";
import type { CellName } from "../../reconcile/ports.ts";
import { fenceRefused } from "../sql/repair-shape.ts";
import type { Catalog } from "./catalog.ts";
import { listValue } from "./node-api.ts";
import { dateParameter, type RunLimits, type Session, StatementError } from "./session.ts";
import { loadSql } from "./sql-files.ts";

/** Who writes which cells. */
export interface FenceClaim {
  readonly processor: string;
  readonly dates: readonly IsoDate[];
  readonly token: number;
  readonly repairId: string;
}

/** Another transaction wrote the same cells first; its outcome decides, so that the whole transaction is to be tried again. */
export class FenceConflict extends Error {
  constructor(cause: unknown) {
    super("another repair writes the fence of the same cells", { cause });
    this.name = "FenceConflict";
  }
}

/** Makes the fence table where it does not exist; before the transaction that needs it. Idempotent. */
export async function createFence(session: Session): Promise<void> {
  await session.run(loadSql("create-fence-schema"));
  await session.run(loadSql("create-fence"));
}

/**
 * Writes the fence rows of all cells, inside the transaction that writes the cells. Writing them is what makes a late
 * holder fail: a snapshot that began earlier does not see a newer token, but it cannot write over it.
 * @throws ReconcilerError `fence_refused` where a newer token is there; FenceConflict where one is on its way.
 */
export async function writeFence(
  session: Session,
  fence: string,
  claim: FenceClaim,
  limits: RunLimits,
): Promise<void> {
  const parameters = {
    processor: claim.processor,
    dates: listValue(claim.dates.map(dateParameter)),
    token: BigInt(claim.token),
    repair_id: claim.repairId,
  };
  try {
    await session.run(loadSql("write-fence", { fence }), parameters, limits);
  } catch (error) {
    throw isConflict(error) ? new FenceConflict(error) : error;
  }
  const newer = await session.run(loadSql("find-newer-fence", { fence }), parameters, limits);
  if (newer.rowCount === 0) return;
  const [date = "", token = "", repairId = ""] = [0, 1, 2].map((column) => newer.strings(column)[0] ?? "");
  throw fenceRefused({ processor: claim.processor, date }, claim.token, { token, repairId });
}

/** A snapshot that does not see the other's row inserts the key again; one that sees it updates it. */
function isConflict(error: unknown): boolean {
  return (
    error instanceof StatementError && (error.type === "TransactionContext" || error.type === "Constraint")
  );
}

/** 0 where no repair ever wrote any of the cells. */
export async function readLastFence(
  session: Session,
  catalog: Catalog,
  cells: readonly CellName[],
): Promise<number> {
  const fence = catalog.find(duckDbFence);
  if (fence === null || cells.length === 0) return 0;
  const result = await session.run(loadSql("read-last-fence", { fence: fence.sql }), {
    processors: listValue(cells.map(({ processor }) => processor)),
    dates: listValue(cells.map(({ date }) => dateParameter(date))),
  });
  return result.numbers(0)[0] ?? 0;
}

/** The fence table, after `createFence`. */
export function fenceOf(catalog: Catalog): string {
  return catalog.table(duckDbFence).sql;
}
