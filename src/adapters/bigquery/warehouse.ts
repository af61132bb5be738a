import { type DateRange, parseIsoDate } from "../../core/iso-date.ts";
import type { ScheduleObservation } from "../../core/observation.ts";
import type { Processor, ScheduleSpec, TableName } from "../../core/pipeline.ts";
import type { EpochMs } from "../../core/wall-clock.ts";
import type { TableInspection, Warehouse } from "../../reconcile/ports.ts";
import { asQueryError } from "../sql/arm-context.ts";
import { eachOf } from "../sql/each-of.ts";
import { type Answer, checkPrecondition } from "../sql/preconditions.ts";
import { profileForReading } from "../sql/profile-arm.ts";
import { QueryError } from "../sql/query-error.ts";
import { problemOf } from "../sql/repair-shape.ts";
import { Unobservable } from "../sql/source.ts";
import { Api } from "./api.ts";
import { type Catalog, loadCatalog } from "./catalog.ts";
import { readCoverageKeys } from "./coverage-keys.ts";
import { Fences } from "./fence.ts";
import { forecastBytes } from "./forecast.ts";
import { labelOf } from "./job-configuration.ts";
import { Jobs } from "./jobs.ts";
import { type Limits, limitsOf } from "./limits.ts";
import { literals } from "./parameters.ts";
import { armContexts, profileDates, type ProfileSource, scheduleTables } from "./profile.ts";
import { shapeRepair } from "./repair-shape.ts";
import { endAbandoned, sessionKey } from "./abandoned-sessions.ts";
import { replaceDates } from "./replace-dates.ts";
import { RunHistory } from "./run-history.ts";
import { readSchedule } from "./schedules.ts";
import { loadSql } from "./sql-files.ts";
import { encloseQuery } from "./sql-text.ts";
import type { SurveyMemory } from "./survey-memory.ts";
import { Surveys } from "./survey.ts";
import { Turns } from "./turns.ts";

export interface BigQueryWarehouseOptions {
  /** Where jobs run, and where tables without a project are. */
  readonly project: string;
  /** Where the data is, such as `EU` or `us-west2`; null lets BigQuery find out from the tables. */
  readonly location: string | null;
  /** The pipeline's name and the target's, for labels and the ids of jobs. */
  readonly pipeline: string;
  readonly target: string | null;
  /** IANA name: DATETIME columns are wall time in it, TIMESTAMP ones are dated in it. */
  readonly timezone: string;
  /** All of the pipeline: an expectation may refer to any of them. */
  readonly processors: readonly Processor[];
  readonly schedules: readonly ScheduleSpec[];
  /** Of one statement; null is without a limit. */
  readonly maximumBytesBilled: number | null;
  /** More labels on every job. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The cycle that asks, for the ids of its jobs. */
  readonly cycle?: () => string | null;
  /** Of one statement that reads; default 5 min. */
  readonly queryTimeoutMs?: number;
  /** Keeps what surveys learnt between processes; without it each process begins with a look at everything. */
  readonly memory?: SurveyMemory;
  /** How long a processor's dates are told from memory before all of them are asked anew; default 7 days. */
  readonly fullProfileEveryMs?: number;
  /** For that, and for what is recent; default this machine's clock. */
  readonly clock?: () => EpochMs;
  /** Another address than Google's. Over plain `http:` no credentials are sent to it. */
  readonly apiEndpoint?: string;
  /** The first wait before a call is tried again; it doubles. Default 1 s. */
  readonly retryFromMs?: number;
}

const queryTimeoutMsDefault = 300_000;
const fullProfileEveryMsDefault = 7 * 86_400_000;
const statementsAtOnce = 4;
const anyDate = parseIsoDate("2000-01-01");

