import { expect } from "vitest";
import type { BigQueryWarehouseOptions } from "../../../src/adapters/bigquery/warehouse.ts";
import { type DateRange, fromDay, parseIsoDate } from "../../../src/core/iso-date.ts";
import type { ProcessorObservation } from "../../../src/core/observation.ts";
import type { ScheduleSpec } from "../../../src/core/pipeline.ts";
import type { SurveyRequest, SurveyResult, Warehouse } from "../../../src/reconcile/ports.ts";
import type { BigQueryServer } from "../../support/bigquery/server.ts";
import { pipelineOf, type ProcessorSketch } from "../../support/pipeline.ts";
import { openWarehouse } from "./open.ts";

export const january: DateRange = { start: parseIsoDate("2024-01-01"), end: parseIsoDate("2024-01-31") };
export const megabyte = 2 ** 20;
export const noonOf = (date: string) => Date.parse(`${date}T12:00:00Z`);

/** What a survey and a look at everything both say. */
export type Seen = Pick<SurveyResult, "processors" | "schedules">;

export interface Surveyor {
  readonly warehouse: Warehouse;
  survey(options?: Partial<Pick<SurveyRequest, "budgetBytes" | "range" | "signal">>): Promise<SurveyResult>;
  /** What a look at everything sees now. */
  all(range?: DateRange): Promise<Seen>;
}

export interface SurveyorOptions extends Partial<BigQueryWarehouseOptions> {
  readonly scheduleSpecs?: readonly ScheduleSpec[];
}

/** A process of its own that surveys; at noon of the last of January unless told otherwise. */
export function surveyor(
  server: BigQueryServer,
  sketches: Readonly<Record<string, ProcessorSketch>>,
  { scheduleSpecs, ...options }: SurveyorOptions = {},
): Surveyor {
  const { processors, schedules } = pipelineOf({
    processors: sketches,
    ...(scheduleSpecs === undefined ? {} : { schedules: scheduleSpecs }),
  });
  const warehouse = openWarehouse(server, {
    processors,
    schedules,
    clock: () => noonOf("2024-01-31"),
    ...options,
  });
  const request = { processors, schedules, budgetBytes: Number.POSITIVE_INFINITY };
  return {
    warehouse,
    survey: (options = {}) => warehouse.survey({ ...request, range: january, ...options }),
    all: async (range = january) => {
      const [profiled, seen] = await Promise.all([
        warehouse.profile({ ...request, range }),
        warehouse.readSchedules(schedules, range),
      ]);
      return { ...profiled, schedules: seen };
    },
  };
}

/** What is seen of each date, as text; `unseen` where it is not. */
export function seenOf(observation: ProcessorObservation | undefined): Readonly<Record<string, string>> {
  if (observation?.kind !== "observed") return { failed: observation?.failure.message ?? "not there" };
  const { profile, unseen } = observation;
  const columns = [
    profile.rows,
    profile.entities,
    profile.firstWriteMs,
    profile.lastWriteMs,
    ...profile.metrics,
  ];
  const seen = Array.from(profile.days, (day, entry) => {
    return [fromDay(day), columns.map((column) => column[entry]).join(" ")] as const;
  });
  const hidden = [...(unseen?.days ?? [])].map((day) => [fromDay(day), "unseen"] as const);
  return Object.fromEntries([...seen, ...hidden].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

export function rowsOf(result: SurveyResult, name: string): Readonly<Record<string, number>> {
  const observation = result.processors.get(name);
  if (observation?.kind !== "observed")
    throw new Error(`${name} was not observed: ${JSON.stringify(observation)}`);
  const { days, rows } = observation.profile;
  return Object.fromEntries(Array.from(days, (day, entry) => [fromDay(day), rows[entry] ?? Number.NaN]));
}

export function unseenOf(
  result: SurveyResult,
  name: string,
): { readonly days: number; readonly message: string } {
  const observation = result.processors.get(name);
  const unseen = observation?.kind === "observed" ? observation.unseen : null;
  return { days: unseen?.days.size ?? 0, message: unseen?.failure.message ?? "" };
}

/** The same as a look at everything, for all dates that are not unseen. */
export function expectSame(found: Seen, all: Seen): void {
  expect(found.schedules).toEqual(all.schedules);
  for (const [name, observation] of all.processors) {
    const tiered = found.processors.get(name);
    const unseen = tiered?.kind === "observed" ? [...(tiered.unseen?.days ?? [])] : [];
    const hidden = new Set<string>(unseen.map((day) => fromDay(day)));
    const seen = Object.entries(seenOf(observation)).filter(([date]) => !hidden.has(date));
    const told = Object.entries(seenOf(tiered)).filter(([, text]) => text !== "unseen");
    expect(Object.fromEntries(told), name).toEqual(Object.fromEntries(seen));
  }
}

/** The statements that were billed since the last time, by their purpose. */
export function billed(server: BigQueryServer): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { dryRun, labels, bytesBilled } of server.stats.queries) {
    const purpose = labels["purpose"] ?? "none";
    if (!dryRun) sums[purpose] = (sums[purpose] ?? 0) + bytesBilled / megabyte;
  }
  return sums;
}
