import { type DateRange, type IsoDate } from "../../core/iso-date.ts";
import type { ScheduleObservation } from "../../core/observation.ts";
import type { Processor, ScheduleSpec, TableName } from "../../core/pipeline.ts";
import { ReconcilerError } from "../../errors.ts";
import type { ProfileRequest, TableInspection, Warehouse } from "../../reconcile/ports.ts";
import { type Catalog, readCatalog, type Source, Unobservable } from "./catalog.ts";
import { boundRange, type RangeSql } from "./dates.ts";
import { readLastFence } from "./fence.ts";
import { gateOf, letGoOfGate } from "./file-gate.ts";
import { checkPrecondition } from "./preconditions.ts";
import { profileAll } from "./profile.ts";
import { type ArmContext, noEntities, profileForReading } from "./profile-arm.ts";
import { checkRepair } from "./repair-shape.ts";
import { replaceDates } from "./replace-dates.ts";
import { readSchedule, scheduleSource } from "./schedules.ts";
import { type RunLimits, type Session, StatementError } from "./session.ts";
import { quoteText } from "./sql-text.ts";

export interface DuckDbWarehouseOptions {
  readonly path: string;
  /** IANA name: TIMESTAMP columns are wall time in it, TIMESTAMPTZ ones are dated in it. */
  readonly timezone: string;
  /** All of the pipeline: an expectation may refer to any of them. */
  readonly processors: readonly Processor[];
  readonly schedules: readonly ScheduleSpec[];
  readonly memoryLimit?: string;
  readonly threads?: number;
  readonly tempDirectory?: string;
  /** How long to wait for another process to let the file go; default 10 s. */
  readonly lockWaitMs?: number;
  /** How long to wait for another task of this process, which may be a repair that runs long; default 1 h. */
  readonly turnWaitMs?: number;
  /** Of one statement that reads; default 5 min. */
  readonly queryTimeoutMs?: number;
}

const lockWaitMsDefault = 10_000;
const turnWaitMsDefault = 3_600_000;
const queryTimeoutMsDefault = 300_000;

