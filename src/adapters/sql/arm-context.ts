import type { ScheduleSpec } from "../../core/pipeline.ts";
import { ReconcilerError } from "../../errors.ts";
import type { ArmContext } from "./profile-arm.ts";
import { failureCodeOf, QueryError } from "./query-error.ts";
import type { StoredSchedule } from "./schedules.ts";
import { type Source, Unobservable } from "./source.ts";

/** Looks each schedule up once, before any arm is built: a query's columns are known only by asking the warehouse. */
export async function scheduleReader(
  specs: readonly ScheduleSpec[],
  sourceOf: (stored: StoredSchedule) => Promise<Source>,
): Promise<ArmContext["schedule"]> {
  const sources = new Map<string, Source | Unobservable>();
  for (const { name, source } of specs) {
    if (source.kind !== "calendar") sources.set(name, await sourceOrProblem(() => sourceOf(source)));
  }
  return (name) => {
    const spec = named(specs, name, "schedule");
    const source = sources.get(name);
    if (spec.source.kind === "calendar" || source === undefined) throw noEntities(name);
    if (source instanceof Unobservable) throw source;
    return { ...spec.source, source };
  };
}

async function sourceOrProblem(read: () => Promise<Source>): Promise<Source | Unobservable> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Unobservable) return error;
    if (
      error instanceof QueryError ||
      (error instanceof ReconcilerError && error.code === "warehouse_query_failed")
    )
      return new Unobservable(failureCodeOf(error), error.message);
    throw error;
  }
}

/** A schedule that is a calendar has dates and no entities. */
function noEntities(schedule: string): Unobservable {
  return new Unobservable(
    "query_failed",
    `coverage of the schedule ${schedule}: a calendar names no entities; use a schedule from a table or a query`,
  );
}

export function named<T extends { readonly name: string }>(all: readonly T[], name: string, kind: string): T {
  const found = all.find((candidate) => candidate.name === name);
  if (found === undefined)
    throw new ReconcilerError("internal", `the warehouse was not told of the ${kind} ${name}`);
  return found;
}

/** For a person who asks: what cannot be observed is an error. */
export function asQueryError(build: () => string): string {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof Unobservable)) throw error;
    throw new ReconcilerError("warehouse_query_failed", error.message, {
      cause: error,
      hint: "correct the name in the config, or create what is missing",
    });
  }
}
