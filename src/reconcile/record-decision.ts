import { type DecisionRequest, decisionOf } from "../core/decide.ts";
import type { Decision } from "../core/ledger-records.ts";
import type { ReconcileContext } from "./context.ts";

/**
 * Keeps in the ledger what a person decided, from now on by the warehouse's clock. Makes the ledger where there is none.
 * @param id the same for the same decision, which is then kept once
 * @throws ReconcilerError `ledger_*`, `warehouse_*`: nothing was kept, or it may have been; asking again does no harm
 */
export async function recordDecision(
  { warehouse, ledger }: Pick<ReconcileContext, "warehouse" | "ledger">,
  request: DecisionRequest,
  id: string,
): Promise<Decision> {
  const decision = decisionOf(request, await warehouse.now(), id);
  await ledger.create();
  await ledger.recordDecision(decision);
  return decision;
}