/** A warehouse in BigQuery. `scanBytes` of a profile are all bytes that were billed since the profile before. */
export function createBigQueryWarehouse(options: BigQueryWarehouseOptions): Warehouse {
  const { timezone, processors, schedules, queryTimeoutMs = queryTimeoutMsDefault } = options;
  const api = new Api(options);
  const jobs = jobsOf(api, options);
  const fences = new Fences(api, jobs);
  const turns = new Turns();
  const runHistory = new RunHistory({ api, jobs, timezone, queryTimeoutMs });
  const source: ProfileSource = { api, jobs, timezone, processors, schedules, analyzed: new Set() };
  const limits = (signal?: AbortSignal) => limitsOf(queryTimeoutMs, signal);
  const surveys = new Surveys({
    source,
    memory: options.memory ?? null,
    timeoutMs: queryTimeoutMs,
    fullProfileEveryMs: options.fullProfileEveryMs ?? fullProfileEveryMsDefault,
    now: options.clock ?? Date.now,
  });

  return {
    kind: "bigquery",
    survey: (request) => surveys.survey(request),
    keepSurveys: () => surveys.keep(),
    async now() {
      const { rows } = await jobs.read({ sql: loadSql("read-now"), purpose: "now" }, limits());
      return rows.numbers(0)[0] ?? Number.NaN;
    },
    readSchedules: (specs, range, signal) => readSchedules(source, specs, range, limits(signal)),
    async profile({ processors: wanted, range, signal }) {
      const { processors: found } = await profileDates(source, wanted, {
        rangesOf: () => [range],
        timeoutMs: queryTimeoutMs,
        ...(signal === undefined ? {} : { signal }),
      });
      return { processors: found, scanBytes: jobs.takeBytesBilled() };
    },
    readRunHistory: (request) => runHistory.read(request),
    forecast: (request) => forecastBytes(source, request, limits(request.signal)),
    async checkPreconditions(statements, signal) {
      const results = statements.map(() => ({ met: false, message: null as string | null }));
      await eachOf([...statements.entries()], statementsAtOnce, async ([index, statement]) => {
        results[index] = await checkPrecondition(() => askTrue(jobs, statement, limits(signal)));
      });
      return results;
    },
    async describeProfile(processor, date) {
      const contextOf = await armContexts(source, [processor], limits());
      const context = contextOf([{ start: date, end: date }], literals);
      return asQueryError(() => profileForReading(processor, context));
    },
    coverageKeys: (request) => readCoverageKeys(source, request, limits(request.signal)),
    lastFence: (cells) => fences.last(cells, processors, limits()),
    replaceDates: (request) => replaceDates({ source, fences, turns }, request),
    async endAbandoned(repairId, of) {
      for (const processor of of) await endAbandoned(jobs, sessionKey(repairId, processor), limits());
    },
    async checkRepair(repair) {
      try {
        await shapeRepair(source, repair, [anyDate], limits());
        return null;
      } catch (error) {
        return problemOf(error, (other) => other instanceof QueryError);
      }
    },
    // BigQuery has no file that one process keeps from another.
    released: (work) => work(),
    async inspect({ tables }) {
      const catalog = await loadCatalog(api, tables, limits());
      return tables.map((table) => inspectTable(catalog, table));
    },
    async connect() {
      // Proves the credentials, the project and the right to run jobs, for nothing.
      await jobs.analyze({ sql: loadSql("read-now"), purpose: "connect" }, limits());
    },
    // Every call is a connection of its own.
    close: () => Promise.resolve(),
  };
}

function jobsOf(api: Api, options: BigQueryWarehouseOptions): Jobs {
  const { pipeline, target, labels = {}, location, maximumBytesBilled, cycle = () => null } = options;
  return new Jobs(api, {
    location,
    maximumBytesBilled,
    pipeline,
    cycle,
    labels: {
      ...labels,
      pipeline: labelOf(pipeline),
      ...(target === null ? {} : { target: labelOf(target) }),
    },
  });
}

async function readSchedules(
  { api, jobs, timezone }: ProfileSource,
  specs: readonly ScheduleSpec[],
  range: DateRange,
  limits: Limits,
): Promise<ReadonlyMap<string, ScheduleObservation>> {
  const catalog = await loadCatalog(api, scheduleTables(specs), limits);
  const found = new Map<string, ScheduleObservation>();
  await eachOf(specs, statementsAtOnce, async (spec) => {
    if (spec.source.kind === "calendar") return;
    const schedule = { spec, stored: spec.source };
    found.set(spec.name, await readSchedule(jobs, catalog, schedule, { range, timezone }, limits));
  });
  return found;
}

async function askTrue(jobs: Jobs, statement: string, limits: Limits): Promise<Answer> {
  const sql = `select * from ${encloseQuery(statement)} as gr_query limit 2`;
  const { rows } = await jobs.read({ sql, purpose: "precondition" }, limits);
  const [column, ...others] = rows.columns;
  const columns = column === undefined ? 0 : others.length + 1;
  const text = columns === 0 ? null : (rows.strings(0)[0] ?? null);
  return { columns, rows: rows.rowCount, isTrue: column?.type === "BOOL" && text === "true", text };
}

function inspectTable(catalog: Catalog, table: TableName): TableInspection {
  try {
    const { columns } = catalog.table(table);
    const types = new Map([...columns.values()].map(({ name, type }) => [name, type]));
    return { table, columns: types, message: null, nearest: null };
  } catch (error) {
    if (!(error instanceof Unobservable)) throw error;
    return { table, columns: null, message: error.message, nearest: error.nearest };
  }
}
