import { addDays, type Day, type IsoDate, parseIsoDate, toDay } from "./iso-date.ts";
import type { Decision, DecisionKind } from "./ledger-records.ts";
import type { Pipeline, Waiver } from "./pipeline.ts";
import type { EpochMs } from "./wall-clock.ts";

/** What people decided, as it stands. */
export interface Decisions {
  /** From the config and the ledger together, expired ones included. */
  readonly waivers: readonly Waiver[];
  /** Whether repairs of a cell are paused, and by whom. */
  readonly pausedBy: (processor: string, day: Day) => Decision | null;
  /** The last `retry` that names the cell; 0 where there is none. */
  readonly retriedAt: (processor: string, day: Day) => EpochMs;
  /** The last `rebuild` that names the cell; 0 where there is none. */
  readonly rebuiltAt: (processor: string, day: Day) => EpochMs;
  /** The last `release` of the processor's circuit; 0 where there is none. */
  readonly releasedAt: (processor: string) => EpochMs;
  /** The last `accept` that names the processor; 0 where there is none. */
  readonly acceptedAt: (processor: string) => EpochMs;
}

const [firstDate, lastDate] = [parseIsoDate("0001-01-01"), parseIsoDate("9999-12-31")];

/** Folds the decisions, oldest first; a later one overrides an earlier one for the cells that both name. */
export function foldDecisions(
  pipeline: Pick<Pipeline, "waivers" | "processors">,
  decisions: readonly Decision[],
): Decisions {
  const of = (...kinds: DecisionKind[]) => decisions.filter((decision) => kinds.includes(decision.kind));
  const [pauses, retries, rebuilds, releases, accepts] = [
    of("pause", "resume"),
    of("retry"),
    of("rebuild"),
    of("release"),
    of("accept"),
  ];
  return {
    waivers: [...pipeline.waivers, ...ledgerWaivers(pipeline, of("waive", "unwaive"))],
    pausedBy: (processor, day) => {
      const last = pauses.findLast((decision) => names(decision, processor, day));
      return last?.kind === "pause" ? last : null;
    },
    retriedAt: (processor, day) => retries.findLast((decision) => names(decision, processor, day))?.at ?? 0,
    rebuiltAt: (processor, day) => rebuilds.findLast((decision) => names(decision, processor, day))?.at ?? 0,
    releasedAt: (processor) => releases.findLast((decision) => namesProcessor(decision, processor))?.at ?? 0,
    acceptedAt: (processor) => accepts.findLast((decision) => namesProcessor(decision, processor))?.at ?? 0,
  };
}

/** The last `cancel` after an instant that names any of the cells; null where there is none. */
export function cancelAfter(
  decisions: readonly Decision[],
  since: EpochMs,
  processors: readonly string[],
  days: readonly Day[],
): Decision | null {
  const cancels = decisions.filter(({ kind, at }) => kind === "cancel" && at > since);
  return (
    cancels.findLast((decision) =>
      processors.some((name) => days.some((day) => names(decision, name, day))),
    ) ?? null
  );
}

export function waiverCovers(waiver: Waiver, processor: string, day: Day): boolean {
  return waiver.processors.includes(processor) && day >= toDay(waiver.start) && day <= toDay(waiver.end);
}

/** Each waiver less the cells that a later `unwaive` took back, or a later `waive` says something else of. */
function ledgerWaivers(
  { processors }: Pick<Pipeline, "processors">,
  decisions: readonly Decision[],
): readonly Waiver[] {
  let waivers: Waiver[] = [];
  for (const decision of decisions) {
    waivers = waivers.flatMap((waiver) => without(waiver, decision));
    if (decision.kind === "waive" && decision.waiver !== null) {
      waivers.push({
        id: decision.id,
        processors: decision.processors ?? processors.map(({ name }) => name),
        start: decision.startDate ?? firstDate,
        end: decision.endDate ?? lastDate,
        reason: decision.reason,
        owner: decision.waiver.owner,
        expires: decision.waiver.expires,
        downstream: decision.waiver.downstream,
        source: "ledger",
      });
    }
  }
  return waivers;
}

function without(waiver: Waiver, taken: Decision): Waiver[] {
  const kept =
    taken.processors === null ? [] : waiver.processors.filter((name) => !taken.processors?.includes(name));
  const cut =
    taken.processors === null ? waiver.processors : waiver.processors.filter((name) => !kept.includes(name));
  const rest: Waiver[] = kept.length > 0 ? [{ ...waiver, processors: kept }] : [];
  if (cut.length === 0) return rest;
  const from = taken.startDate ?? waiver.start;
  const to = taken.endDate ?? waiver.end;
  const pieces: { start: IsoDate; end: IsoDate }[] = [];
  if (to < waiver.start || from > waiver.end) pieces.push({ start: waiver.start, end: waiver.end });
  else {
    if (waiver.start < from) pieces.push({ start: waiver.start, end: addDays(from, -1) });
    if (waiver.end > to) pieces.push({ start: addDays(to, 1), end: waiver.end });
  }
  return [...rest, ...pieces.map((piece) => ({ ...waiver, ...piece, processors: cut }))];
}

function names(decision: Decision, processor: string, day: Day): boolean {
  return (
    namesProcessor(decision, processor) &&
    (decision.startDate === null || day >= toDay(decision.startDate)) &&
    (decision.endDate === null || day <= toDay(decision.endDate))
  );
}

function namesProcessor(decision: Decision, processor: string): boolean {
  return decision.processors === null || decision.processors.includes(processor);
}
