import { gapRows } from "./gap-rows.ts";
import type { RowSpec } from "./spec.ts";
import { workRows } from "./work-rows.ts";

/** The dashboard from top to bottom: first what is lacking, then what is done about it. */
export const dashboardRows: readonly RowSpec[] = [...gapRows, ...workRows];
