import type { Assessment } from "../core/assessment.ts";
import { State } from "../core/grid.ts";
import type { Processor } from "../core/pipeline.ts";

/** The columns of one season. */
export interface Segment {
  /** The season's name; empty where the schedule has none. */
  readonly name: string;
  /** By column: the positions on the axis that it stands for, ascending. */
  readonly columns: readonly (readonly number[])[];
}

export interface GridColumns {
  readonly segments: readonly Segment[];
  /** Scheduled dates that one column stands for, at most; a column never spans two seasons. */
  readonly datesPerColumn: number;
  /** Seasons at the start that found no place. */
  readonly hiddenSegments: number;
}

/** A day of a season: scheduled for one of the processors, or off every schedule and with rows all the same. */
interface SeasonDay {
  readonly position: number;
  readonly scheduled: boolean;
}

interface Season {
  readonly name: string;
  readonly days: SeasonDay[];
}

/**
 * Chooses the columns: as few dates per column as fit into `width`, the same number in every season. A day off the schedule
 * has a column only where every date has one; otherwise it belongs to that of the scheduled date before it.
 */
export function chooseColumns(
  assessment: Assessment,
  processors: readonly Processor[],
  width: number,
): GridColumns {
  const all = seasonsOf(assessment, processors);
  const visible = all.slice(-Math.max(1, Math.floor((width + 1) / 2)));
  const hiddenSegments = all.length - visible.length;
  const room = width - (visible.length - 1);
  if (visible.reduce((sum, { days }) => sum + days.length, 0) <= room) {
    const segments = visible.map(({ name, days }) => ({
      name,
      columns: days.map(({ position }) => [position]),
    }));
    return { segments, datesPerColumn: 1, hiddenSegments };
  }
  const longest = Math.max(...visible.map(({ days }) => days.length));
  for (let datesPerColumn = 1; ; datesPerColumn++) {
    const segments = visible.map((season) => segmentOf(season, datesPerColumn));
    const used = segments.reduce((sum, { columns }) => sum + columns.length, 0);
    if (used <= room || datesPerColumn >= longest) return { segments, datesPerColumn, hiddenSegments };
  }
}

function segmentOf({ name, days }: Season, datesPerColumn: number): Segment {
  const columns: number[][] = [];
  let dates = datesPerColumn;
  for (const { position, scheduled } of days) {
    if (columns.length === 0 || (scheduled && dates === datesPerColumn)) {
      columns.push([]);
      dates = 0;
    }
    columns.at(-1)?.push(position);
    if (scheduled) dates++;
  }
  return { name, columns };
}

/** The season of a day is that of the last scheduled date up to it, in every schedule that the processors have. */
function seasonsOf({ grid }: Assessment, processors: readonly Processor[]): readonly Season[] {
  const schedules = [...new Set(processors.map(({ schedule }) => schedule))].flatMap(
    (name) => grid.schedules.get(name) ?? [],
  );
  const bases = processors.map(({ index }) => index * grid.axis.length);
  const current = schedules.map(() => -1);
  const seasons: Season[] = [];
  let currentKey = "";
  for (let position = 0; position <= grid.selection.to; position++) {
    schedules.forEach(({ scheduled, season }, at) => {
      if (scheduled[position] === 1) current[at] = season[position] ?? -1;
    });
    if (position < grid.selection.from) continue;
    const states = bases.map((base) => grid.states[base + position] ?? 0);
    if (states.every((state) => state === State.unscheduled)) continue;
    const key = current.join("/");
    if (key !== currentKey || seasons.length === 0) seasons.push({ name: nameOf(), days: [] });
    currentKey = key;
    const scheduled = states.some((state) => state !== State.unscheduled && state !== State.unexpected);
    seasons.at(-1)?.days.push({ position, scheduled });
  }
  return seasons;

  /** Of the first schedule that names its seasons. */
  function nameOf(): string {
    const names = current.map((season, at) => schedules[at]?.seasons[season]?.name ?? "");
    return names.find((name) => name !== "") ?? "";
  }
}
