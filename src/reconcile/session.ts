import { assess } from "../core/assess.ts";
import type { Assessment, AssessInput } from "../core/assessment.ts";
import { cascade, type PlannedStep } from "../core/cascade.ts";
import { Disposition } from "../core/grid.ts";
import { type Day, toDay } from "../core/iso-date.ts";
import type { InFlight } from "../core/ledger-facts.ts";
import type {
  Baseline,
  CycleRecord,
  Decision,
  GapEvent,
  LedgerRecords,
  RepairEnd,
  RepairStart,
} from "../core/ledger-records.ts";
import type { Observations } from "../core/observation.ts";
import { type EpochMs, localDayAt } from "../core/wall-clock.ts";
import { assessInput } from "./assess-input.ts";
import type { ReconcileContext } from "./context.ts";
import { InFlightRuns } from "./in-flight.ts";
import { Journals } from "./journals.ts";
import { withCycle, withEnd, withStart } from "./known-records.ts";
import { readKnowledge } from "./knowledge.ts";
import { mergeProfiles, rangeOfLook } from "./observe.ts";
import type { ProfileResult } from "./ports.ts";
import { readRunHistory } from "./run-history.ts";
import { ScanBill } from "./scan-bill.ts";
import { allSeenFor, type SelectionSpec } from "./selection.ts";
import { sharedTurns } from "./shared-turns.ts";
import { type KnownStarts, startsElsewhere, startsLost } from "./unfinished-starts.ts";

export interface SessionOptions {
  readonly selection: SelectionSpec;
  /** An instant instead of now; such a session must not repair. */
  readonly asOf: EpochMs | null;
  /** As in `RunPolicy`; `--once` takes its range as asked for. */
  readonly maxAgeMs: number | null;
  /** Whether it looks again at jobs that other processes planned too; false unless given. */
  readonly sharesJobs?: boolean;
  /** Whether what becomes due while the session lives stays pending, so that a run can end, or becomes a gap in its time. */
  readonly horizon: "fixed" | "moving";
  readonly signal?: AbortSignal;
}

/**
 * What one run knows: the last full observation with what repairs saw since, and the ledger's records with what this run
 * appended since. Everything it says is computed anew from these two.
 */
export class Session {
  readonly #context: ReconcileContext;
  readonly #options: SessionOptions;
  readonly #inFlight: InFlightRuns;
  #observations: Observations | null = null;
  #records: LedgerRecords | null = null;
  #askedAt = 0;
  #horizon: EpochMs | null = null;
  #wanted: readonly SelectionSpec[] = [];
  #lastToken = 0;
  /** What it was billed for. */
  readonly bill = new ScanBill();
  #revision = 0;
  /** Of what is merged and appended. */
  readonly #journals = new Journals();

  constructor(context: ReconcileContext, options: SessionOptions) {
    this.#context = context;
    this.#options = options;
    this.#inFlight = new InFlightRuns(context.clock);
  }

  /**
   * Reads the warehouse and the ledger anew; one at a time. What repairs saw and recorded meanwhile holds on.
   * @throws ReconcilerError as `observe` and `Ledger.read` do, `interrupted` where a signal aborts; then all is as before
   */
  async refresh(limit?: AbortSignal): Promise<void> {
    const { asOf, selection, signal = null } = this.#options;
    const runHistoryBefore = () => this.#observations?.runHistory ?? null;
    const look = { asOf, selection, bill: this.bill, runHistoryBefore, signal: limit ?? signal };
    await this.#journals.read(
      () => readKnowledge(this.#context, look),
      ({ askedAt, records, observations }, replay) => {
        this.bill.add(observations.scanBytes);
        this.#records = records;
        this.#observations = observations;
        this.#askedAt = askedAt;
        this.#horizon ??= observations.now;
        this.#lastToken = Math.max(this.#lastToken, records.lastToken);
        this.#revision++;
        // A run that ended meanwhile would be taken for lost.
        replay();
      },
    );
  }

