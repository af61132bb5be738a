import type { DateColumn } from "./date-column.ts";
import type { DateRange, IsoDate } from "./iso-date.ts";
import type { RepairAction } from "./repair-action.ts";

/**
 * What the product is told about a pipeline, resolved and cross-checked: every default filled in, every name known, no
 * dependency cycle. `config/` makes it; nothing else does. All durations are milliseconds.
 */
export interface Pipeline {
  readonly name: string;
  /** IANA name; wall times and TIMESTAMP columns are read in it. */
  readonly timezone: string;
  readonly schedules: readonly ScheduleSpec[];
  /** In file order, which is the order of every listing. */
  readonly processors: readonly Processor[];
  /** Each repair once, with the processors that it fills, as indexes into `processors`. */
  readonly repairUnits: readonly RepairUnit[];
  readonly pools: readonly Pool[];
  readonly limits: Limits;
  readonly budgets: Budgets;
  readonly safety: Safety;
  readonly waivers: readonly Waiver[];
  /** Where others record their runs; null where that is not read. */
  readonly runHistory: RunHistorySpec | null;
}

/** A table in which others, such as an orchestrator, record the runs that they start: a row or more for each. */
export interface RunHistorySpec extends DateColumn {
  /** Its date is that of the data, not that of the run. */
  readonly table: TableName;
  readonly processorColumn: string;
  readonly statusColumn: string;
  readonly startedAtColumn: string;
  readonly endedAtColumn: string | null;
  readonly errorColumn: string | null;
  /** What tells that two rows are of one run; without it, that they started at once. */
  readonly runIdColumn: string | null;
  readonly where: string | null;
  /** In lower case. Any other status is that of a run that ended. */
  readonly statuses: {
    readonly running: readonly string[];
    readonly failed: readonly string[];
    /** Of a run that did nothing, as when another one was at work: it says nothing about those before it. */
    readonly skipped: readonly string[];
  };
  /** What has been running for longer is taken for dead. */
  readonly runningMaxMs: number;
  /** What the table calls a processor, where that is not its name. */
  readonly names: Readonly<Record<string, string>>;
}

export interface Pool {
  readonly name: string;
  readonly slots: number;
}

export interface Limits {
  /** Jobs outstanding at once: queued and running. */
  readonly jobsMax: number;
  readonly cellsPerCycleMax: number;
  /** Runs of `command` repairs at once: 1 where they write a warehouse that is one file. */
  readonly commandsMax: number;
}

export interface Budgets {
  /** Billed for one look at everything; what does not fit stays unknown until the next one. */
  readonly scanBytesPerCycle: number | null;
  /** Billed in any 24 hours, the looks of repairs included. */
  readonly scanBytesPerDay: number | null;
  /** Repair starts in any 24 hours. */
  readonly repairsPerDay: number | null;
}

export interface Safety {
  /** Cells older than this are held; binds the daemon only. */
  readonly autoRepairMaxAgeMs: number | null;
  readonly massGap: { readonly maxShare: number; readonly cellsMin: number };
  /** Past dates that may leave a schedule at once: a change that exceeds both is not believed. */
  readonly scheduleChange: { readonly maxShare: number; readonly datesMin: number };
  readonly circuitBreaker: { readonly failures: number; readonly coolOffMs: number };
}

/** A dataset-qualified table name as the user wrote it, parts already validated as identifiers. */
export interface TableName {
  readonly parts: readonly string[];
}

export interface ScheduleSpec {
  readonly name: string;
  readonly source: ScheduleSource;
  /** The first date that counts; null takes the first one of the source. */
  readonly startDate: IsoDate | null;
  /** The last date that it may have, included; null has no end. */
  readonly endDate: IsoDate | null;
  /** Dates that are left out; null leaves none out. */
  readonly except: ScheduleExceptions | null;
  /** Longest hole that is believed, between two dates or from the last one to now; null believes any. */
  readonly maxGapDays: number | null;
}

export type ScheduleExceptions =
  | { readonly kind: "dates"; readonly dates: readonly IsoDate[] }
  | { readonly kind: "stored"; readonly source: Exclude<ScheduleSource, { readonly kind: "calendar" }> };

