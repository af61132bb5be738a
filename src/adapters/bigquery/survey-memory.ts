import type { EpochMs } from "../../core/wall-clock.ts";

/** A piece of what surveys learnt, kept so that it need not be asked again. */
export interface SurveyNote {
  /** What it is about, such as `processor/scores`, `schedule/games` or `table/stats.scores`. */
  readonly subject: string;
  /** Which part of it; a later note about the same part of the same subject replaces an earlier one. */
  readonly part: string;
  readonly at: EpochMs;
  /** At most `noteBytesMax` of UTF-8; what it means is its writer's matter. */
  readonly body: string;
}

export const noteBytesMax = 100_000;

/**
 * Where surveys keep their notes between processes. Losing them costs bytes, never a verdict: whoever finds none asks the
 * tables.
 */
export interface SurveyMemory {
  /** The last note about each part of each subject, in no order; none where nothing was ever kept. @throws ReconcilerError `ledger_*` */
  read(): Promise<readonly SurveyNote[]>;
  /** Keeps notes; the same ones twice change nothing. @throws ReconcilerError `ledger_*` */
  append(notes: readonly SurveyNote[]): Promise<void>;
}