/** A warehouse in one DuckDB file, which is open only while something reads or writes it. */
export function createDuckDbWarehouse(options: DuckDbWarehouseOptions): Warehouse {
  const { timezone, processors, schedules, turnWaitMs = turnWaitMsDefault } = options;
  const timeoutMs = options.queryTimeoutMs ?? queryTimeoutMsDefault;
  const gate = gateOf({ ...options, lockWaitMs: options.lockWaitMs ?? lockWaitMsDefault }, turnWaitMs);

  let closed = false;
  const withSession = <T>(
    mode: "read" | "write",
    work: (session: Session) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> =>
    gate.use(
      mode,
      async (database) => {
        const session = await database.connect();
        try {
          return await work(session);
        } finally {
          session.close();
        }
      },
      signal,
    );

  const armContext = async (session: Session, catalog: Catalog, range: RangeSql): Promise<ArmContext> => ({
    timezone,
    range,
    tableOf: (table) => catalog.table(table),
    processor: (name) => named(processors, name, "processor"),
    schedule: await scheduleReader(session, catalog, schedules),
  });

  return {
    kind: "duckdb",
    // DuckDB runs in this process: its clock is this machine's.
    now: () => Promise.resolve(Date.now()),
    readSchedules: (specs, range) =>
      withSession("read", (session) => readAllSchedules(session, specs, range, timezone, { timeoutMs })),
    profile: (request: ProfileRequest) => {
      const limits = request.signal === undefined ? {} : { signal: request.signal };
      return withSession(
        "read",
        async (session) => {
          const context = await armContext(session, await readCatalog(session, request.signal), boundRange);
          const profiles = { range: request.range, timeoutMs, ...limits };
          return {
            processors: await profileAll(session, request.processors, context, profiles),
            scanBytes: 0,
          };
        },
        request.signal,
      );
    },
    checkPreconditions: (statements) =>
      statements.length === 0
        ? Promise.resolve([])
        : withSession("read", async (session) => {
            const results = [];
            for (const statement of statements)
              results.push(await checkPrecondition(session, statement, timeoutMs));
            return results;
          }),
    describeProfile: (processor, date) =>
      withSession("read", async (session) => {
        const context = await armContext(session, await readCatalog(session), literalRange(date));
        return asQueryError(() => profileForReading(processor, context));
      }),
    lastFence: (cells) =>
      withSession("read", async (session) => readLastFence(session, await readCatalog(session), cells)),
    replaceDates: (request) =>
      withSession("write", (session) => replaceDates(session, request, timezone), request.signal),
    checkRepair: (processor, sql) =>
      withSession("read", async (session) => {
        try {
          await checkRepair(session, { processor, sql }, { timeoutMs });
          return null;
        } catch (error) {
          if (!(error instanceof ReconcilerError)) throw error;
          if (!(error instanceof StatementError) && error.code !== "repair_contract") throw error;
          return { message: error.message, hint: error.hint };
        }
      }),
    released: (work) => gate.released(work),
    inspect: ({ tables }) =>
      withSession("read", async (session) => {
        const catalog = await readCatalog(session);
        return tables.map((table) => inspectTable(catalog, table));
      }),
    connect: () =>
      withSession("read", async (session) => {
        await readCatalog(session);
      }),
    close: () => {
      if (!closed) letGoOfGate(gate);
      closed = true;
      return Promise.resolve();
    },
  };
}

async function readAllSchedules(
  session: Session,
  specs: readonly ScheduleSpec[],
  range: DateRange,
  timezone: string,
  limits: RunLimits,
): Promise<ReadonlyMap<string, ScheduleObservation>> {
  const catalog = await readCatalog(session);
  const found = new Map<string, ScheduleObservation>();
  for (const spec of specs) {
    if (spec.source.kind === "calendar") continue;
    found.set(spec.name, await readSchedule(session, catalog, spec, spec.source, range, timezone, limits));
  }
  return found;
}

/** Looks each schedule up once, before any arm is built: a query's columns are known only by asking DuckDB. */
async function scheduleReader(
  session: Session,
  catalog: Catalog,
  specs: readonly ScheduleSpec[],
): Promise<ArmContext["schedule"]> {
  const sources = new Map<string, Source | Unobservable>();
  for (const { name, source } of specs) {
    if (source.kind !== "calendar")
      sources.set(name, await sourceOrProblem(() => scheduleSource(session, catalog, source)));
  }
  return (name) => {
    const spec = named(specs, name, "schedule");
    const source = sources.get(name);
    if (spec.source.kind === "calendar" || source === undefined) throw noEntities(name);
    if (source instanceof Unobservable) throw source;
    return { source, dateColumn: spec.source.dateColumn, where: spec.source.where };
  };
}

async function sourceOrProblem(read: () => Promise<Source>): Promise<Source | Unobservable> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Unobservable) return error;
    if (error instanceof ReconcilerError && error.code === "warehouse_query_failed") {
      return new Unobservable("query_failed", error.message);
    }
    throw error;
  }
}

function inspectTable(catalog: Catalog, table: TableName): TableInspection {
  const source = catalog.find(table);
  if (source !== null) {
    const columns = new Map([...source.columns.values()].map(({ name, type }) => [name, type]));
    return { table, columns, message: null, nearest: null };
  }
  return {
    table,
    columns: null,
    message: `there is no table ${table.parts.join(".")}`,
    nearest: catalog.nearest(table),
  };
}

function literalRange(date: IsoDate): RangeSql {
  return { start: `date ${quoteText(date)}`, end: `date ${quoteText(date)}` };
}

function asQueryError(build: () => string): string {
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

function named<T extends { readonly name: string }>(all: readonly T[], name: string, kind: string): T {
  const found = all.find((candidate) => candidate.name === name);
  if (found === undefined)
    throw new ReconcilerError("internal", `the warehouse was not told of the ${kind} ${name}`);
  return found;
}
