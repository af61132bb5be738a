import { hashOf } from "../../core/hash.ts";
import { type DateRange, toDay } from "../../core/iso-date.ts";
import type {
  ObservationFailure,
  OutsideRows,
  ProcessorObservation,
  ScheduleObservation,
} from "../../core/observation.ts";
import type { Processor } from "../../core/pipeline.ts";
import type { EpochMs } from "../../core/wall-clock.ts";
import type { ReconcilerError } from "../../errors.ts";
import type { SurveyRequest, SurveyResult } from "../../reconcile/ports.ts";
import { failed } from "../sql/profile-all.ts";
import { leastBilledBytes } from "./billing.ts";
import { type Catalog, loadCatalog, type TablePath } from "./catalog.ts";
import { limitsOf } from "./limits.ts";
import { afterMoving, isNothing, unanswered } from "./outside.ts";
import { planOutside } from "./outside-plan.ts";
import { type PartitionsFound, readPartitions } from "./partitions.ts";
import { armContexts, profileTables, type ProfileSource, scheduleTables } from "./profile.ts";
import { afterChanges, noProfile, nothingRemembered, type Remembered, toRefresh } from "./remembered.ts";
import { daysIn, type Spans, subtract } from "./spans.ts";
import { type Answers, askWithin } from "./survey-asking.ts";
import { type Need, overBudget } from "./survey-budget.ts";
import { type Case, conclude } from "./survey-case.ts";
import type { SurveyMemory } from "./survey-memory.ts";
import { type Knowledge, Notebook } from "./notebook.ts";
import { probeHidden } from "./survey-probing.ts";
import { surveySchedules } from "./survey-schedules.ts";
import { type Subject, subjectOf, tablesNow, tablesToRead, unsettledDays } from "./survey-subject.ts";

export interface SurveyOptions {
  readonly source: ProfileSource;
  /** Where what was learnt is kept between processes; without it, it ends with this one. */
  readonly memory: SurveyMemory | null;
  /** Of one statement. */
  readonly timeoutMs: number;
  /** How long a processor goes without being asked for everything anew, at the most. */
  readonly fullProfileEveryMs: number;
  readonly now: () => EpochMs;
}

/**
 * Looks at everything in three tiers. The free `tables.get` tells which tables changed; for those one look at the metadata of
 * their dataset tells which partitions; and only the days of these are profiled. What the profiles said is remembered, and is
 * told again as long as nothing that they read has changed. Metadata decides what is asked and nothing else.
 */
export class Surveys {
  readonly #options: SurveyOptions;
  readonly #notes: Notebook;
  #processors: Knowledge["processors"] = new Map();
  #schedules: Knowledge["schedules"] = new Map();
  #recalled: Promise<void> | null = null;
  /** The number of the survey that asked a processor last, so that a small budget goes round. */
  readonly #askedIn = new Map<string, number>();
  #surveys = 0;
  /** Processors of which something hid rows in the last survey: they are probed before all of them is asked again. */
  readonly #hidden = new Set<string>();

  constructor(options: SurveyOptions) {
    this.#options = options;
    this.#notes = new Notebook(options.memory);
  }

