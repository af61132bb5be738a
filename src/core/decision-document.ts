import type { Decision } from "./ledger-records.ts";
import { formatInstant } from "./wall-clock.ts";

export interface DecisionDocument {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly kind: string;
  readonly reason: string;
  readonly processors: readonly string[] | null;
  readonly start_date: string | null;
  readonly end_date: string | null;
  readonly waiver: {
    readonly owner: string;
    readonly expires: string | null;
    readonly downstream: string;
  } | null;
}

export function decisionDocument(decision: Decision): DecisionDocument {
  return {
    id: decision.id,
    at: formatInstant(decision.at),
    actor: decision.actor,
    kind: decision.kind,
    reason: decision.reason,
    processors: decision.processors,
    start_date: decision.startDate,
    end_date: decision.endDate,
    waiver: decision.waiver,
  };
}
