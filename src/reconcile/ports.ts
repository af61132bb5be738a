import type { RefusedDate, StagedAudit } from "../core/audit.ts";
import type { CoverageKeys } from "../core/coverage-keys.ts";
import type { DateRange, IsoDate } from "../core/iso-date.ts";
import type {
  Baseline,
  CellAttempt,
  CycleRecord,
  Decision,
  GapEvent,
  LedgerRecords,
  RepairEnd,
  RepairStart,
} from "../core/ledger-records.ts";
import type {
  HistoryRun,
  ObservationFailure,
  OutsideRows,
  ProcessorObservation,
  ScheduleObservation,
} from "../core/observation.ts";
import type { Processor, RunHistorySpec, ScheduleSpec, TableName } from "../core/pipeline.ts";
import type { EpochMs } from "../core/wall-clock.ts";

/** Time, so that tests can hold it. */
export interface Clock {
  /** Wall-clock time of this machine; for records only, a cycle's `now` is the warehouse's. */
  now(): EpochMs;
  /** Never goes back; milliseconds from an arbitrary start. */
  monotonic(): number;
  /** Resolves after `ms`, or as soon as the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** When cycles are due. */
export interface Ticks {
  /** Calls `onTick` each time until it is stopped; it must not throw. The first one comes when it is due, not at once. */
  start(onTick: () => void): { stop(): void };
}

/** Where the tables are. Everything but `replaceDates` only reads. */
export interface Warehouse {
  readonly kind: "duckdb" | "bigquery";
  /** The warehouse's clock, milliseconds precise. */
  now(): Promise<EpochMs>;
  /**
   * The scheduled dates in the range, by schedule name. Calendars (`every:`) are not asked here.
   * @throws ReconcilerError `schedule_failed` where one cannot be read: it fails the cycle; `interrupted` where the signal aborts.
   */
  readSchedules(
    specs: readonly ScheduleSpec[],
    range: DateRange,
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, ScheduleObservation>>;
  /**
   * One look at everything: the schedules, as `readSchedules` does, and the processors, as `profile` does. What provably did
   * not change since it was last seen may be told from memory, so that a look at a long history costs little. What the
   * budget leaves out is `unseen`, never told from memory.
   * @throws as `readSchedules` and `profile` do
   */
  survey(request: SurveyRequest): Promise<SurveyResult>;
  /**
   * Keeps what surveys learnt since, so that the next process need not ask again. Idempotent; without it no verdict differs,
   * only the cost. Nothing to do where nothing is remembered.
   * @throws ReconcilerError `ledger_*`
   */
  keepSurveys(): Promise<void>;
  /**
   * Profiles many processors over one range, both ends included, as they are at this moment. A processor whose query fails
   * is `failed` alone; the others are observed all the same. Idempotent.
   * @throws ReconcilerError `warehouse_*` where nothing at all could be read (no file, no permission, locked).
   */
  profile(request: ProfileRequest): Promise<ProfileResult>;
  /**
   * The last runs that others recorded: at most 20 of a processor and date, and the newest 10,000 in all. A table that
   * cannot be read fails alone. Idempotent; costs nothing where nothing changed since this process read the same.
   * @throws ReconcilerError `warehouse_*` where nothing at all could be read, `interrupted` where the signal aborts
   */
  readRunHistory(request: RunHistoryRequest): Promise<RunHistoryReading>;
  /**
   * The bytes that a run and the looks before and after it would be billed for, without doing any of it; null where nothing
   * is ever billed. An estimate, at most by a little too low.
   * @throws ReconcilerError `warehouse_*` where one of it cannot be analyzed, `interrupted` where the signal aborts
   */
  forecast(request: ForecastRequest): Promise<number | null>;
  /**
   * Whether each statement returns true; one that fails counts as not true, with the reason.
   * @throws ReconcilerError `interrupted` where the signal aborts
   */
  checkPreconditions(
    statements: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly PreconditionResult[]>;
  /**
   * The SQL that observes one cell, runnable as it is by a person.
   * @throws ReconcilerError `warehouse_*` where the table cannot be seen, on whose columns it depends
   */
  describeProfile(processor: Processor, date: IsoDate): Promise<string>;
  /**
   * The absent and the extra keys of a processor's coverage on some dates: of each the first so many in order, as text, and
   * their number. A date without any is left out; nothing without a coverage.
   * @throws ReconcilerError `warehouse_*`, `interrupted` where the signal aborts
   */
  coverageKeys(request: CoverageKeysRequest): Promise<ReadonlyMap<IsoDate, CoverageKeys>>;
  /** The largest fencing token ever written for any of the cells; 0 where there is none. */
  lastFence(cells: readonly CellName[]): Promise<number>;
  /**
   * Runs an `sql` repair: stages what the SELECT returns and has it audited, then in one transaction writes the fence rows of
   * all cells, refusing where any is larger than `token`, deletes the dates that the audit lets through and inserts their
   * rows. All or nothing. Rows of the SELECT outside `dates` are an error, and so are columns of the table that it leaves out.
   * @throws ReconcilerError `fence_refused` where a larger token was there: nothing was written.
   */
  replaceDates(request: ReplaceRequest): Promise<ReplaceResult>;
  /**
   * Takes back what `replaceDates` has begun for a repair whose process is dead and has not committed: it may keep all others
   * from the table, for a day. Idempotent; nothing where there is nothing.
   * @throws ReconcilerError `warehouse_*`
   */
  endAbandoned(repairId: string, processors: readonly Processor[]): Promise<void>;
  /**
   * Whether the SELECT of an `sql` repair fits the table that it fills: its columns and parameters, as `replaceDates` checks
   * them. It is not run; null where it fits.
   */
  checkRepair(repair: SqlRepair): Promise<RepairProblem | null>;
  /**
   * Runs `work` while this process holds no file of the warehouse, so that a child process can write it; one at a time,
   * and no scan meanwhile.
   */
  released<T>(work: () => Promise<T>): Promise<T>;
  /** What `validate --connect` compares the config with. Never throws for a single table. */
  inspect(request: InspectRequest): Promise<readonly TableInspection[]>;
  /** Refuses when it cannot be reached at all. @throws ReconcilerError `warehouse_*` */
  connect(): Promise<void>;
  close(): Promise<void>;
}

export interface ProfileRequest {
  readonly processors: readonly Processor[];
  readonly range: DateRange;
  readonly signal?: AbortSignal;
}

export interface ProfileResult {
  readonly processors: ReadonlyMap<string, ProcessorObservation>;
  readonly scanBytes: number;
}

export interface SurveyRequest extends ProfileRequest {
  readonly schedules: readonly ScheduleSpec[];
  /** The bytes that it may be billed for; infinite where there is no budget. */
  readonly budgetBytes: number;
}

export interface SurveyResult extends ProfileResult {
  /** By name. */
  readonly schedules: ReadonlyMap<string, ScheduleObservation>;
  /** By processor; it is absent if nothing was counted for it. */
  readonly outside: ReadonlyMap<string, OutsideRows>;
}

export interface RunHistoryRequest {
  readonly spec: RunHistorySpec;
  /** The processors asked for, as the table calls them; at least one. */
  readonly names: readonly string[];
  /** Of the data, both ends included. */
  readonly range: DateRange;
  /** Runs that started then or later; rows without a time of start are passed over. */
  readonly since: EpochMs;
  /** Whether the texts of errors are wanted too, the first 8,192 characters of each. */
  readonly withErrors: boolean;
  readonly signal?: AbortSignal;
}

export type RunHistoryReading =
  /** Newest start first. */
  | { readonly kind: "read"; readonly runs: readonly HistoryRun[] }
  | { readonly kind: "failed"; readonly failure: ObservationFailure };

export interface ForecastRequest {
  /** All that the run is looked at with. */
  readonly processors: readonly Processor[];
  /** What the product itself writes, and how; null for any other run. */
  readonly repair: SqlRepair | null;
  /** Of the run's dates, both ends included. */
  readonly range: DateRange;
  readonly signal?: AbortSignal;
}

export interface CoverageKeysRequest {
  readonly processor: Processor;
  /** At least one. */
  readonly dates: readonly IsoDate[];
  /** Keys of each kind and date. */
  readonly limit: number;
  readonly signal?: AbortSignal;
}

export interface PreconditionResult {
  readonly met: boolean;
  /** Why not, where it failed. */
  readonly message: string | null;
}

export interface CellName {
  readonly processor: string;
  readonly date: IsoDate;
}

/** A SELECT and the table that it fills. */
export interface SqlRepair {
  readonly processor: Processor;
  readonly sql: string;
  /** Columns of the table that the SELECT may leave out. */
  readonly leaveNull: readonly string[];
}

export interface ReplaceRequest extends SqlRepair {
  /** Decides which dates are written; null writes all of them. */
  readonly audit: StagedAudit | null;
  /** Ascending. */
  readonly dates: readonly IsoDate[];
  readonly token: number;
  readonly repairId: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface ReplaceResult {
  readonly rowsDeleted: number;
  readonly rowsInserted: number;
  /** Dates that the audit left as they were. */
  readonly refused: readonly RefusedDate[];
}

export interface RepairProblem {
  readonly message: string;
  readonly hint: string | null;
}

export interface InspectRequest {
  readonly tables: readonly TableName[];
}

export interface TableInspection {
  readonly table: TableName;
  /** Null where there is no such table, or it cannot be read. */
  readonly columns: ReadonlyMap<string, string> | null;
  readonly message: string | null;
  /** Columns of tables with a near name, for a suggestion. */
  readonly nearest: string | null;
}

/** The append-only record that outlives every process. Every method is atomic; writing the same id twice changes nothing. */
export interface Ledger {
  /** Makes it where it does not exist. Idempotent. @throws ReconcilerError `ledger_unavailable` */
  create(): Promise<void>;
  /** What a cycle needs; `emptyLedgerRecords` where the ledger does not exist yet (a dry run makes none). */
  read(now: EpochMs): Promise<LedgerRecords>;
  recordStart(start: RepairStart): Promise<void>;
  /** What it was to fill is on record with its start, and is read from there. */
  recordEnd(end: RepairEnd): Promise<void>;
  /** The openings, closings and baselines of a cycle with its record, in one transaction. */
  recordCycle(cycle: CycleRecord, events: readonly GapEvent[], baselines: readonly Baseline[]): Promise<void>;
  recordDecision(decision: Decision): Promise<void>;
  /** All decisions, oldest first; none where there is no ledger. Cheap: a run asks every few seconds. */
  decisions(): Promise<readonly Decision[]>;
  /** Every attempt of one cell, oldest first, with its log; at most the last 100. */
  history(cell: CellName): Promise<readonly AttemptRecord[]>;
  /** What happened since an instant, oldest first; at most 10,000 of each. */
  since(instant: EpochMs): Promise<LedgerActivity>;
  close(): Promise<void>;
}

export interface AttemptRecord extends CellAttempt {
  readonly attempt: number;
  readonly token: number;
  readonly worker: string;
  readonly errorCode: string | null;
  readonly message: string | null;
  readonly logTail: string | null;
  readonly dates: readonly IsoDate[];
}

export interface LedgerActivity {
  readonly gapEvents: readonly GapEvent[];
  readonly ends: readonly RepairEnd[];
  readonly decisions: readonly Decision[];
  readonly cycles: readonly CycleRecord[];
}

/** Mutual exclusion of repairs, per cell. A lock saves wasted work; the token keeps data right. */
export interface CellLock {
  /**
   * Takes all of `keys` together or none of them, never waiting; null where one is taken or may be (a server that lost its memory
   * does not know), or none is asked for. Whose batch overlaps another's comes again when that one is done.
   * @throws ReconcilerError `redis_unavailable` where it cannot be told who holds what: nothing is taken then
   */
  acquire(keys: readonly string[]): Promise<CellLease | null>;
}

export interface CellLease {
  /** A lower bound for the fencing token: the lock server's clock in microseconds, growing with every lease. */
  readonly tokenFloor: number;
  /** Aborts when the lock is lost, before another can hold it. */
  readonly signal: AbortSignal;
  /** Idempotent; never throws. */
  release(): Promise<void>;
}

/** Elects, among all replicas, the one that plans. */
export interface PlanningLease {
  /**
   * Takes the lease where it is free, never waiting, and keeps it until it is released or lost; null where somebody holds it,
   * or may (a server that lost its memory does not know).
   * @throws ReconcilerError `redis_unavailable` where that cannot be told: it is not held then
   */
  acquire(): Promise<PlanningTerm | null>;
  /**
   * The epoch of the last term that anybody was given, as far as is known; 0 before the first. Never falls. A plan whose
   * epoch is smaller is out of date, and must not be enqueued.
   * @throws ReconcilerError `redis_*` where the lease or the queue cannot be used
   */
  currentEpoch(): Promise<number>;
}

/** The time for which one replica holds the planning lease. */
export interface PlanningTerm {
  /** Larger than that of every term before it; the server's clock in microseconds, unless that went back. */
  readonly epoch: number;
  /** Aborts when the lease is lost, before another can hold it. */
  readonly signal: AbortSignal;
  /** Idempotent; never throws. */
  release(): Promise<void>;
}
