import type { Day } from "./iso-date.ts";
import type { CellAttempt, GapEvent, Outcome } from "./ledger-records.ts";
import type { RepairUnit } from "./pipeline.ts";
import type { EpochMs } from "./wall-clock.ts";

/** What of the config the fold of a cell's history needs. */
export interface RetryRules {
  readonly maxAttempts: number;
  /** Wait after the first, second, … failure; the last one repeats. */
  readonly backoffMs: readonly number[];
  readonly probe: RepairUnit["probe"];
  readonly repairHash: string;
  readonly expectationHash: string;
  /** Attempts that ended before a person's `retry` no longer count. */
  readonly retriedAt: EpochMs;
}

export const quarantineCauses = ["attempts_used_up", "permanent_error", "made_worse", "reopened"] as const;
export type QuarantineCause = (typeof quarantineCauses)[number];

/** What the attempts that count did, probes among them. */
export interface Tried {
  /** Ended well, and the date had no rows. */
  readonly empty: number;
  /** Ended well, and the rows were too few or wrong. */
  readonly short: number;
  readonly failed: number;
  readonly lastFailure: { readonly repairId: string; readonly outcome: Outcome } | null;
}

/** The slow retries of a quarantined cell. */
export interface Probes {
  readonly max: number;
  readonly left: number;
  /** When the next one is due; null where none is left. */
  readonly nextAt: EpochMs | null;
}

/** What the ledger knows of one cell. */
export interface CellFacts {
  /** Attempts that count, since the last success that held, `retry`, or change of repair or expectation. */
  readonly charged: number;
  /** When it may be tried again; 0 where it may at once. */
  readonly notBefore: EpochMs;
  /** Dates of the last failed run that it was part of; 0 where there is none. */
  readonly lastBatchDates: number;
  readonly quarantine: { readonly cause: QuarantineCause; readonly since: EpochMs } | null;
  readonly tried: Tried;
  /** Null where the cell is not probed by the clock: its repair has no probes, or trying again is of no use. */
  readonly probes: Probes | null;
  /** Before then a quarantined cell is not probed, even where its inputs changed; 0 where it may be at once. */
  readonly probeNotBefore: EpochMs;
  /** Versions of the same-date inputs at the last attempt; null where there is none. */
  readonly lastInputs: Readonly<Record<string, string>> | null;
  /** Since when it is a gap; null where the ledger knows of none. */
  readonly openSince: EpochMs | null;
  /** Whether the last thing recorded of it is an opening that no closing followed. */
  readonly openOnRecord: boolean;
  readonly everComplete: boolean;
}

const nothingTried: Tried = { empty: 0, short: 0, failed: 0, lastFailure: null };

export const noFacts: CellFacts = {
  charged: 0,
  notBefore: 0,
  lastBatchDates: 0,
  quarantine: null,
  tried: nothingTried,
  probes: null,
  probeNotBefore: 0,
  lastInputs: null,
  openSince: null,
  openOnRecord: false,
  everComplete: false,
};

/** A success clears the attempts before it once it held so long. */
const successHoldsMs = 3_600_000;
/** So many re-openings … */
const reopeningsMax = 3;
/** … in so long a time are a quarantine: what heals it and what breaks it are fighting. */
const reopeningWindowMs = 7 * 86_400_000;
/** A quarantined cell whose inputs changed is probed at once, then after 1 h, 2 h, 4 h, … of quiet, at most 7 days. */
const probeSpacingMs = 3_600_000;
const probeSpacingMaxMs = 7 * 86_400_000;

/** So many of the last attempts of a cell are read from the ledger, so that no more than these can be counted. */
export const attemptsKept = 30;

/** One cell's history, each list oldest first, folded at `now`. */
export function foldCell(
  attempts: readonly CellAttempt[],
  events: readonly GapEvent[],
  rules: RetryRules,
  now: EpochMs,
): CellFacts {
  const fold = newFold();
  let next = 0;
  for (const attempt of attempts) {
    for (
      let event = events[next];
      event !== undefined && event.at < attempt.endedAt;
      event = events[++next]
    ) {
      applyEvent(fold, event, rules);
    }
    applyAttempt(fold, attempt, rules);
  }
  for (const event of events.slice(next)) applyEvent(fold, event, rules);
  if (fold.successAt !== null && now - fold.successAt >= successHoldsMs && fold.openSince === null)
    clear(fold);
  return finish(fold, rules, now);
}

/**
 * Dates that the next run of the cell may have: the first attempt takes what the repair allows, each retry half of the
 * run that failed, the last attempt one date.
 */
export function batchDatesMax(facts: CellFacts, maxAttempts: number, maxDatesPerJob: number): number {
  if (facts.charged === 0) {
    return facts.lastBatchDates === 0 ? maxDatesPerJob : Math.min(maxDatesPerJob, facts.lastBatchDates);
  }
  if (facts.charged >= maxAttempts - 1) return 1;
  return Math.max(1, Math.min(maxDatesPerJob, Math.ceil(facts.lastBatchDates / 2)));
}

