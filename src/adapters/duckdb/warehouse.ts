import { type DateRange, type IsoDate } from "../../core/iso-date.ts";
import type { ScheduleObservation } from "../../core/observation.ts";
import type { Processor, ScheduleSpec, TableName } from "../../core/pipeline.ts";
import type {
  ProfileRequest,
  ProfileResult,
  SurveyRequest,
  SurveyResult,
  TableInspection,
  Warehouse,
} from "../../reconcile/ports.ts";
import { asQueryError, named, scheduleReader } from "../sql/arm-context.ts";
import { type Answer, checkPrecondition } from "../sql/preconditions.ts";
import { type ArmContext, profileForReading } from "../sql/profile-arm.ts";
import { problemOf } from "../sql/repair-shape.ts";
import { armDialect } from "./arm-dialect.ts";
import { type Catalog, readCatalog } from "./catalog.ts";
import { boundRange, datedSource, type RangeSql } from "./dates.ts";
import { readLastFence } from "./fence.ts";
import { gateOf, letGoOfGate } from "./file-gate.ts";
import { readCoverageKeys } from "./coverage-keys.ts";
import { profileAll, profileWithOutside } from "./profile.ts";
import { checkRepair } from "./repair-shape.ts";
import { replaceDates } from "./replace-dates.ts";
import { readRunHistory } from "./run-history.ts";
import { readSchedule, scheduleSource } from "./schedules.ts";
import { type RunLimits, type Session, StatementError } from "./session.ts";
import { encloseQuery, quoteText } from "./sql-text.ts";

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

  const armContext = async (
    session: Session,
    catalog: Catalog,
    range: RangeSql,
    specs: readonly ScheduleSpec[] = schedules,
  ): Promise<ArmContext> => ({
    dialect: armDialect(timezone),
    tableOf: (table) => catalog.table(table),
    processor: (name) => named(processors, name, "processor"),
    schedule: await scheduleReader(specs, (stored) => scheduleSource(session, catalog, stored)),
    dated: (source, date, where) => datedSource(source, date, where, range, timezone),
    outside: { kind: "none" },
  });

  const schedulesOf = (
    session: Session,
    catalog: Catalog,
    specs: readonly ScheduleSpec[],
    { range, signal }: { readonly range: DateRange; readonly signal?: AbortSignal | undefined },
  ) => readAllSchedules(session, catalog, specs, range, timezone, limitsOf(timeoutMs, signal));

  const profileOf = async (
    session: Session,
    catalog: Catalog,
    { processors: wanted, range, signal }: ProfileRequest,
  ): Promise<ProfileResult> => {
    const context = await armContext(session, catalog, boundRange);
    const profiles = { range, ...limitsOf(timeoutMs, signal) };
    return { processors: await profileAll(session, wanted, context, profiles), scanBytes: 0 };
  };

  const surveyOf = async (session: Session, request: SurveyRequest): Promise<SurveyResult> => {
    const { processors: wanted, range, signal } = request;
    const catalog = await readCatalog(session, signal);
    const seen = await schedulesOf(session, catalog, request.schedules, request);
    const context = await armContext(session, catalog, boundRange);
    const profiles = { range, ...limitsOf(timeoutMs, signal) };
    const profiled = await profileWithOutside(session, wanted, context, profiles);
    return { ...profiled, schedules: seen, scanBytes: 0 };
  };

  return {
    kind: "duckdb",
    // DuckDB runs in this process: its clock is this machine's.
    now: () => Promise.resolve(Date.now()),
    // A survey that remembers nothing: every table is asked, over one connection and with one look at the catalog.
    survey: (request) => withSession("read", (session) => surveyOf(session, request), request.signal),
    // A look into a local file costs nothing.
    keepSurveys: () => Promise.resolve(),
    readSchedules: (specs, range, signal) =>
      withSession(
        "read",
        async (session) => schedulesOf(session, await readCatalog(session, signal), specs, { range, signal }),
        signal,
      ),
    profile: (request) =>
      withSession(
        "read",
        async (session) => profileOf(session, await readCatalog(session, request.signal), request),
        request.signal,
      ),
    readRunHistory: (request) => {
      const { signal } = request;
      const limits = limitsOf(timeoutMs, signal);
      const read = async (session: Session) =>
        readRunHistory(session, await readCatalog(session, signal), request, timezone, limits);
      return withSession("read", read, signal);
    },
    forecast: () => Promise.resolve(null),
    checkPreconditions: (statements, signal) => {
      if (statements.length === 0) return Promise.resolve([]);
      const limits = limitsOf(timeoutMs, signal);
      const checkAll = async (session: Session) => {
        const results = [];
        for (const statement of statements)
          results.push(await checkPrecondition(() => askTrue(session, statement, limits)));
        return results;
      };
      return withSession("read", checkAll, signal);
    },
    describeProfile: (processor, date) =>
      withSession("read", async (session) => {
        const context = await armContext(session, await readCatalog(session), literalRange(date));
        return asQueryError(() => profileForReading(processor, context));
      }),
    coverageKeys: (request) =>
      withSession(
        "read",
        async (session) => {
          const context = await armContext(session, await readCatalog(session, request.signal), boundRange);
          return readCoverageKeys(session, request, context, limitsOf(timeoutMs, request.signal));
        },
        request.signal,
      ),
    lastFence: (cells) =>
      withSession("read", async (session) => readLastFence(session, await readCatalog(session), cells)),
    replaceDates: (request) =>
      withSession(
        "write",
        (session) =>
          replaceDates(session, request, {
            timezone,
            contextOf: (connected, catalog) =>
              armContext(connected, catalog, boundRange, coveredSchedules(request.processor, schedules)),
          }),
        request.signal,
      ),
    // A transaction ends with its process.
    endAbandoned: () => Promise.resolve(),
    checkRepair: (repair) =>
      withSession("read", async (session) => {
        try {
          await checkRepair(session, repair, { timeoutMs });
          return null;
        } catch (error) {
          return problemOf(error, (other) => other instanceof StatementError);
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

/** The schedules that the profile of a processor reads: a query among them is described each time. */
function coveredSchedules(
  { expect, schedule }: Processor,
  schedules: readonly ScheduleSpec[],
): readonly ScheduleSpec[] {
  return expect.coverage?.of.kind === "schedule" ? schedules.filter(({ name }) => name === schedule) : [];
}

async function readAllSchedules(
  session: Session,
  catalog: Catalog,
  specs: readonly ScheduleSpec[],
  range: DateRange,
  timezone: string,
  limits: RunLimits,
): Promise<ReadonlyMap<string, ScheduleObservation>> {
  const found = new Map<string, ScheduleObservation>();
  for (const spec of specs) {
    if (spec.source.kind === "calendar") continue;
    found.set(spec.name, await readSchedule(session, catalog, spec, spec.source, range, timezone, limits));
  }
  return found;
}

function limitsOf(timeoutMs: number, signal: AbortSignal | undefined): RunLimits & { timeoutMs: number } {
  return signal === undefined ? { timeoutMs } : { timeoutMs, signal };
}

async function askTrue(session: Session, statement: string, limits: RunLimits): Promise<Answer> {
  const sql = `select * from ${encloseQuery(statement)} as gr_query limit 2`;
  const result = await session.run(sql, {}, limits);
  const [columns, rows] = [result.names.length, result.rowCount];
  if (columns === 0 || rows === 0) return { columns, rows, isTrue: false, text: null };
  const [value, text] = [result.values(0)[0], result.strings(0)[0]];
  return { columns, rows, isTrue: value === true, text: text ?? null };
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
