import type { DateRange } from "../../core/iso-date.ts";
import { metricsOf, type ProcessorObservation } from "../../core/observation.ts";
import type { Processor, ScheduleSpec, TableName } from "../../core/pipeline.ts";
import { hashOf } from "../../core/hash.ts";
import { named, scheduleReader } from "../sql/arm-context.ts";
import { profileAll } from "../sql/profile-all.ts";
import { type ArmContext, profileArm } from "../sql/profile-arm.ts";
import type { Api } from "./api.ts";
import { armDialect } from "./arm-dialect.ts";
import { loadCatalog } from "./catalog.ts";
import { datedSource } from "./dates.ts";
import type { Jobs } from "./jobs.ts";
import { type Limits, limitsOf } from "./limits.ts";
import { type Binder, Bindings } from "./parameters.ts";
import { scheduleSource } from "./schedules.ts";
import { loadSql } from "./sql-files.ts";

const statementsAtOnce = 4;
const rememberedMax = 20_000;

/** A pipeline and the way to its tables. */
export interface ProfileSource {
  readonly api: Api;
  readonly jobs: Jobs;
  readonly timezone: string;
  /** All of the pipeline: an expectation may refer to any of them. */
  readonly processors: readonly Processor[];
  readonly schedules: readonly ScheduleSpec[];
  /** Arms that were analyzed before, by hash; what users wrote is analyzed before it runs. */
  readonly analyzed: Set<string>;
}

export interface ProfileOptions {
  /** The dates to look at, per processor; both ends of each range are included. */
  readonly rangesOf: (processor: Processor) => readonly DateRange[];
  /** Of one statement. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Profiles each processor over its own dates; one that cannot be is `failed`, with the others observed all the same.
 * @throws ReconcilerError `interrupted` when called off, `warehouse_*` where nothing at all could be read
 */
export async function profileDates(
  source: ProfileSource,
  processors: readonly Processor[],
  options: ProfileOptions,
): Promise<Map<string, ProcessorObservation>> {
  const { jobs, analyzed } = source;
  const { timeoutMs, signal, rangesOf } = options;
  const contextOf = await armContexts(source, processors, limitsOf(timeoutMs, signal));
  const alone = (processor: Processor) => {
    const width = metricsOf(processor.expect).length;
    return profileArm(processor, 0, width, contextOf(rangesOf(processor), new Bindings()));
  };
  if (analyzed.size > rememberedMax) analyzed.clear();
  return profileAll(processors, {
    timeoutMs,
    statementsAtOnce,
    check: alone,
    run: async (chunk, width, limitMs) => {
      const limits = limitsOf(limitMs, signal);
      const binder = new Bindings();
      const arms = chunk.map((processor, index) =>
        profileArm(processor, index, width, contextOf(rangesOf(processor), binder)),
      );
      const sql = loadSql("profile", { arms: arms.join("\nunion all\n") });
      const statement = { sql, parameters: binder.parameters, purpose: "profile" };
      const hashes = chunk.map((processor) => hashOf(alone(processor)));
      if (hashes.some((hash) => !analyzed.has(hash))) {
        await jobs.analyze({ ...statement, purpose: "analyze" }, limits);
        for (const hash of hashes) analyzed.add(hash);
      }
      return (await jobs.read(statement, limits)).rows;
    },
  });
}

/** What arms refer to, looked up once for all of them. */
export async function armContexts(
  { api, jobs, timezone, processors, schedules }: ProfileSource,
  wanted: readonly Processor[],
  limits: Limits,
): Promise<(ranges: readonly DateRange[], binder: Binder) => ArmContext> {
  const covered = new Set(
    wanted.flatMap(({ expect, schedule }) => (expect.coverage?.of.kind === "schedule" ? [schedule] : [])),
  );
  const specs = schedules.filter(({ name }) => covered.has(name));
  const catalog = await loadCatalog(api, tablesOf(wanted, processors, specs), limits);
  const schedule = await scheduleReader(specs, (stored) => scheduleSource(jobs, catalog, stored, limits));
  const dialect = armDialect(timezone);
  return (ranges, binder) => ({
    dialect,
    tableOf: (table) => catalog.table(table),
    processor: (name) => named(processors, name, "processor"),
    schedule,
    dated: (source, dateColumn, where) =>
      datedSource(source, dateColumn, where, { ranges, timezone, binder }),
  });
}

/** The tables of some schedules. */
export function scheduleTables(specs: readonly ScheduleSpec[]): readonly TableName[] {
  return specs.flatMap(({ source }) => (source.kind === "table" ? [source.table] : []));
}

function tablesOf(
  wanted: readonly Processor[],
  all: readonly Processor[],
  specs: readonly ScheduleSpec[],
): readonly TableName[] {
  const others = wanted.flatMap(({ expect: { rows, coverage } }) => [
    ...(rows.perEntity === null ? [] : [named(all, rows.perEntity.of, "processor").table]),
    ...(rows.completionLog === null ? [] : [rows.completionLog.table]),
    ...(coverage?.of.kind === "processor" ? [named(all, coverage.of.name, "processor").table] : []),
    ...(coverage === null || coverage.excusedBy === null ? [] : [coverage.excusedBy.table]),
  ]);
  return [...wanted.map(({ table }) => table), ...others, ...scheduleTables(specs)];
}
