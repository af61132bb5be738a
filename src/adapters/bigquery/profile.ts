import { type DateRange, fromDay, parseIsoDate, toDay } from "../../core/iso-date.ts";
import type { Processor, ScheduleSpec, TableName } from "../../core/pipeline.ts";
import { hashOf } from "../../core/hash.ts";
import { named, scheduleReader } from "../sql/arm-context.ts";
import { type PartialAnswer, profileAll, type Profiled, widthOf } from "../sql/profile-all.ts";
import { type ArmContext, profileArm } from "../sql/profile-arm.ts";
import type { QueryError } from "../sql/query-error.ts";
import type { Api } from "./api.ts";
import { armDialect } from "./arm-dialect.ts";
import { tableAnswer } from "./answers.ts";
import { type Catalog, loadCatalog, pathOf, pathSql, tableCall, type TablePath } from "./catalog.ts";
import { datedSource } from "./dates.ts";
import type { Statement } from "./job-configuration.ts";
import { hiddenError, tablesText } from "./hidden.ts";
import type { Analysis, Jobs, Outcome } from "./jobs.ts";
import { type Limits, limitsOf } from "./limits.ts";
import { isNothing, nothingOutside, type OutsideAsk } from "./outside.ts";
import { type Binder, Bindings, literals } from "./parameters.ts";
import { type Reads, readsOf } from "./reads.ts";
import { scheduleSource } from "./schedules.ts";
import type { Spans } from "./spans.ts";
import { loadSql } from "./sql-files.ts";

const statementsAtOnce = 4;
const rememberedMax = 20_000;
const anyDates: DateRange = { start: parseIsoDate("2000-01-01"), end: parseIsoDate("2000-01-01") };

/** A pipeline and the way to its tables. */
export interface ProfileSource {
  readonly api: Api;
  readonly jobs: Jobs;
  readonly timezone: string;
  /** All of the pipeline: an expectation may refer to any of them. */
  readonly processors: readonly Processor[];
  readonly schedules: readonly ScheduleSpec[];
  /** Arms that were analyzed before, whatever their dates, by hash; what users wrote is analyzed before it runs. */
  readonly analyzed: Set<string>;
}

/** The dates to look at, per processor; both ends of each range are included. */
export type RangesOf = (processor: Processor) => readonly DateRange[];

/** What to count besides, per processor. */
export type OutsideOf = (processor: Processor) => OutsideAsk;

/** Makes what the arms of some dates refer to. @param outside what to count besides; nothing unless given */
export type ArmContexts = (ranges: readonly DateRange[], binder: Binder, outside?: OutsideAsk) => ArmContext;

export interface ProfileOptions {
  readonly rangesOf: RangesOf;
  /** Nothing unless given. */
  readonly outsideOf?: OutsideOf;
  /** Where the tables were looked up already. */
  readonly contextOf?: ArmContexts;
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
): Promise<Profiled> {
  const { jobs, analyzed } = source;
  const { timeoutMs, signal, rangesOf, outsideOf = () => nothingOutside } = options;
  const contextOf = options.contextOf ?? (await armContexts(source, processors, limitsOf(timeoutMs, signal)));
  if (analyzed.size > rememberedMax) analyzed.clear();
  return profileAll(processors, {
    timeoutMs,
    statementsAtOnce,
    daysOf: (processor) =>
      rangesOf(processor).map(({ start, end }) => ({ from: toDay(start), to: toDay(end) })),
    check: (processor) => void shapeOfProfile(processor, contextOf),
    run: async (chunk, width, limitMs) => {
      const limits = limitsOf(limitMs, signal);
      const statement = profileStatement(chunk, width, { rangesOf, outsideOf, contextOf });
      const hashes = chunk.map((processor) => hashOf(shapeOfProfile(processor, contextOf)));
      if (hashes.some((hash) => !analyzed.has(hash))) {
        await jobs.analyze({ ...statement, purpose: "analyze" }, limits);
        for (const hash of hashes) analyzed.add(hash);
      }
      const outcome = await jobs.read({ ...statement, ifHidden: "tell" }, limits);
      return outcome.hidden === null ? outcome.rows : sift(source, chunk, outcome, limits);
    },
  });
}

/**
 * What of a profile holds although policies apply to what it read.
 * @throws QueryError where that is not known: then each half is asked alone
 */