export type ScheduleSource =
  | ({ readonly kind: "table"; readonly table: TableName } & ScheduleColumns)
  /** A SELECT that has the columns. */
  | ({ readonly kind: "query"; readonly file: string; readonly sql: string } & ScheduleColumns)
  | {
      readonly kind: "calendar";
      readonly every: "day" | "weekday" | "week" | "month" | "quarter" | "year";
      /** ISO day of the week for `week`, 1 = Monday. */
      readonly weekday: number;
      /** Which day of a month, quarter or year stands for it. */
      readonly day: "first" | "last";
    };

export interface ScheduleColumns extends DateColumn {
  readonly unitColumn: string | null;
  readonly seasonColumn: string | null;
  /** A condition in the warehouse's SQL; seasons start by the table without it. */
  readonly where: string | null;
}

export type Severity = "critical" | "warning" | "info";
export type StalePolicy = "ignore" | "report" | "follow" | "repair";

/** When a cell is due: so many days, or so many scheduled dates, after the last date that it reads, at a wall-clock time. */
export type DueTime =
  | { readonly daysAfter: number; readonly minuteOfDay: number }
  | { readonly datesAfter: number; readonly minuteOfDay: number };

export interface Processor extends DateColumn {
  readonly name: string;
  /** Its place in `Pipeline.processors`. */
  readonly index: number;
  /** A label: it groups and selects, it never orders. */
  readonly phase: string | null;
  readonly table: TableName;
  readonly where: string | null;
  readonly writtenAtColumn: string | null;
  readonly severity: Severity;
  readonly owner: string | null;
  readonly tags: readonly string[];
  readonly schedule: string;
  readonly due: DueTime;
  /** The first so many calendar days of each season are exempt. */
  readonly bootstrapDays: number;
  readonly available: { readonly from: IsoDate | null; readonly to: IsoDate | null };
  /** How long the source can still be fetched, counted from the date; null is for ever. */
  readonly sourceRetentionMs: number | null;
  readonly chronological: boolean;
  /** Whether each date is computed from the processor's own previous scheduled date; implies `chronological`. */
  readonly dependsOnPast: boolean;
  readonly onPoison: "stop" | "continue";
  /** Higher goes first. */
  readonly priority: number;
  readonly stale: StalePolicy;
  readonly offSchedule: "report" | "allow" | "gap";
  readonly edges: readonly Edge[];
  readonly expect: Expectation;
  /** The unit that fills it: an index into `Pipeline.repairUnits`; null where it has no repair. */
  readonly repairUnit: number | null;
}

export interface Edge {
  /** One processor, or several of which one is enough. */
  readonly anyOf: readonly string[];
  readonly mode: "hard" | "soft";
  /** For `soft`: how long after the gap opened to wait at most; null waits while the upstream is worked on. */
  readonly waitMs: number | null;
  /** 0–1; an upstream cell that reaches it satisfies the edge though it is not complete. */
  readonly minCompleteness: number | null;
  readonly window: EdgeWindow;
  /** Share of satisfied cells that satisfies a window. */
  readonly minShare: number;
  /** Whether a change upstream makes this cell stale. */
  readonly stale: boolean;
}

export type EdgeWindow =
  | { readonly kind: "same_date" }
  /** The upstream's scheduled dates in the `days` calendar days before the cell's date. */
  | { readonly kind: "days"; readonly days: number; readonly sameDate: boolean }
  /** The upstream's last `dates` scheduled dates before the cell's date. */
  | { readonly kind: "dates"; readonly dates: number; readonly sameDate: boolean }
  /** All upstream dates after the cell's previous scheduled date, up to and with its own. */
  | { readonly kind: "since_previous" }
  /** All upstream dates from the cell's own, included, to the day before its next scheduled date. */
  | { readonly kind: "until_next" }
  /** The upstream's scheduled dates in the `days` calendar days after the cell's date. */
  | { readonly kind: "days_ahead"; readonly days: number; readonly sameDate: boolean }
  /** The upstream's next `dates` scheduled dates after the cell's date. */
  | { readonly kind: "dates_ahead"; readonly dates: number; readonly sameDate: boolean }
  /** The one upstream cell that lies so many calendar days away; negative is before. */
  | { readonly kind: "offset_days"; readonly days: number }
  /** The one upstream cell that lies so many of the upstream's scheduled dates away; negative is before. */
  | { readonly kind: "offset_dates"; readonly dates: number };