  /** @throws as `Warehouse.survey` does; ReconcilerError `ledger_*` where the notes cannot be read */
  async survey(request: SurveyRequest): Promise<SurveyResult> {
    await this.#recall();
    const { source } = this.#options;
    const { schedules, processors, range, budgetBytes, signal } = request;
    const limits = () => limitsOf(this.#options.timeoutMs, signal);
    const before = source.jobs.totalBytesBilled;
    const leftBytes = () => Math.max(0, budgetBytes - (source.jobs.totalBytesBilled - before));
    const tables = [
      ...profileTables(processors, source.processors, source.schedules),
      ...scheduleTables(schedules),
    ];
    const catalog = await loadCatalog(source.api, tables, limits());
    const observed = await this.#surveySchedules(request, catalog, limits);
    const contextOf = await armContexts(source, processors, limits(), catalog);
    const subjects = processors.map((processor) => subjectOf(processor, source, catalog, contextOf));
    const partitions = await readPartitions(source.jobs, this.#toRead(subjects), leftBytes(), limits);
    const found = subjects.map((subject) => this.#caseOf(subject, partitions, request, leftBytes()));
    const asking = { source, contextOf, timeoutMs: this.#options.timeoutMs, signal, budgetBytes, leftBytes };
    const cases = await probeHidden(found, this.#hidden, rangeDays(range), asking, this.#options.now());
    const answers = await askWithin(this.#needsOf(cases), asking);
    const { processors: observations, outside } = this.#learn(cases, answers, rangeDays(range));
    const outage = answers.outage ?? outageOf(partitions);
    const isNothingSeen = [...observations.values()].every(({ kind }) => kind === "failed");
    if (outage !== null && isNothingSeen) throw outage;
    return {
      processors: observations,
      outside,
      schedules: observed,
      scanBytes: source.jobs.takeBytesBilled(),
    };
  }

  /** @throws ReconcilerError `ledger_*` */
  keep(): Promise<void> {
    const knowledge = { processors: this.#processors, schedules: this.#schedules };
    return this.#notes.keep(knowledge, this.#options.now());
  }

  /** Once for this process; again where it failed. */
  async #recall(): Promise<void> {
    this.#recalled ??= this.#notes.recall().then(({ processors, schedules }) => {
      this.#processors = processors;
      this.#schedules = schedules;
    });
    try {
      await this.#recalled;
    } catch (error) {
      this.#recalled = null;
      throw error;
    }
  }

  async #surveySchedules(
    { schedules: specs, range }: SurveyRequest,
    catalog: Catalog,
    limits: () => ReturnType<typeof limitsOf>,
  ): Promise<ReadonlyMap<string, ScheduleObservation>> {
    const request = { specs, range, known: this.#schedules, limits };
    const { observations, learnt } = await surveySchedules(this.#options.source, catalog, request);
    if (learnt.size > 0) this.#schedules = new Map([...this.#schedules, ...learnt]);
    return observations;
  }

  #toRead(subjects: readonly Subject[]): ReadonlyMap<string, TablePath> {
    const paths = new Map<string, TablePath>();
    for (const subject of subjects) {
      if (subject.kind !== "tracked") continue;
      const before = this.#processors.get(subject.processor.name);
      for (const { key, path } of tablesToRead(subject, before)) paths.set(key, path);
    }
    return paths;
  }

  #caseOf(
    subject: Subject,
    partitions: ReadonlyMap<string, PartitionsFound>,
    { range, budgetBytes }: SurveyRequest,
    leftBytes: number,
  ): Case {
    const { processor } = subject;
    const days = rangeDays(range);
    const now = this.#options.now();
    if (subject.kind === "failed") return { processor, kind: "told", observation: subject.observation };
    if (subject.kind === "untracked") {
      const remembered = nothingRemembered("", [], now);
      const outside = planOutside({ ...processor, stamps: null, dates: null, isReadWhole: false }, days);
      const rest = { own: null, isKept: false, unsettled: [], ask: days, refresh: null } as const;
      return { processor, kind: "open", remembered, outside, ...rest };
    }
    const before = this.#processors.get(processor.name);
    const tables = tablesNow(subject, before, partitions);
    if ("kind" in tables) {
      const observation =
        tables.kind === "failed"
          ? failed(tables.error)
          : unseen(
              days,
              overBudget(budgetBytes, leftBytes, leastBilledBytes, "the partitions of a table that changed"),
            );
      return { processor, kind: "told", observation };
    }
    const lastDay = toDay(range.end);
    const unsettled = unsettledDays(subject, this.#options.source.timezone, now, lastDay);
    const known =
      before?.ground === subject.ground
        ? afterChanges(before, tables)
        : nothingRemembered(subject.ground, tables, now);
    const current = {
      ...known,
      settled: subtract(known.settled, unsettled),
      outside: afterMoving(known.outside, { withoutDate: unsettled.length > 0, days: unsettled }),
    };
    const [own] = tables;
    const outside = planOutside(
      {
        where: processor.where,
        stamps: own?.stamps ?? null,
        dates: own?.dates ?? null,
        isReadWhole: own?.dates === null,
      },
      days,
    );
    const refresh = this.#isDue(processor, current) ? toRefresh(current, days) : null;
    // Where nothing is left of it, all of it is asked in any case, or was.
    const isDone = refresh !== null && refresh.length === 0;
    return {
      processor,
      kind: "open",
      remembered: isDone ? { ...current, freshAt: now, refreshedFrom: null } : current,
      isKept: true,
      own: own ?? null,
      unsettled,
      outside,
      ask: subtract(days, current.settled),
      refresh: isDone ? null : refresh,
    };
  }

  /** Each processor has its own hour of the period, so that they do not all come at once. */
  #isDue({ name }: Processor, { freshAt, refreshedFrom }: Remembered): boolean {
    const { fullProfileEveryMs, now } = this.#options;
    const phase = (Number.parseInt(hashOf(name).slice(0, 8), 16) / 2 ** 32) * fullProfileEveryMs;
    const turnOf = (at: EpochMs) => Math.floor((at + phase) / fullProfileEveryMs);
    return refreshedFrom !== null || turnOf(now()) > turnOf(freshAt);
  }

  /** What changed, or was never seen, comes first, then what has to be asked each time, then what is only due. */
  #needsOf(cases: readonly Case[]): readonly (readonly Need[])[] {
    const classes: [Need[], Need[], Need[]] = [[], [], []];
    const [changed, always, due] = classes;
    const lastAsked = ({ processor }: Case) => this.#askedIn.get(processor.name) ?? 0;
    for (const one of cases.toSorted((a, b) => lastAsked(a) - lastAsked(b))) {
      if (one.kind === "told") continue;
      const { processor, ask, refresh, isKept, outside, remembered } = one;
      const left = unanswered(outside, remembered.outside);
      const need = { processor, days: ask, outside: left };
      if (ask.length > 0 || !isNothing(left)) (isKept ? changed : always).push(need);
      if (refresh !== null && refresh.length > 0)
        due.push({ processor, days: refresh, outside: outside.ask });
    }
    return classes;
  }

  #learn(
    cases: readonly Case[],
    answers: Answers,
    days: Spans,
  ): Pick<SurveyResult, "processors" | "outside"> {
    this.#surveys += 1;
    const found = new Map<string, ProcessorObservation>();
    const strays = new Map<string, OutsideRows>();
    const processors = new Map(this.#processors);
    for (const one of cases) {
      const { name } = one.processor;
      if (one.kind === "told") {
        found.set(name, one.observation);
        continue;
      }
      const told = answers.found.get(name) ?? [];
      if (told.length > 0) this.#askedIn.set(name, this.#surveys);
      const now = this.#options.now();
      const { observation, remembered, outside, isHidden } = conclude(
        one,
        told,
        answers.overBudget,
        days,
        now,
      );
      if (isHidden) this.#hidden.add(name);
      else this.#hidden.delete(name);
      found.set(name, observation);
      if (observation.kind === "observed") strays.set(name, outside);
      if (one.isKept) processors.set(name, remembered);
    }
    this.#processors = processors;
    return { processors: found, outside: strays };
  }
}

function unseen(days: Spans, failure: ObservationFailure): ProcessorObservation {
  return { kind: "observed", profile: noProfile, unseen: { days: daysIn(days), failure } };
}

function rangeDays({ start, end }: DateRange): Spans {
  return start > end ? [] : [{ from: toDay(start), to: toDay(end) }];
}

function outageOf(partitions: ReadonlyMap<string, PartitionsFound>): ReconcilerError | null {
  for (const found of partitions.values()) if (found.kind === "failed") return found.error;
  return null;
}
