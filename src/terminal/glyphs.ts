import type { StateName } from "../core/grid.ts";
import type { Style } from "./text.ts";

/** How each state's glyph is painted. */
export const stateStyles: Readonly<Record<StateName, Style | readonly Style[]>> = {
  unscheduled: "dim",
  unknown: ["bold", "magenta"],
  complete: "green",
  stale: "cyan",
  exempt: "gray",
  pending: "blue",
  missing: ["bold", "red"],
  partial: ["bold", "yellow"],
  invalid: ["bold", "red"],
  unexpected: "cyan",
};
