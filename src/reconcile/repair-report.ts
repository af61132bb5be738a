import { z } from "zod";
import { type Day, type IsoDate, tryParseIsoDate } from "../core/iso-date.ts";
import { outcomes, type RepairEnd, systemicCauses } from "../core/ledger-records.ts";
import type { ProcessorObservation, Profile } from "../core/observation.ts";
import type { JobResult } from "./repair.ts";

/** What a worker saw of a processor. */
interface SeenProcessor {
  /** Of the worker's config. With another the numbers mean something else, and there are more or fewer of them. */
  readonly expectationHash: string;
  readonly profile: Profile;
}

/** What a worker tells the planner of a job that it took: how its runs ended, and what the cells look like now. */
export interface RepairReport {
  /** `failed` where it could not be recorded, and may not have been begun. */
  readonly result: JobResult["kind"] | "failed";
  readonly ends: readonly RepairEnd[];
  /** By processor: the dates of the job, as the worker saw them last. */
  readonly seen: ReadonlyMap<string, SeenProcessor>;
  readonly from: Day;
  readonly to: Day;
  /** What the worker was billed for since it last told, where nobody else would put it on record. */
  readonly scanBytes: number;
}

/** As plain JSON, which has no NaN: null stands for it. */
export function encodeReport({ result, ends, seen, from, to, scanBytes }: RepairReport): unknown {
  const numbers = (values: Float64Array) =>
    Array.from(values, (value) => (Number.isNaN(value) ? null : value));
  return {
    result,
    ends,
    from,
    to,
    scanBytes,
    seen: [...seen].map(([processor, { expectationHash, profile }]) => ({
      processor,
      expectationHash,
      days: [...profile.days],
      rows: numbers(profile.rows),
      entities: numbers(profile.entities),
      firstWriteMs: numbers(profile.firstWriteMs),
      lastWriteMs: numbers(profile.lastWriteMs),
      metrics: profile.metrics.map(numbers),
    })),
  };
}

/** Null where the body is none of this version: then the next full look tells what it would have told. */
export function decodeReport(body: unknown): RepairReport | null {
  const { data } = reportSchema.safeParse(body);
  if (data === undefined) return null;
  const { seen, ...rest } = data;
  return {
    ...rest,
    seen: new Map(
      seen.map(({ processor, expectationHash, ...columns }) => [
        processor,
        { expectationHash, profile: profileOf(columns) },
      ]),
    ),
  };
}

/** The dates of an observation from `from` to `to`, both included; null where it was not seen. */
export function profileBetween(
  observation: ProcessorObservation | undefined,
  from: Day,
  to: Day,
): Profile | null {
  if (observation?.kind !== "observed") return null;
  const { profile } = observation;
  const first = profile.days.findIndex((day) => day >= from);
  const after = profile.days.findIndex((day) => day > to);
  const start = first < 0 ? profile.days.length : first;
  const end = after < 0 ? profile.days.length : after;
  const cut = (column: Float64Array) => column.slice(start, end);
  return {
    days: profile.days.slice(start, end),
    rows: cut(profile.rows),
    entities: cut(profile.entities),
    firstWriteMs: cut(profile.firstWriteMs),
    lastWriteMs: cut(profile.lastWriteMs),
    metrics: profile.metrics.map(cut),
  };
}

function profileOf(columns: z.output<typeof columnsSchema>): Profile {
  const { days, rows, entities, firstWriteMs, lastWriteMs, metrics } = columns;
  return {
    days: Int32Array.from(days),
    rows: columnOf(rows),
    entities: columnOf(entities),
    firstWriteMs: columnOf(firstWriteMs),
    lastWriteMs: columnOf(lastWriteMs),
    metrics: metrics.map(columnOf),
  };
}

function columnOf(values: readonly (number | null)[]): Float64Array {
  return Float64Array.from(values, (value) => value ?? Number.NaN);
}

const date = z.string().transform((text, context): IsoDate => {
  const parsed = tryParseIsoDate(text);
  if (parsed !== null) return parsed;
  context.issues.push({ code: "custom", message: "expected a date", input: text });
  return z.NEVER;
});
/** Far beyond the year 9999, in days. */
const dayMax = 10_000_000;
const column = z.array(z.number().nullable());
const day = z.int().min(-dayMax).max(dayMax);

const cellSchema = z.object({
  processor: z.string(),
  date,
  outcome: z.enum(outcomes),
  charged: z.boolean(),
  worse: z.boolean(),
  stateBefore: z.string(),
  stateAfter: z.string(),
  rowsBefore: z.number(),
  rowsAfter: z.number(),
  batchDates: z.number(),
  repairHash: z.string(),
  expectationHash: z.string(),
  inputs: z.record(z.string(), z.string()),
  outdates: z.record(z.string(), z.string()),
  notBefore: z.number().nullable(),
});

const endSchema = z.object({
  repairId: z.string(),
  repair: z.string(),
  processors: z.array(z.string()),
  dates: z.array(date),
  attempt: z.number(),
  startedAt: z.number(),
  endedAt: z.number(),
  outcome: z.enum(outcomes),
  systemic: z.enum(systemicCauses).nullable(),
  errorCode: z.string().nullable(),
  message: z.string().nullable(),
  logTail: z.string().nullable(),
  cells: z.array(cellSchema),
});

const columnsSchema = z.object({
  days: z.array(day),
  rows: column,
  entities: column,
  firstWriteMs: column,
  lastWriteMs: column,
  metrics: z.array(column),
});

const seenSchema = columnsSchema
  .extend({ processor: z.string(), expectationHash: z.string() })
  // Shorter ones would shift what is known of all later dates.
  .refine(({ days, rows, entities, firstWriteMs, lastWriteMs, metrics }) =>
    [rows, entities, firstWriteMs, lastWriteMs, ...metrics].every(({ length }) => length === days.length),
  );

const reportSchema = z.object({
  result: z.enum(["ran", "locked", "skipped", "stopped", "failed"]),
  ends: z.array(endSchema),
  from: day,
  to: day,
  scanBytes: z.number().nonnegative(),
  seen: z.array(seenSchema),
});
