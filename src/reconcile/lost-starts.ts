import { fromDay, toDay } from "../core/iso-date.ts";
import type { RepairEnd, RepairStart } from "../core/ledger-records.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import type { Session } from "./session.ts";
import { lostEnd } from "./upkeep.ts";

/**
 * Puts on record that runs which nobody will end any more are lost, by what the session has just seen of their cells. Until
 * then none of them counts as an attempt, so that nothing may be planned before: a job that kills its worker would go on for ever.
 * @param onEnded told of each, once it is on record
 * @throws ReconcilerError `ledger_*`
 */
export async function settleLost(
  context: ReconcileContext,
  session: Session,
  onEnded: (end: RepairEnd) => void,
): Promise<void> {
  const lost = session.lostStarts();
  if (lost.length === 0) return;
  const seen = session.assess();
  for (const start of lost) {
    const problem = await endAbandoned(context, start);
    const end = lostEnd(seen, start);
    await context.ledger.recordEnd(
      problem === null ? end : { ...end, message: `${end.message}; ${problem}` },
    );
    // A cycle and a plan between two may have found the same one at the same time.
    if (session.appendEnd(end)) onEnded(end);
  }
}

/**
 * What it has begun in the warehouse is taken back, or it may keep others from the table. Returns in words why that could not
 * be done, which is no reason to leave the run without an end: others may not have the right to it.
 */
async function endAbandoned(
  { compiled, warehouse }: ReconcileContext,
  { repair, repairId, processors }: RepairStart,
): Promise<string | null> {
  const unit = compiled.pipeline.repairUnits.find(({ name }) => name === repair);
  if (unit?.action.kind !== "sql") return null;
  try {
    const known = processors.flatMap((name) => compiled.byName.get(name) ?? []);
    await warehouse.endAbandoned(repairId, known);
    return null;
  } catch (error) {
    if (!(error instanceof ReconcilerError)) throw error;
    return `what it left open could not be ended: ${error.message}`;
  }
}

/**
 * The same between two looks at everything, until there is none: the time of another may come meanwhile. The cells are looked at
 * first, as somebody may have filled them since.
 * @throws ReconcilerError `ledger_*`, `warehouse_*`
 */
export async function lookAndSettleLost(
  context: ReconcileContext,
  session: Session,
  onEnded: (end: RepairEnd) => void,
): Promise<void> {
  while (session.lostStarts().length > 0) {
    for (const start of session.lostStarts()) await look(context, session, start);
    await settleLost(context, session, onEnded);
  }
}

async function look(
  { compiled, warehouse }: ReconcileContext,
  session: Session,
  { dates, processors }: RepairStart,
): Promise<void> {
  const known = processors.flatMap((name) => compiled.byName.get(name) ?? []);
  const days = dates.map(toDay);
  const [from, to] = [days[0], days.at(-1)];
  // What the config no longer has is nobody's any more.
  if (known.length === 0 || from === undefined || to === undefined) return;
  const range = { start: fromDay(from), end: fromDay(to) };
  session.merge(await warehouse.profile({ processors: known, range }), from, to);
}
