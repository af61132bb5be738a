import { messageOf, ReconcilerError } from "../../errors.ts";
import type { PreconditionResult } from "../../reconcile/ports.ts";

/** The answer to a statement of which two rows were asked for at the most. */
export interface Answer {
  readonly columns: number;
  readonly rows: number;
  /** The first value of the first row. */
  readonly isTrue: boolean;
  readonly text: string | null;
}

/** @throws ReconcilerError `interrupted` only: a statement that fails is not true. */
export async function checkPrecondition(ask: () => Promise<Answer>): Promise<PreconditionResult> {
  try {
    const problem = problemOf(await ask());
    return { met: problem === null, message: problem };
  } catch (error) {
    if (error instanceof ReconcilerError && error.code === "interrupted") throw error;
    return { met: false, message: messageOf(error) };
  }
}

/** A condition answers in one row of one column: more of either is a mistake that must not pass for true. */
function problemOf({ columns, rows, isTrue, text }: Answer): string | null {
  if (columns !== 1) return `expected one column, found ${columns}`;
  if (rows !== 1) return `expected one row, found ${rows === 0 ? "none" : "several"}`;
  return isTrue ? null : `expected true, found ${text ?? "NULL"}`;
}
