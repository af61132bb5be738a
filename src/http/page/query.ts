import { type StateName, stateNames } from "../../core/grid.ts";
import { type IsoDate, tryParseIsoDate } from "../../core/iso-date.ts";

/** What an address asks the page to show; all of it is in the address, so that a view can be sent to somebody. */
export interface PageQuery {
  /** Empty for all; the same for phases and states. */
  readonly processors: readonly string[];
  readonly phases: readonly string[];
  readonly states: readonly StateName[];
  /** First date, included; null for the first that there is. */
  readonly start: IsoDate | null;
  /** Last date, included; null for today. */
  readonly end: IsoDate | null;
  /** Which part of the rows, where there are too many for one page; 1 is the first. */
  readonly part: number;
  /** What of the address made no sense and was left out. */
  readonly problems: readonly string[];
}

/** Of each filter so many values are read; an address is somebody else's text. */
const valuesMax = 200;
const shownMax = 60;

/** Whatever the address holds, the page answers: what makes no sense is left out and told in `problems`. */
export function parsePageQuery(parameters: URLSearchParams): PageQuery {
  const problems: string[] = [];
  const date = (name: string): IsoDate | null => {
    const text = parameters.get(name) ?? "";
    const parsed = text === "" ? null : tryParseIsoDate(text);
    if (text !== "" && parsed === null) {
      problems.push(`${name}: expected a date as YYYY-MM-DD, found "${cut(text)}"`);
    }
    return parsed;
  };
  const values = (name: string) =>
    [...new Set(parameters.getAll(name).filter((text) => text !== ""))].slice(0, valuesMax);
  const states = values("state").flatMap((text) => {
    const state = stateNames.find((name) => name === text && name !== "unscheduled");
    if (state === undefined) problems.push(`state: there is no state "${cut(text)}"`);
    return state ?? [];
  });
  const [start, end] = [date("start"), date("end")];
  const isSwapped = start !== null && end !== null && end < start;
  if (isSwapped) problems.push(`end ${end} is before start ${start}: they were swapped`);
  const part = Number(parameters.get("part") ?? 1);
  return {
    processors: values("processor"),
    phases: values("phase"),
    states,
    start: isSwapped ? end : start,
    end: isSwapped ? start : end,
    part: Number.isSafeInteger(part) && part >= 1 ? part : 1,
    problems,
  };
}

/** The address of the page with some of what it shows changed. */
export function pageHref(query: PageQuery, changes: Partial<PageQuery> = {}): string {
  const { processors, phases, states, start, end, part } = { ...query, ...changes };
  const parameters = new URLSearchParams();
  for (const phase of phases) parameters.append("phase", phase);
  for (const processor of processors) parameters.append("processor", processor);
  for (const state of states) parameters.append("state", state);
  if (start !== null) parameters.append("start", start);
  if (end !== null) parameters.append("end", end);
  if (part !== 1) parameters.append("part", String(part));
  return parameters.size === 0 ? "/" : `/?${parameters.toString()}`;
}

/** The address of what is known of one cell. */
export function cellHref(processor: string, date: string): string {
  return `/cells/${encodeURIComponent(processor)}/${date}`;
}

function cut(text: string): string {
  return text.length <= shownMax ? text : `${text.slice(0, shownMax)}…`;
}
