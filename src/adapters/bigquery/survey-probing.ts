import type { ProcessorObservation } from "../../core/observation.ts";
import type { EpochMs } from "../../core/wall-clock.ts";
import { nothingOutside } from "./outside.ts";
import { within } from "./remembered.ts";
import { daysIn, intersect, type Spans, subtract } from "./spans.ts";
import { type Answer, askWithin, type Asking } from "./survey-asking.ts";
import type { Case, OpenCase } from "./survey-case.ts";
import { daysOfUnseenRows, unseenFailure } from "./unseen-rows.ts";

/**
 * Asks processors whose rows were hidden for their newest day alone: reading all of a table again that cannot be seen would be
 * billed each time. Those that are still hidden are told so; of the others everything is asked.
 * @throws ReconcilerError `interrupted`
 */
export async function probeHidden(
  cases: readonly Case[],
  hidden: ReadonlySet<string>,
  range: Spans,
  asking: Asking,
  now: EpochMs,
): Promise<readonly Case[]> {
  const probed = new Map<Case, Spans>();
  for (const one of cases) {
    const newest = one.kind === "open" ? one.ask.at(-1)?.to : undefined;
    const isSuspect = newest !== undefined && hidden.has(one.processor.name);
    if (isSuspect) probed.set(one, [{ from: newest, to: newest }]);
  }
  if (probed.size === 0) return cases;
  const needs = [...probed].map(([{ processor }, days]) => ({ processor, days, outside: nothingOutside }));
  const { found } = await askWithin([needs], asking);
  return cases.map((one) => {
    const [answer] = found.get(one.processor.name) ?? [];
    if (one.kind !== "open" || answer === undefined || !probed.has(one)) return one;
    const failure = failureOf(one, answer, range, now);
    return failure === null ? one : told(one, failure, range);
  });
}

function failureOf({ processor, own }: OpenCase, { days, observation }: Answer, range: Spans, now: EpochMs) {
  if (observation.kind === "failed") {
    return observation.failure.code === "permission" ? observation.failure : null;
  }
  const outside = { withoutDate: null, before: null, after: null };
  const saw = { processor, own, profile: observation.profile, outside, seen: days, range, now };
  return daysOfUnseenRows(saw).length > 0 ? unseenFailure(processor) : null;
}

/** With what is known of the days that need not be asked. */
function told(
  { processor, remembered }: OpenCase,
  failure: NonNullable<ReturnType<typeof failureOf>>,
  range: Spans,
): Case {
  const known = intersect(range, remembered.settled);
  const observation: ProcessorObservation =
    known.length === 0
      ? { kind: "failed", failure }
      : {
          kind: "observed",
          profile: within(remembered.profile, known),
          unseen: { days: daysIn(subtract(range, known)), failure },
        };
  return { kind: "told", processor, observation };
}
