import type { SurveyRequest, SurveyResult, Warehouse } from "../../reconcile/ports.ts";

/** A survey that remembers nothing: every table is asked. */
export async function surveyAll(
  { readSchedules, profile }: Pick<Warehouse, "readSchedules" | "profile">,
  request: SurveyRequest,
): Promise<SurveyResult> {
  // Asked at once, so that an embedded warehouse is opened once.
  const [schedules, profiled] = await bothOrNeither(
    readSchedules(request.schedules, request.range, request.signal),
    profile(request),
  );
  return { ...profiled, schedules };
}

/** Both results, or the first failure once both have ended: nothing goes on in the background. */
async function bothOrNeither<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}
