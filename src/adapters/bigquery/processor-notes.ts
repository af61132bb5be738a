import { z } from "zod";
import { fromDay } from "../../core/iso-date.ts";
import type { Profile } from "../../core/observation.ts";
import { pick } from "../sql/pick.ts";
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
  spansNote,
  writeBodies,
  writeNumbers,
  writeSpans,
} from "./note-formats.ts";
import { countsIn, type Outside, unknownOutside } from "./outside.ts";
import { joinProfiles, noProfile, type Remembered, type SeenTable, within } from "./remembered.ts";

/** By column, as a month of a profile. */
const outsideNote = z.object({
  without_date: z.number().nullable(),
  settled: spansNote,
  dates: z.array(dayNote),
  rows: numbersNote,
});

const headNote = z.object({
  version: noteVersion,
  ground: z.string(),
  fresh_at: z.number(),
  refreshed_from: dayNote.nullable(),
  settled: spansNote,
  /** Absent in what releases before wrote. */
  outside: outsideNote.optional(),
  tables: z.array(z.object({ version: z.string(), is_ahead: z.boolean(), is_partitioned: z.boolean() })),
  pieces: piecesNote,
});

/** A month of a profile, by column. */
const profileNote = z.object({
  dates: z.array(dayNote),
  rows: numbersNote,
  entities: numbersNote,
  first_write_ms: numbersNote,
  last_write_ms: numbersNote,
  metrics: z.array(numbersNote),
});

/** The partitions of a month: id, and what tells that it changed. */
const partitionsNote = z.array(z.tuple([z.string(), z.string()]));

const monthOf = "YYYY-MM".length;

/** What is remembered of a processor as the bodies of its notes: a head, and a month of dates or partitions in each other. */
export function writeProcessor(remembered: Remembered): Bodies {
  const { ground, freshAt, refreshedFrom, settled, tables } = remembered;
  const head: z.input<typeof headNote> = {
    version: noteVersion.value,
    ground,
    fresh_at: freshAt,
    refreshed_from: refreshedFrom === null ? null : fromDay(refreshedFrom),
    settled: writeSpans(settled),
    outside: writeOutside(remembered.outside),
    tables: tables.map(({ version, stamps, isAhead }) => ({
      version,
      is_ahead: isAhead,
      is_partitioned: stamps !== null,
    })),
    pieces: {},
  };
  const pieces = new Map<string, object>();
  const profile = within(remembered.profile, settled);
  const months = groupBy(profile.days.keys(), (entry) => fromDay(profile.days[entry] ?? 0).slice(0, monthOf));
  for (const [month, entries] of months) pieces.set(`profile/${month}`, writeProfile(pick(profile, entries)));
  for (const [index, { stamps }] of tables.entries()) {
    // In an order of their own, so that equal ones are equal notes.
    const sorted = [...(stamps ?? [])].toSorted(([one], [other]) => (one < other ? -1 : 1));
    for (const [month, group] of groupBy(sorted, ([id]) => id.slice(0, 6)))
      pieces.set(`partitions/${index}/${month}`, group);
  }
  return writeBodies(head, pieces);
}

/** More of them would make a note too large. */
const outsideDaysMax = 3_000;

/** Without its days if they are too many: the next process counts them again. */
function writeOutside({ withoutDate, settled, counts }: Outside): z.input<typeof outsideNote> {
  const kept = countsIn(counts, settled);
  const isSmall = kept.days.length <= outsideDaysMax;
  return {
    without_date: withoutDate,
    settled: isSmall ? writeSpans(settled) : "",
    dates: isSmall ? Array.from(kept.days, (day) => fromDay(day)) : [],
    rows: isSmall ? writeNumbers(kept.rows) : [],
  };
}

function readOutside({
  without_date: withoutDate,
  settled,
  dates,
  rows,
}: z.output<typeof outsideNote>): Outside {
  return { withoutDate, settled, counts: { days: Int32Array.from(dates), rows: readNumbers(rows) } };
}

function writeProfile(profile: Profile): z.input<typeof profileNote> {
  return {
    dates: Array.from(profile.days, (day) => fromDay(day)),
    rows: writeNumbers(profile.rows),
    entities: writeNumbers(profile.entities),
    first_write_ms: writeNumbers(profile.firstWriteMs),
    last_write_ms: writeNumbers(profile.lastWriteMs),
    metrics: profile.metrics.map(writeNumbers),
  };
}

/** Null where anything of it is missing, or not as this release writes it. */
export function readProcessor(bodies: Bodies): Remembered | null {
  const found = readBodies(bodies, headNote);
  if (found === null) return null;
  const { head, pieces } = found;
  let profile = noProfile;
  const stamps = head.tables.map(() => new Map<string, string>());
  for (const [part, body] of pieces) {
    const [kind, index] = part.split("/");
    if (kind === "profile") {
      const piece = readProfile(body);
      if (piece === null) return null;
      profile = joinProfiles(profile, piece);
    } else {
      const piece = readBody(body, partitionsNote);
      if (piece === null) return null;
      for (const [id, stamp] of piece) stamps[Number(index)]?.set(id, stamp);
    }
  }
  return {
    ground: head.ground,
    tables: head.tables.map(
      ({ version, is_ahead: isAhead, is_partitioned: isPartitioned }, index): SeenTable => ({
        version,
        isAhead,
        stamps: isPartitioned ? (stamps[index] ?? null) : null,
      }),
    ),
    settled: head.settled,
    outside: head.outside === undefined ? unknownOutside : readOutside(head.outside),
    profile,
    freshAt: head.fresh_at,
    refreshedFrom: head.refreshed_from,
  };
}

function readProfile(body: string): Profile | null {
  const note = readBody(body, profileNote);
  return note === null
    ? null
    : {
        days: Int32Array.from(note.dates),
        rows: readNumbers(note.rows),
        entities: readNumbers(note.entities),
        firstWriteMs: readNumbers(note.first_write_ms),
        lastWriteMs: readNumbers(note.last_write_ms),
        metrics: note.metrics.map(readNumbers),
      };
}
