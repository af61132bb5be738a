import { plan, type PlanLimits } from "../core/plan.ts";
import type { RepairEnd } from "../core/ledger-records.ts";
import type { ReconcileContext } from "./context.ts";
import { lookAndSettleLost } from "./lost-starts.ts";
import type { OnceTurn, OnceWork } from "./once-work.ts";
import type { RunningJobs } from "./running-jobs.ts";
import type { Session } from "./session.ts";

export interface AloneOptions {
  readonly session: Session;
  readonly jobs: RunningJobs;
  readonly limits: PlanLimits;
  readonly onEnded: (end: RepairEnd) => void;
  readonly wake: () => void;
}

/** Whatever is ready is begun here and now: nobody else repairs while the run does. */
export class AloneWork implements OnceWork {
  readonly hearsOthers = false;
  readonly #context: ReconcileContext;
  readonly #options: AloneOptions;

  constructor(context: ReconcileContext, options: AloneOptions) {
    this.#context = context;
    this.#options = options;
  }

  async turn(cycleId: string, mayBegin: boolean): Promise<OnceTurn> {
    const { session, jobs: running, limits, onEnded, wake } = this.#options;
    await lookAndSettleLost(this.#context, session, onEnded);
    const assessment = session.assess();
    const jobs = mayBegin ? plan(assessment, limits) : [];
    for (const job of jobs) void running.start(job, cycleId, { verified: wake });
    return { assessment, jobs, isWorking: running.size > 0, againAt: null, failure: null };
  }

  async end(): Promise<void> {
    await this.#options.jobs.allEnded();
  }
}
