import { fromDay, toDay } from "../core/iso-date.ts";
import type { RepairEnd, RepairStart } from "../core/ledger-records.ts";
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
  { ledger }: ReconcileContext,
  session: Session,
  onEnded: (end: RepairEnd) => void,
): Promise<void> {
  const lost = session.lostStarts();
  if (lost.length === 0) return;
  const seen = session.assess();
  for (const start of lost) {
    const end = lostEnd(seen, start);
    await ledger.recordEnd(end);
    // A cycle and a plan between two may have found the same one at the same time.
    if (session.appendEnd(end)) onEnded(end);
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
