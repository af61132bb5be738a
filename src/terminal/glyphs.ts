import type { StateName } from "../core/grid.ts";
import type { Style } from "./text.ts";

export interface Glyph {
  /** One character of width 1, its own for each state: a grid must be readable without colours. */
  readonly text: string;
  readonly style: Style | readonly Style[];
}

/** A calm dot where all is well; what needs somebody stands out by its shape. */
export const stateGlyphs: Readonly<Record<StateName, Glyph>> = {
  unscheduled: { text: " ", style: "dim" },
  unknown: { text: "?", style: ["bold", "magenta"] },
  complete: { text: "■", style: "green" },
  stale: { text: "~", style: "cyan" },
  exempt: { text: "-", style: "gray" },
  pending: { text: "○", style: "blue" },
  missing: { text: "✗", style: ["bold", "red"] },
  partial: { text: "◐", style: ["bold", "yellow"] },
  invalid: { text: "!", style: ["bold", "red"] },
  unexpected: { text: "+", style: "cyan" },
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
