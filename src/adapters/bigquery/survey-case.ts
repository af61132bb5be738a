import type { ObservationFailure, OutsideRows, ProcessorObservation } from "../../core/observation.ts";
import type { Processor } from "../../core/pipeline.ts";
import type { EpochMs } from "../../core/wall-clock.ts";
import { ReconcilerError } from "../../errors.ts";
import { afterCounting, afterMoving, type OutsidePlan, rowsOf } from "./outside.ts";
import { afterAsking, afterRefreshing, type Remembered, type TableNow, within } from "./remembered.ts";
import { daysIn, intersect, type Spans, subtract, union } from "./spans.ts";
import type { Answer } from "./survey-asking.ts";
import { afterUnseen, daysOfUnseenRows, unseenFailure } from "./unseen-rows.ts";

/** A processor on its way through a survey, once the metadata was read. */
export type Case =
  /** There is nothing to ask. */
  | { readonly kind: "told"; readonly processor: Processor; readonly observation: ProcessorObservation }
  | OpenCase;

export interface OpenCase {
  readonly kind: "open";
  readonly processor: Processor;
  /** Its table, where metadata tells of it. */
  readonly own: TableNow | null;
  /** What is known of it by now. */
  readonly remembered: Remembered;
  /** Whether it is worth remembering. */
  readonly isKept: boolean;
  /** As `afterAsking` takes it. */
  readonly unsettled: Spans;
  /** Has to be asked, or is unseen. */
  readonly ask: Spans;
  /** How rows outside of the survey's dates are to be known. */
  readonly outside: OutsidePlan;
  /** Is known, and due to be asked anew; null where it is not due. */
  readonly refresh: Spans | null;
}

export interface Conclusion {
  readonly observation: ProcessorObservation;
  readonly remembered: Remembered;
  readonly outside: OutsideRows;
  /** Whether something hides rows, or all of it, from this account. */
  readonly isHidden: boolean;
}

/**
 * What a survey says of a processor, and knows of it from now on.
 * @param left why something was not asked; null where all was
 */
export function conclude(
  { processor, own, remembered, unsettled, refresh, outside }: OpenCase,
  answers: readonly Answer[],
  left: ObservationFailure | null,
  range: Spans,
  now: EpochMs,
): Conclusion {
  let after = remembered;
  let seen = remembered.settled;
  let failure = left;
  for (const { days, observation, outside: asked, counts } of answers) {
    if (observation.kind === "failed") {
      // What was asked and not answered is not told from memory either.
      seen = subtract(seen, days);
      ({ failure } = observation);
      continue;
    }
    seen = union(seen, days);
    after = afterAsking(after, days, observation.profile, unsettled);
    if (counts !== null) after = { ...after, outside: afterCounting(after.outside, asked, counts) };
    if (refresh !== null) after = afterRefreshing(after, days, range, now);
  }
  const strays = rowsOf(outside, after.outside, range);
  const moved = { withoutDate: unsettled.length > 0, days: unsettled };
  after = { ...after, outside: afterMoving(after.outside, moved) };
  const asked = intersect(range, seen);
  const whole = within(after.profile, asked);
  const saw = { processor, own, profile: whole, outside: strays, seen: asked, range, now };
  const hidden = daysOfUnseenRows(saw);
  if (hidden.length > 0) failure = unseenFailure(processor);
  const isHidden = failure?.code === "permission";
  after = afterUnseen(after, hidden);
  const inRange = subtract(asked, hidden);
  const missing = subtract(range, inRange);
  const profile = within(whole, inRange);
  const rest = { remembered: after, outside: strays, isHidden };
  if (missing.length === 0) return { observation: { kind: "observed", profile, unseen: null }, ...rest };
  if (failure === null)
    throw new ReconcilerError("internal", `dates of ${processor.name} have neither an answer nor a reason`);
  // Over budget, the next survey sees more of it; else it is the processor that cannot be seen.
  const isBlind = inRange.length === 0 && failure.code !== "budget";
  const observation: ProcessorObservation = isBlind
    ? { kind: "failed", failure }
    : { kind: "observed", profile, unseen: { days: daysIn(missing), failure } };
  return { observation, ...rest };
}