  /**
   * Reads the ledger anew, without a look at the warehouse: something happened elsewhere of which nobody told.
   * @throws ReconcilerError as `Ledger.read` does; then all is as before
   */
  readonly reread = sharedTurns(async () => {
    await this.#journals.read(
      () => this.#context.ledger.read(this.now()),
      (records, replay) => {
        this.#change(() => {
          this.#records = records;
          replay();
        });
        this.#lastToken = Math.max(this.#lastToken, records.lastToken);
      },
    );
  });

  /** Grows whenever what is known here changes, time aside. */
  get revision(): number {
    return this.#revision;
  }

  get observations(): Observations {
    return required(this.#observations);
  }

  get records(): LedgerRecords {
    return required(this.#records);
  }

  /** The cycle's one `now`, carried on by the monotonic clock while repairs run. */
  now(): EpochMs {
    if (this.#options.asOf !== null) return this.#options.asOf;
    return Math.round(this.observations.now + this.#context.clock.monotonic() - this.#askedAt);
  }

  /** What there is to plan; with a job, what would be open of that job if it were not in flight. */
  assess(except?: string): Assessment {
    return assess(this.#input(except));
  }

  /** Takes what somebody waits for, in place of what was. */
  want(selections: readonly SelectionSpec[]): void {
    this.#wanted = selections;
    this.#revision++;
  }

  cascade(): readonly PlannedStep[] {
    return cascade(this.#input());
  }

  /** Takes what a repair's own look at the warehouse saw for the days from `from` to `to`, both included. */
  merge(later: ProfileResult, from: Day, to: Day): void {
    this.bill.add(later.scanBytes);
    this.#change(() => {
      this.#observations = mergeProfiles(this.observations, later, from, to);
    });
  }

  /** Changes what is known, if anything is, and once more when the look that goes on has ended. */
  #change(change: () => void): void {
    this.#revision++;
    if (this.#observations !== null) change();
    this.#journals.note(change);
  }

  /** Whether there was a look at everything yet. */
  get hasLooked(): boolean {
    return this.#observations !== null;
  }

  /**
   * Reads anew what others run, in other systems and in other processes of the pipeline: somebody may have begun since the last full
   * look, and stand still beyond his locks.
   */
  async lookElsewhere(signal: AbortSignal): Promise<void> {
    const { selection, sharesJobs = false } = this.#options;
    const { endDate } = selection;
    if (sharesJobs) await this.reread();
    const { pipeline } = this.#context.compiled;
    const now = this.now();
    // The same dates as in the full look, so that nothing is billed where nothing changed.
    const range = rangeOfLook(pipeline, now, endDate === null ? null : toDay(endDate));
    const before = this.observations.runHistory;
    const runHistory = await readRunHistory(this.#context, { now, range, before, signal });
    this.#change(() => {
      this.#observations = { ...this.observations, runHistory };
    });
  }

  /** This process has begun a job. */
  begun(jobId: string, run: InFlight): void {
    this.#revision++;
    this.#inFlight.begun(jobId, run);
  }

  /** A run of the job, its first or a further one, is about to start. */
  starting(jobId: string): void {
    this.#inFlight.starting(jobId);
  }

  settled(jobId: string): void {
    this.#revision++;
    this.#inFlight.settled(jobId);
  }

  /** Takes what is outstanding in the queue, in place of what was, by job id. */
  queued(runs: ReadonlyMap<string, InFlight>): void {
    if (this.#inFlight.queued(runs)) this.#revision++;
  }

  /** Leaves cells alone for a while, such as those that somebody else has locked. */
  defer(run: InFlight, ms: number): void {
    this.#inFlight.defer(run, ms);
  }

  /** When the first of the runs elsewhere that gaps wait for is to be looked at again; null where there is none. */
  nextElsewhereAt({ grid, elsewhere: others }: Assessment, pollMs: number): EpochMs | null {
    const now = this.now();
    const times = this.#inFlight.deferredMs.map((ms) => now + ms);
    for (const start of startsElsewhere(this.#known())) times.push(Math.min(start.deadlineAt, now + pollMs));
    for (const { processor, day, limitAt } of others.running) {
      const disposition = grid.dispositions[processor * grid.axis.length + day - grid.axis.first];
      if (disposition === Disposition.running) times.push(Math.min(limitAt, now + pollMs));
    }
    return times.length === 0 ? null : Math.min(...times);
  }

  /** A fencing token larger than any that this run or the ledger knows, and than `floor`. */
  nextToken(floor: number): number {
    this.#lastToken = Math.max(floor, this.#lastToken + 1);
    return this.#lastToken;
  }

  /** Starts whose end nobody will write any more: those too whose end this process could not write. */
  lostStarts(): readonly RepairStart[] {
    return startsLost(this.#known());
  }

  #known(): KnownStarts {
    const { unfinished } = this.records;
    return { context: this.#context, inFlight: this.#inFlight, unfinished, now: this.now() };
  }

  /** Takes what people decided meanwhile: all of it, oldest first. */
  decided(decisions: readonly Decision[]): void {
    // They are asked for every few seconds, and none is ever taken away.
    const isKnown = decisions.length <= (this.#records?.decisions.length ?? 0);
    if (isKnown && !this.#journals.isReading) return;
    this.#change(() => {
      // A look that goes on may have read them later than this.
      if (decisions.length < this.records.decisions.length) return;
      this.#records = { ...this.records, decisions };
    });
  }

  appendStart(jobId: string, start: RepairStart): void {
    this.#inFlight.started(jobId);
    this.#change(() => {
      this.#records = withStart(this.records, start);
    });
  }

  /** False where that end was known already. */
  appendEnd(end: RepairEnd): boolean {
    const before = this.#records;
    this.#change(() => {
      this.#records = withEnd(this.records, end);
    });
    return this.#records !== before;
  }

  appendCycle(cycle: CycleRecord, events: readonly GapEvent[], baselines: readonly Baseline[]): void {
    this.bill.recorded(cycle.scanBytes);
    this.#records = withCycle(this.records, cycle, events, baselines);
  }

  #input(except?: string): AssessInput {
    const { compiled } = this.#context;
    const { selection, maxAgeMs, horizon, sharesJobs = false } = this.#options;
    const now = this.now();
    // Whoever planned a job of another process had a selection, an age and a time of its own.
    const isOthers = sharesJobs && except !== undefined;
    return assessInput({
      compiled,
      observations: this.observations,
      records: this.records,
      starting: this.#inFlight.startingCount(except),
      scanBytes: this.bill.sinceRecord,
      inFlight: this.#inFlight.all(compiled, startsElsewhere(this.#known()), except),
      now,
      horizon: horizon === "fixed" && !isOthers ? (this.#horizon ?? now) : now,
      maxAgeMs: isOthers ? null : maxAgeMs,
      wanted: this.#wanted,
      selection: isOthers ? allSeenFor(selection, localDayAt(now, compiled.pipeline.timezone)) : selection,
    });
  }
}

function required<T>(value: T | null): T {
  if (value === null) throw new TypeError("the session was not refreshed yet");
  return value;
}
