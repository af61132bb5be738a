import { messageOf, ReconcilerError } from "../../errors.ts";
import type { PreconditionResult } from "../../reconcile/ports.ts";
import type { Columns, Session } from "./session.ts";
import { encloseQuery } from "./sql-text.ts";

/** @throws ReconcilerError `interrupted` only: a statement that fails is not true. */
export async function checkPrecondition(
  session: Session,
  statement: string,
  timeoutMs: number,
): Promise<PreconditionResult> {
  try {
    const result = await session.run(
      `select * from ${encloseQuery(statement)} as gr_query limit 2`,
      {},
      { timeoutMs },
    );
    const problem = problemOf(result);
    return { met: problem === null, message: problem };
  } catch (error) {
    if (error instanceof ReconcilerError && error.code === "interrupted") throw error;
    return { met: false, message: messageOf(error) };
  }
}

/** A condition answers in one row of one column: more of either is a mistake that must not pass for true. */
function problemOf(result: Columns): string | null {
  if (result.names.length !== 1) return `expected one column, found ${result.names.length}`;
  if (result.rowCount !== 1) return `expected one row, found ${result.rowCount === 0 ? "none" : "several"}`;
  return result.values(0)[0] === true ? null : `expected true, found ${result.strings(0)[0] ?? "NULL"}`;
}
