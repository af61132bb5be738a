import type { Processor } from "../../core/pipeline.ts";
import type { Jobs } from "./jobs.ts";
import type { Limits } from "./limits.ts";
import { QueryError } from "../sql/query-error.ts";
import { loadSql } from "./sql-files.ts";
import { quoteText } from "./sql-text.ts";

/** What the jobs are called that begin the sessions of a repair. */
export const stagePurpose = "repair";

/** Of the sessions in which a repair writes a processor's table. */
export function sessionKey(repairId: string, { name }: Processor): string {
  return `${repairId}_${name}`;
}

/**
 * Ends the sessions that a dead process has left. BigQuery does so by itself after a day without a statement; until then a
 * transaction that is open there cancels those of all others on the table.
 * @throws ReconcilerError `warehouse_*`
 */
export async function endAbandoned(jobs: Jobs, key: string, limits: Limits): Promise<void> {
  for (const session of await jobs.sessionsOf(stagePurpose, key, limits)) {
    const sql = loadSql("abort-session", { session: quoteText(session.id) });
    try {
      await jobs.write({ sql, purpose: "repair", location: session.location }, limits);
    } catch (error) {
      // It has ended meanwhile; whoever has no right to end it is to say so.
      const isGone = error instanceof QueryError && (error.fault === "failed" || error.fault === "not_found");
      if (!isGone) throw error;
    }
  }
}