async function sift(
  { api, jobs, processors, schedules }: ProfileSource,
  chunk: readonly Processor[],
  { rows, hidden }: Outcome,
  limits: Limits,
): Promise<PartialAnswer> {
  const refused = new Map<Processor, QueryError>();
  if (hidden === null) return { rows, refused, doubtful: [] };
  const tables = await jobs.hiddenTables(hidden, limits);
  // Which columns are masked is not told, and neither is who read them.
  const isDoubtful = hidden.masked || tables === null;
  if (isDoubtful && chunk.length > 1) throw hiddenError(hidden, tablesText(tables));
  const keys = new Set((tables ?? []).map(pathSql));
  const doubtful: Processor[] = [];
  for (const processor of chunk) {
    const reads = readsOf(processor, processors, schedules);
    const own = reads.tables.map(({ table }) => pathOf(table, api.project));
    const unseen = own.filter((path) => keys.has(pathSql(path)));
    const isRefused = isDoubtful || unseen.length > 0 || (chunk.length === 1 && keys.size > 0);
    if (isRefused)
      refused.set(processor, hiddenError(hidden, tablesText(unseen.length > 0 ? unseen : tables)));
    // What a view or a subquery reads is not told apart.
    else if (keys.size > 0 && !(await readsOnlyTables(api, reads, own, limits))) doubtful.push(processor);
  }
  return { rows, refused, doubtful };
}

async function readsOnlyTables(
  api: Api,
  { isWhole }: Reads,
  paths: readonly TablePath[],
  limits: Limits,
): Promise<boolean> {
  if (!isWhole) return false;
  const answers = await Promise.all(paths.map((path) => api.call(tableCall(path), tableAnswer, limits)));
  return answers.every(({ type }) => type === "TABLE");
}

/** What is asked of each processor. */
interface Looking {
  readonly rangesOf: RangesOf;
  readonly outsideOf: OutsideOf;
  readonly contextOf: ArmContexts;
}

function profileStatement(
  chunk: readonly Processor[],
  width: number,
  { rangesOf, outsideOf, contextOf }: Looking,
): Statement {
  const binder = new Bindings();
  const arms = chunk.map((processor, index) =>
    profileArm(processor, index, width, contextOf(rangesOf(processor), binder, outsideOf(processor))),
  );
  const sql = loadSql("profile", { arms: arms.join("\nunion all\n") });
  return { sql, parameters: binder.parameters, purpose: "profile" };
}

/** What the profile of one chunk would read, known from a dry run. @throws as `Jobs.analyze` does */
export function analyzeProfile(
  jobs: Jobs,
  chunk: readonly Processor[],
  looking: Looking,
  limits: Limits,
): Promise<Analysis> {
  const statement = profileStatement(chunk, widthOf(chunk), looking);
  return jobs.analyze({ ...statement, purpose: "analyze" }, limits);
}

/** The SQL of one processor's profile, whatever the dates: where it differs, what was seen before says nothing. */
export function shapeOfProfile(processor: Processor, contextOf: ArmContexts): string {
  return profileArm(processor, 0, 0, contextOf([anyDates], literals));
}

/** What arms refer to, looked up once for all of them. */
export async function armContexts(
  { api, jobs, timezone, processors, schedules }: ProfileSource,
  wanted: readonly Processor[],
  limits: Limits,
  known?: Catalog,
): Promise<ArmContexts> {
  const covered = new Set(
    wanted.flatMap(({ expect, schedule }) => (expect.coverage?.of.kind === "schedule" ? [schedule] : [])),
  );
  const specs = schedules.filter(({ name }) => covered.has(name));
  const catalog = known ?? (await loadCatalog(api, profileTables(wanted, processors, schedules), limits));
  const schedule = await scheduleReader(specs, (stored) => scheduleSource(jobs, catalog, stored, limits));
  const dialect = armDialect(timezone);
  return (ranges, binder, outside = nothingOutside) => ({
    dialect,
    outside: isNothing(outside)
      ? { kind: "none" }
      : {
          kind: "apart",
          dated: (source, date, where) => {
            const { withoutDate } = outside;
            const days = { ranges: rangesOfDays(outside.days), withoutDate, timezone, binder };
            return datedSource(source, date, where, days);
          },
        },
    tableOf: (table) => catalog.table(table),
    processor: (name) => named(processors, name, "processor"),
    schedule,
    dated: (source, date, where) => datedSource(source, date, where, { ranges, timezone, binder }),
  });
}

/** Finite days as ranges of dates. */
export function rangesOfDays(days: Spans): readonly DateRange[] {
  return days.map(({ from, to }) => ({ start: fromDay(from), end: fromDay(to) }));
}

/** The tables of some schedules. */
export function scheduleTables(specs: readonly ScheduleSpec[]): readonly TableName[] {
  return specs.flatMap(({ source }) => (source.kind === "table" ? [source.table] : []));
}

/** All tables that the profiles of some processors read. */
export function profileTables(
  wanted: readonly Processor[],
  all: readonly Processor[],
  schedules: readonly ScheduleSpec[],
): readonly TableName[] {
  return wanted.flatMap((processor) => readsOf(processor, all, schedules).tables.map(({ table }) => table));
}
