import { ApiCallError } from "./api-call.ts";
import { systemic } from "./run-result.ts";

/** With a hundred to a page, ten thousand runs of one repair; those that are over are among them as long as they are kept. */
const pagesMax = 100;

export interface RunPage<T> {
  readonly items: readonly T[];
  /** What the next page is asked for with; undefined or empty on the last one. */
  readonly next: string | undefined;
}

/**
 * All of a list of runs, page by page. One that goes on is never taken for a whole one: an older run of the same dates may stand
 * where nobody looked.
 * @param read is given `next` of the page before; undefined for the first one
 * @throws ApiCallError `too_many_runs` where there is no end to it, and whatever `read` throws
 */
export async function readRunPages<T>(
  where: string,
  read: (next: string | undefined) => Promise<RunPage<T>>,
): Promise<readonly T[]> {
  const found: T[] = [];
  let next: string | undefined;
  for (let page = 1; page <= pagesMax; page += 1) {
    const { items, next: following } = await read(next);
    found.push(...items);
    if (following === undefined || following === "") return found;
    next = following;
  }
  const message = `expected at most ${pagesMax} pages of runs at ${where}, found more: have runs that are over removed sooner`;
  throw new ApiCallError(systemic("quota", "too_many_runs", message, null), null, false);
}
