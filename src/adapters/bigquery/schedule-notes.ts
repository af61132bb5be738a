import { z } from "zod";
import { fromDay } from "../../core/iso-date.ts";
import {
  type Bodies,
  dayNote,
  groupBy,
  noteVersion,
  numbersNote,
  piecesNote,
  readBodies,
  readBody,
  readNumbers,
  writeBodies,
  writeNumbers,
} from "./note-formats.ts";
import type { RememberedSchedule } from "./survey-schedules.ts";

const headNote = z.object({
  version: noteVersion,
  key: z.string(),
  seasons: z.array(z.object({ name: z.string(), start_date: dayNote })),
  strays: z.object({ without_date: z.number(), out_of_range: z.number() }).optional(),
  pieces: piecesNote,
});

/** A year of a schedule, by column; `seasons` are indexes into those of the head. */
const yearNote = z.object({
  dates: z.array(dayNote),
  units: numbersNote,
  seasons: z.array(z.number().int()),
});

const yearOf = "YYYY".length;

export function writeSchedule({ key, observation }: RememberedSchedule): Bodies {
  const { days, units, season, seasons, strays } = observation;
  const head: z.input<typeof headNote> = {
    version: noteVersion.value,
    key,
    seasons: seasons.map(({ name, startDay }) => ({ name, start_date: fromDay(startDay) })),
    ...(strays === undefined
      ? {}
      : { strays: { without_date: strays.withoutDate, out_of_range: strays.outOfRange } }),
    pieces: {},
  };
  const years = groupBy(days.keys(), (entry) => fromDay(days[entry] ?? 0).slice(0, yearOf));
  const pieces = new Map<string, z.input<typeof yearNote>>();
  for (const [year, entries] of years) {
    pieces.set(year, {
      dates: entries.map((entry) => fromDay(days[entry] ?? 0)),
      units: writeNumbers(Float64Array.from(entries, (entry) => units[entry] ?? Number.NaN)),
      seasons: entries.map((entry) => season[entry] ?? 0),
    });
  }
  return writeBodies(head, pieces);
}

/** Null where anything of it is missing, or not as this release writes it. */
export function readSchedule(bodies: Bodies): RememberedSchedule | null {
  const found = readBodies(bodies, headNote);
  if (found === null) return null;
  const years: z.output<typeof yearNote>[] = [];
  for (const body of found.pieces.values()) {
    const year = readBody(body, yearNote);
    if (year === null) return null;
    years.push(year);
  }
  years.sort((one, other) => (one.dates[0] ?? 0) - (other.dates[0] ?? 0));
  const { strays } = found.head;
  return {
    key: found.head.key,
    observation: {
      days: Int32Array.from(years.flatMap(({ dates }) => dates)),
      units: readNumbers(years.flatMap(({ units }) => units)),
      season: Int32Array.from(years.flatMap(({ seasons }) => seasons)),
      seasons: found.head.seasons.map(({ name, start_date: startDay }) => ({ name, startDay })),
      ...(strays === undefined
        ? {}
        : { strays: { withoutDate: strays.without_date, outOfRange: strays.out_of_range } }),
    },
  };
}
