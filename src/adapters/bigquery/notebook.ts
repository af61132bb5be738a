import type { EpochMs } from "../../core/wall-clock.ts";
import { type Bodies, bodyHash } from "./note-formats.ts";
import { readProcessor, writeProcessor } from "./processor-notes.ts";
import type { Remembered } from "./remembered.ts";
import { readSchedule, writeSchedule } from "./schedule-notes.ts";
import { noteBytesMax, type SurveyMemory, type SurveyNote } from "./survey-memory.ts";
import type { RememberedSchedule } from "./survey-schedules.ts";

/** All that surveys remember, by the names of processors and schedules. */
export interface Knowledge {
  readonly processors: ReadonlyMap<string, Remembered>;
  readonly schedules: ReadonlyMap<string, RememberedSchedule>;
}

const nothing: Knowledge = { processors: new Map(), schedules: new Map() };

/** Keeps what surveys remember as notes, and writes those alone that differ from the ones that are there. */
export class Notebook {
  readonly #memory: SurveyMemory | null;
  /** What was kept last; its values are never changed, so that the same ones need not be written again. */
  #kept: Knowledge = nothing;
  /** The hashes of the bodies that are there, by subject and part. */
  readonly #written = new Map<string, string>();
  #lastAt: EpochMs = 0;

  constructor(memory: SurveyMemory | null) {
    this.#memory = memory;
  }

  /** @throws ReconcilerError `ledger_*` */
  async recall(): Promise<Knowledge> {
    const notes = this.#memory === null ? [] : await this.#memory.read();
    const subjects = new Map<string, Map<string, string>>();
    for (const { subject, part, at, body } of notes) {
      const bodies = subjects.get(subject) ?? new Map<string, string>();
      subjects.set(subject, bodies.set(part, body));
      this.#written.set(keyOf(subject, part), bodyHash(body));
      this.#lastAt = Math.max(this.#lastAt, at);
    }
    this.#kept = {
      processors: readAll(subjects, processorSubject, readProcessor),
      schedules: readAll(subjects, scheduleSubject, readSchedule),
    };
    return this.#kept;
  }

  /** Writes what is new since the last time. @throws ReconcilerError `ledger_*`: then it is written the next time */
  async keep(knowledge: Knowledge, now: EpochMs): Promise<void> {
    if (this.#memory === null) return;
    const subjects = [
      ...changed(knowledge.processors, this.#kept.processors, processorSubject, writeProcessor),
      ...changed(knowledge.schedules, this.#kept.schedules, scheduleSubject, writeSchedule),
    ];
    // Later than all notes before, whatever the clock says, so that these are the last ones.
    const at = Math.max(Math.ceil(now), Math.floor(this.#lastAt) + 1);
    const notes = subjects.flatMap(([subject, bodies]) => this.#notesOf(subject, bodies, at));
    if (notes.length > 0) await this.#memory.append(notes);
    for (const { subject, part, body } of notes) this.#written.set(keyOf(subject, part), bodyHash(body));
    this.#lastAt = at;
    this.#kept = knowledge;
  }

  /** None of a subject with a part that is too large: it is asked for anew by the next process. */
  #notesOf(subject: string, bodies: Bodies, at: EpochMs): readonly SurveyNote[] {
    const parts = [...bodies];
    if (parts.some(([, body]) => Buffer.byteLength(body) > noteBytesMax)) return [];
    return parts
      .filter(([part, body]) => this.#written.get(keyOf(subject, part)) !== bodyHash(body))
      .map(([part, body]) => ({ subject, part, at, body }));
  }
}

const processorSubject = "processor/";
const scheduleSubject = "schedule/";

function keyOf(subject: string, part: string): string {
  return JSON.stringify([subject, part]);
}

function readAll<T>(
  subjects: ReadonlyMap<string, Bodies>,
  prefix: string,
  read: (bodies: Bodies) => T | null,
): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  for (const [subject, bodies] of subjects) {
    const value = subject.startsWith(prefix) ? read(bodies) : null;
    if (value !== null) found.set(subject.slice(prefix.length), value);
  }
  return found;
}

function changed<T>(
  now: ReadonlyMap<string, T>,
  before: ReadonlyMap<string, T>,
  prefix: string,
  write: (value: T) => Bodies,
): readonly (readonly [string, Bodies])[] {
  return [...now]
    .filter(([name, value]) => before.get(name) !== value)
    .map(([name, value]) => [`${prefix}${name}`, write(value)]);
}
