import { State, type StateName, stateName, stateNamesByCode } from "../core/grid.ts";

/**
 * One character of width 1, its own for each state: a grid must be readable without colours. A calm sign where all is well;
 * what needs somebody stands out by its shape.
 */
export const stateGlyphs: Readonly<Record<StateName, string>> = {
  unscheduled: " ",
  unknown: "?",
  complete: "■",
  stale: "~",
  exempt: "-",
  pending: "○",
  missing: "✗",
  partial: "◐",
  invalid: "!",
  unexpected: "+",
};

/** From the state that a person has to see to the one that needs nobody. */
export const worstFirst = [
  "unknown",
  "invalid",
  "missing",
  "partial",
  "stale",
  "pending",
  "unexpected",
  "exempt",
  "complete",
  "unscheduled",
] as const satisfies readonly StateName[];

/** By code: the smaller, the more it matters. */
const rankOf = Uint8Array.from(stateNamesByCode, (name) => worstFirst.indexOf(name));

/** The state of a column: the worst of the dates that it stands for. */
export function worstState(states: Iterable<number>): StateName {
  let worst: number = State.unscheduled;
  for (const state of states) if ((rankOf[state] ?? 0) < (rankOf[worst] ?? 0)) worst = state;
  return stateName(worst);
}
