import type { Finding } from "../core/finding.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import { ReconcilerError } from "../errors.ts";
import type { Ledger } from "../reconcile/ports.ts";

/** The config path of what is found about the ledger. */
export const ledgerPath = "ledger";

/**
 * Whether the ledger can be read, as every cycle does before anything else; it is not written, and bills nothing. One that is not
 * there yet is nothing wrong: a run makes it.
 */
export async function checkLedger(ledger: Pick<Ledger, "read">, now: EpochMs): Promise<readonly Finding[]> {
  try {
    await ledger.read(now);
    return [];
  } catch (error) {
    if (!(error instanceof ReconcilerError) || error.code !== "ledger_unavailable") throw error;
    const { message, hint } = error;
    return [
      { level: "error", place: ledgerPath, expected: "a ledger that can be read", found: message, hint },
    ];
  }
}
