import { ReconcilerError } from "../errors.ts";

/** The refusal of a plan whose planner was replaced while it planned. */
export function outdatedPlan(epoch: number, newestEpoch: number): ReconcilerError {
  const message = `expected a plan of epoch ${newestEpoch} or later, found one of epoch ${epoch}: another replica plans now`;
  return new ReconcilerError("plan_outdated", message, {
    hint: "nothing of it was enqueued, and nothing is to be done: the replica that holds the planning lease plans the same work",
  });
}