interface Fold {
  charged: number;
  failuresInRow: number;
  lastFailedAt: EpochMs;
  askedNotBefore: EpochMs;
  lastBatchDates: number;
  tried: Tried;
  /** When the attempts were used up; 0 while they are not. */
  usedUpAt: EpochMs;
  /** Attempts since the quarantine, and the end of the last one. */
  probes: number;
  probedAt: EpochMs;
  fatal: { cause: QuarantineCause; since: EpochMs } | null;
  lastInputs: Readonly<Record<string, string>> | null;
  successAt: EpochMs | null;
  openSince: EpochMs | null;
  openOnRecord: boolean;
  reopenedAt: EpochMs[];
  /** Whether what is on record was done by an earlier repair, or judged by an earlier expectation. */
  ofOldRules: boolean;
  everComplete: boolean;
}

function newFold(): Fold {
  return {
    charged: 0,
    failuresInRow: 0,
    lastFailedAt: 0,
    askedNotBefore: 0,
    lastBatchDates: 0,
    tried: nothingTried,
    usedUpAt: 0,
    probes: 0,
    probedAt: 0,
    fatal: null,
    lastInputs: null,
    successAt: null,
    openSince: null,
    openOnRecord: false,
    reopenedAt: [],
    ofOldRules: false,
    everComplete: false,
  };
}

function clear(fold: Fold): void {
  fold.charged = 0;
  fold.failuresInRow = 0;
  fold.askedNotBefore = 0;
  fold.lastBatchDates = 0;
  fold.tried = nothingTried;
  fold.usedUpAt = 0;
  fold.probes = 0;
  fold.fatal = null;
}

function applyEvent(fold: Fold, event: GapEvent, rules: RetryRules): void {
  if (event.event === "closed") {
    fold.openOnRecord = false;
    fold.openSince = null;
    const isComplete = event.state === "complete" || event.state === "stale";
    // A waiver, or a date that left the schedule, heals nothing: what was tried before still counts.
    if (isComplete) fold.successAt ??= event.at;
    fold.everComplete ||= isComplete;
    return;
  }
  reopen(fold, event.at, rules, event.state !== "stale");
  fold.openSince = event.at;
  fold.openOnRecord = true;
  fold.everComplete ||= event.wasComplete;
}

/** Ends a success, if there was one: it is a re-opening, and what was charged before is forgotten if it held. */
function reopen(fold: Fold, at: EpochMs, rules: RetryRules, isBroken: boolean): void {
  if (fold.successAt === null) return;
  if (at - fold.successAt >= successHoldsMs) clear(fold);
  // What follows a changed input did not break: the input did, or it was healed.
  if (isBroken && at >= rules.retriedAt && !fold.ofOldRules) fold.reopenedAt.push(at);
  fold.successAt = null;
  fold.openSince = at;
}

function applyAttempt(fold: Fold, attempt: CellAttempt, rules: RetryRules): void {
  if (attempt.outcome === "skipped") return;
  if (startedOnGap(attempt) && attempt.startedAt >= (fold.successAt ?? 0)) {
    reopen(
      fold,
      attempt.startedAt,
      rules,
      attempt.stateBefore !== "stale" && attempt.stateBefore !== "complete",
    );
  }
  noteRules(fold, attempt, rules);
  noteProbe(fold, attempt, rules);
  const inputs = inputsOf(attempt);
  if (attempt.outcome === "repaired") {
    fold.lastInputs = inputs;
    fold.everComplete = true;
    fold.openSince = null;
    fold.successAt = attempt.endedAt;
    return;
  }
  if (fold.ofOldRules || attempt.endedAt <= rules.retriedAt) return;
  fold.lastInputs = inputs;
  fold.failuresInRow++;
  fold.lastFailedAt = attempt.endedAt;
  fold.askedNotBefore = Math.max(fold.askedNotBefore, attempt.notBefore ?? 0);
  fold.lastBatchDates = attempt.batchDates;
  if (attempt.charged) {
    fold.charged++;
    fold.tried = triedWith(fold.tried, attempt);
    if (fold.charged === rules.maxAttempts) fold.usedUpAt = attempt.endedAt;
  }
  if (attempt.worse) fold.fatal = { cause: "made_worse", since: attempt.endedAt };
  else if (attempt.outcome === "failed_permanently")
    fold.fatal = { cause: "permanent_error", since: attempt.endedAt };
}