export interface Expectation {
  readonly rows: RowsExpectation;
  readonly coverage: CoverageExpectation | null;
  readonly uniqueKeys: readonly (readonly string[])[];
  readonly notNull: readonly { readonly column: string; readonly maxRatio: number }[];
  /** Violated by a row only where FALSE, as an SQL CHECK is. */
  readonly checks: readonly { readonly name: string; readonly sql: string }[];
  readonly measures: readonly {
    readonly name: string;
    readonly sql: string;
    readonly min: number | null;
    readonly max: number | null;
  }[];
  readonly quality: QualityExpectation | null;
  /** Of all of the above; a baseline, a record of attempts and a profile belong to one hash. */
  readonly hash: string;
}

/** Required rows are the largest of `min`, `perUnit` × units and `perEntity.min` × entities. */
export interface RowsExpectation {
  readonly min: number;
  readonly max: number | null;
  readonly perUnit: number | null;
  readonly maxPerUnit: number | null;
  readonly perEntity: {
    readonly of: string;
    /** The column of `of` that names an entity; null counts its rows. */
    readonly key: string | null;
    readonly min: number;
  } | null;
  /** The floors above apply only on dates on which `of` has at least `min` rows; null applies them always. */
  readonly when: { readonly of: string; readonly min: number } | null;
  /** A date without rows is complete where this log has a row for it. */
  readonly completionLog:
    | (DateColumn & {
        readonly table: TableName;
        readonly where: string | null;
        /** How many rows the run wrote: only an entry with 0 completes a date; null takes any entry. */
        readonly rowsColumn: string | null;
      })
    | null;
}

export interface CoverageExpectation {
  /** A processor, or the processor's own schedule. */
  readonly of: { readonly kind: "processor"; readonly name: string } | { readonly kind: "schedule" };
  /** The column here. */
  readonly key: string;
  /** The column there. */
  readonly ofKey: string;
  readonly min: number;
  /** What keys here mean that `of` lacks on the date: a gap, nothing at all, or, if null, something to report. */
  readonly extra: "gap" | "ignore" | null;
  /** Entities named here on that date do not count against the coverage. */
  readonly excusedBy:
    | (DateColumn & { readonly table: TableName; readonly key: string; readonly where: string | null })
    | null;
}

export interface QualityExpectation {
  readonly column: string;
  readonly good: number;
  readonly ok: number;
  readonly degraded: number;
  /** Share of a date's rows that must be good. */
  readonly minGoodShare: number;
  /** Not evaluated in the first so many days of a season. */
  readonly afterDays: number;
}

export interface RepairUnit {
  /** The processor's name, or that of the shared repair. */
  readonly name: string;
  readonly processors: readonly number[];
  readonly action: RepairAction;
  /** A run replaces what its dates hold; with false only `missing` is repaired. */
  readonly replaces: boolean;
  /** Whether the config says so, or is only taken to. */
  readonly saysReplaces: boolean;
  readonly batch: "range" | "list" | "single";
  readonly maxAttempts: number;
  /** Wait after the first, second, … failure; the last one repeats. */
  readonly backoffMs: readonly number[];
  /** Slow retries of a quarantined cell: the first after `afterMs`, then after twice as long each time; null is never. */
  readonly probe: { readonly afterMs: number; readonly max: number } | null;
  readonly timeoutMs: number;
  readonly timeoutPerDateMs: number;
  readonly maxDatesPerJob: number;
  /** Runs of this repair at once. */
  readonly concurrency: number;
  readonly pool: string | null;
  /** Times of day when it may start, as minutes after local midnight, start included, end not; none is any time. */
  readonly windows: readonly { readonly startMinute: number; readonly endMinute: number }[];
  /** Statements that must return true before it starts. */
  readonly preconditions: readonly string[];
  /** Of the action; a changed repair gives quarantined cells a new chance. */
  readonly hash: string;
}

export interface Waiver extends DateRange {
  readonly id: string;
  readonly processors: readonly string[];
  readonly reason: string;
  readonly owner: string;
  /** The last date, in the pipeline's zone, on which it holds; null never ends. */
  readonly expires: IsoDate | null;
  /** `exempt`: dependents are exempt too. `proceed`: they run on what there is. */
  readonly downstream: "exempt" | "proceed";
  readonly source: "config" | "ledger";
}

export function tableText(table: TableName): string {
  return table.parts.join(".");
}
