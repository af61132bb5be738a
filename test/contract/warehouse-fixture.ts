import { fromDay, parseIsoDate, type DateRange } from "../../src/core/iso-date.ts";
import type { Profile, ProcessorObservation } from "../../src/core/observation.ts";
import type { Processor, ScheduleSpec } from "../../src/core/pipeline.ts";
import type { Warehouse } from "../../src/reconcile/ports.ts";
import type { ProcessorSketch } from "../support/pipeline.ts";

export type ColumnType = "string" | "int" | "float" | "bool" | "date" | "timestamp" | "timestamptz";
export type CellValue = string | number | boolean | null;

/** A table in no dialect. Dates are `2024-01-31`, timestamps `2024-01-31 05:00:00`, instants `2024-01-31T05:00:00Z`. */
export interface TableFixture {
  /** `dataset.table`. */
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly rows?: readonly (readonly CellValue[])[];
}

/** A warehouse of an adapter's own kind with tables for one test. */
export interface WarehouseFixture {
  open(pipeline: WarehousePipeline): Warehouse;
  /** The rows of a SELECT in common SQL, every value as text. */
  read(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  cleanup(): Promise<void>;
}

/** What tells kinds of warehouses apart, beside their SQL. */
export interface WarehouseTraits {
  /** One file holds it all, so that work which needs it released runs one at a time. */
  readonly isFile: boolean;
}

export interface WarehousePipeline {
  readonly timezone: string;
  readonly processors: readonly Processor[];
  readonly schedules: readonly ScheduleSpec[];
}

export type MakeWarehouseFixture = (tables: readonly TableFixture[]) => Promise<WarehouseFixture>;

/** A fixture that is opened with sketches of processors and cleaned up after the test. */
export interface OpenFixture extends WarehousePipeline {
  readonly warehouse: Warehouse;
  processor(name: string): Processor;
  read: WarehouseFixture["read"];
}

export interface FixtureSketch {
  readonly tables: readonly TableFixture[];
  readonly processors?: Readonly<Record<string, ProcessorSketch>>;
  readonly schedules?: readonly ScheduleSpec[];
  readonly timezone?: string;
}

export type OpenWarehouse = (sketch: FixtureSketch) => Promise<OpenFixture>;

export const january: DateRange = { start: parseIsoDate("2024-01-01"), end: parseIsoDate("2024-01-31") };

export function table(name: string): { parts: readonly string[] } {
  return { parts: name.split(".") };
}

/** Profiles all processors of a fixture over January 2024. */
export async function profileAll(
  { warehouse, processors }: OpenFixture,
  range: DateRange = january,
): Promise<ReadonlyMap<string, ProcessorObservation>> {
  return (await warehouse.profile({ processors, range })).processors;
}

/** The profile of the only processor of a fixture. */
export async function profileOne(fixture: OpenFixture, range: DateRange = january): Promise<Profile> {
  const [observation] = (await profileAll(fixture, range)).values();
  return profileOf(observation);
}

export function profileOf(observation: ProcessorObservation | undefined): Profile {
  if (observation?.kind !== "observed")
    throw new Error(`expected a profile, found ${JSON.stringify(observation)}`);
  return observation.profile;
}

/** A column of a profile by date, to be compared with what a person counts by hand. */
export function byDate(profile: Profile, column: Float64Array | undefined): Record<string, number> {
  return Object.fromEntries(
    Array.from(profile.days, (day, index) => [fromDay(day), column?.[index] ?? Number.NaN]),
  );
}