/** Release 0.1.0 wrote `0//` for a date without rows that its completion log had: it is the same as `0`. */
export function inputsOf({ inputs }: CellAttempt): CellAttempt["inputs"] {
  const entries = Object.entries(inputs);
  if (!entries.some(([, version]) => version.startsWith("0/"))) return inputs;
  return Object.fromEntries(
    entries.map(([name, version]) => [name, version.startsWith("0/") ? "0" : version]),
  );
}

function triedWith(tried: Tried, { outcome, rowsAfter, repairId }: CellAttempt): Tried {
  if (outcome !== "ineffective") {
    return { ...tried, failed: tried.failed + 1, lastFailure: { repairId, outcome } };
  }
  return rowsAfter === 0 ? { ...tried, empty: tried.empty + 1 } : { ...tried, short: tried.short + 1 };
}

/** A failure is only recorded of a gap; a success may be a rebuild of what was whole, or of what nobody looked at before. */
function startedOnGap({ outcome, stateBefore }: CellAttempt): boolean {
  return outcome !== "repaired" || (stateBefore !== "" && stateBefore !== "complete");
}

/** What an earlier repair did, or an earlier expectation judged, says nothing about the present ones. */
function noteRules(fold: Fold, attempt: CellAttempt, rules: RetryRules): void {
  fold.ofOldRules =
    attempt.repairHash !== rules.repairHash || attempt.expectationHash !== rules.expectationHash;
  if (fold.ofOldRules) fold.reopenedAt = [];
}

function noteProbe(fold: Fold, attempt: CellAttempt, rules: RetryRules): void {
  if (fold.ofOldRules || attempt.endedAt <= rules.retriedAt) return;
  if (quarantineOf(fold, rules, recentOf(fold.reopenedAt, attempt.startedAt)) === null) return;
  fold.probes++;
  fold.probedAt = attempt.endedAt;
}

function recentOf(reopenedAt: readonly EpochMs[], now: EpochMs): readonly EpochMs[] {
  return reopenedAt.filter((at) => now - at <= reopeningWindowMs);
}

function finish(fold: Fold, rules: RetryRules, now: EpochMs): CellFacts {
  const wait = rules.backoffMs[Math.min(fold.failuresInRow, rules.backoffMs.length) - 1] ?? 0;
  const spacing = Math.min(probeSpacingMs * 2 ** (fold.probes - 1), probeSpacingMaxMs);
  return {
    charged: fold.charged,
    notBefore: fold.failuresInRow === 0 ? 0 : Math.max(fold.lastFailedAt + wait, fold.askedNotBefore),
    lastBatchDates: fold.lastBatchDates,
    quarantine: quarantineOf(fold, rules, recentOf(fold.reopenedAt, now)),
    tried: fold.tried,
    probes: probesOf(fold, rules, now),
    probeNotBefore: fold.probes === 0 ? 0 : fold.probedAt + spacing,
    lastInputs: fold.lastInputs,
    openSince: fold.openSince,
    openOnRecord: fold.openOnRecord,
    everComplete: fold.everComplete,
  };
}

/**
 * Only attempts that may help later are repeated by the clock: not after a permanent error, a repair that made it worse, or a
 * cell that broke again and again.
 */
function probesOf(fold: Fold, { probe, maxAttempts }: RetryRules, now: EpochMs): Probes | null {
  if (probe === null || fold.usedUpAt === 0 || fold.fatal !== null) return null;
  if (recentOf(fold.reopenedAt, now).length >= reopeningsMax) return null;
  const max = Math.max(0, Math.min(probe.max, attemptsKept - maxAttempts));
  const left = Math.max(0, max - fold.probes);
  const lastAt = fold.probes === 0 ? fold.usedUpAt : fold.probedAt;
  const nextAt = Math.max(lastAt + probe.afterMs * 2 ** fold.probes, fold.askedNotBefore);
  return { max, left, nextAt: left === 0 ? null : nextAt };
}

function quarantineOf(fold: Fold, rules: RetryRules, reopened: readonly EpochMs[]): CellFacts["quarantine"] {
  if (fold.fatal !== null) return fold.fatal;
  if (fold.charged >= rules.maxAttempts) return { cause: "attempts_used_up", since: fold.usedUpAt };
  if (reopened.length >= reopeningsMax) return { cause: "reopened", since: reopened.at(-1) ?? 0 };
  return null;
}

/** Groups a list by day of each processor; the order within a group is the list's. */
export function groupByCell<T extends { readonly processor: string }>(
  list: readonly T[],
  dayOf: (item: T) => Day,
): Map<string, Map<Day, T[]>> {
  const groups = new Map<string, Map<Day, T[]>>();
  for (const item of list) {
    let days = groups.get(item.processor);
    if (days === undefined) {
      days = new Map<Day, T[]>();
      groups.set(item.processor, days);
    }
    const day = dayOf(item);
    const group = days.get(day);
    if (group === undefined) days.set(day, [item]);
    else group.push(item);
  }
  return groups;
}
