import { toDay } from "../core/iso-date.ts";
import { lostStarts } from "../core/ledger-facts.ts";
import type { RepairStart } from "../core/ledger-records.ts";
import type { EpochMs } from "../core/wall-clock.ts";
import type { ReconcileContext } from "./context.ts";
import type { InFlightRuns } from "./in-flight.ts";

/** The starts that have no end on record, and what tells whose they are. */
export interface KnownStarts {
  readonly context: ReconcileContext;
  /** What this process runs. */
  readonly inFlight: InFlightRuns;
  readonly unfinished: readonly RepairStart[];
  readonly now: EpochMs;
}

/** Those whose end nobody will write any more: those too whose end this process could not write. */
export function startsLost(known: KnownStarts): readonly RepairStart[] {
  const { context, unfinished, now } = known;
  const { isWorkerDead, worker } = context;
  const unattended = unfinished.filter((start) => !runsHere(known, start));
  // One's own would be begun anew until its deadline, uncharged and without backoff.
  return lostStarts(unattended, now, (name) => name === worker || isWorkerDead(name));
}

/** Those that other processes go on with. */
export function startsElsewhere(known: KnownStarts): readonly RepairStart[] {
  const lost = new Set(startsLost(known));
  return known.unfinished.filter((start) => start.worker !== known.context.worker && !lost.has(start));
}

function runsHere({ context, inFlight }: KnownStarts, { worker, repair, dates }: RepairStart): boolean {
  if (worker !== context.worker) return false;
  const unit = context.compiled.pipeline.repairUnits.findIndex(({ name }) => name === repair);
  return inFlight.runsHere(unit, new Set(dates.map(toDay)));
}
