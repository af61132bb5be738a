import type { Assessment } from "./assessment.ts";
import { blockingCells, isTroubled } from "./edges.ts";
import { previousDate } from "./assess-dispositions.ts";
import { chainOf } from "./batches.ts";
import { Disposition, isPoison, reasonCode, reasonName, State } from "./grid.ts";
import type { Processor } from "./pipeline.ts";

export interface CellAt {
  readonly processor: Processor;
  readonly position: number;
}

const [sharedRepair, inFlightOverlap] = [reasonCode("shared_repair"), reasonCode("in_flight_overlap")];

/** So many root causes are named for a cell; a window can have hundreds. */
export const rootCausesMax = 20;

/** The cells right above that a blocked cell waits for, in the order of its dependencies, then by date. */
export function directBlockers(assessment: Assessment, at: CellAt): readonly CellAt[] {
  const arrays = { ...assessment.grid, proceeds: assessment.proceeds };
  const cell = at.processor.index * assessment.grid.axis.length + at.position;
  const reason = reasonName(assessment.grid.reasons[cell] ?? 0);
  if (reason === "chronological") return chainBlocker(assessment, at);
  if (reason === "shared_repair") {
    const others = partners(assessment, at);
    return others.length > 0 ? others : chainBlocker(assessment, at);
  }
  const all: CellAt[] = at.processor.edges.flatMap((edge) =>
    blockingCells(assessment, arrays, at.processor, edge, at.position),
  );
  const previous = at.processor.dependsOnPast ? previousDate(assessment, at.processor, at.position) : -1;
  const unseen = previous >= 0 && assessment.grid.states[cell - at.position + previous] === State.unknown;
  if (unseen) all.push({ processor: at.processor, position: previous });
  const seen = new Set<string>();
  return all.filter(({ processor, position }) => {
    const key = `${processor.index}/${position}`;
    return seen.has(key) ? false : seen.add(key);
  });
}

/** The upstream cells that are gaps, unknown or pending with none such above them; at most `rootCausesMax`. */
export function rootCauses(assessment: Assessment, at: CellAt): readonly CellAt[] {
  const roots: CellAt[] = [];
  const seen = new Set<string>();
  const stack = [...directBlockers(assessment, at)].reverse();
  for (let next = stack.pop(); next !== undefined && roots.length < rootCausesMax; next = stack.pop()) {
    const key = `${next.processor.index}/${next.position}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const above = directBlockers(assessment, next).filter((cell) => isTroubledCell(assessment, cell));
    if (above.length === 0) roots.push(next);
    else stack.push(...[...above].reverse());
  }
  return roots.sort((a, b) => a.processor.index - b.processor.index || a.position - b.position);
}

function isTroubledCell({ grid }: Assessment, { processor, position }: CellAt): boolean {
  return isTroubled(grid.states[processor.index * grid.axis.length + position]);
}

/** The other cells of a shared repair that keep it from running on that date. */
function partners({ grid }: Assessment, { processor, position }: CellAt): readonly CellAt[] {
  return (grid.pipeline.repairUnits[processor.repairUnit ?? -1]?.processors ?? []).flatMap((index) => {
    const partner = grid.pipeline.processors[index];
    const cell = index * grid.axis.length + position;
    const disposition = grid.dispositions[cell] ?? Disposition.none;
    const isWaiting = disposition === Disposition.none || grid.reasons[cell] === sharedRepair;
    return partner === undefined || isWaiting ? [] : [{ processor: partner, position }];
  });
}

/** Where the chain of the cell's season stops; else where that of another table of the same repair does. */
function chainBlocker(assessment: Assessment, at: CellAt): readonly CellAt[] {
  const { processors, repairUnits } = assessment.grid.pipeline;
  const together = repairUnits[at.processor.repairUnit ?? -1]?.processors ?? [];
  for (const index of [at.processor.index, ...together]) {
    const processor = processors[index];
    const found = processor === undefined ? null : chainStop(assessment, processor, at.position);
    if (found !== null) return [found];
  }
  return [];
}

/** The first open date of the season that is neither ready nor passed over. */
function chainStop({ grid }: Assessment, processor: Processor, before: number): CellAt | null {
  const schedule = grid.schedules.get(processor.schedule);
  if (schedule === undefined || !processor.chronological) return null;
  const base = processor.index * grid.axis.length;
  const season = chainOf(processor, schedule, before);
  for (let position = 0; position < before; position++) {
    const disposition = grid.dispositions[base + position] ?? Disposition.none;
    if (disposition === Disposition.none || chainOf(processor, schedule, position) !== season) continue;
    if (disposition === Disposition.ready && grid.reasons[base + position] !== inFlightOverlap) continue;
    if (!isPoison(disposition) || processor.onPoison === "stop") return { processor, position };
  }
  return null;
}
