import { formatDateRuns } from "../../core/date-runs.ts";
import { type IsoDate, toDay } from "../../core/iso-date.ts";
import type { News, NewsSubject } from "../../core/news.ts";
import type { QuarantineCause } from "../../core/retry-policy.ts";
import { assertNever } from "../../errors.ts";

/** So many runs of dates are named; a person looks up the rest. */
const runsNamedMax = 5;

const causes: Readonly<Record<QuarantineCause, string>> = {
  attempts_used_up: "all attempts are used up",
  permanent_error: "its repair says that trying again is of no use",
  made_worse: "its repair made it worse",
  reopened: "it broke again 3 times in 7 days",
};

/** What happened, in plain text. */
export function sentenceOf(news: News): string {
  switch (news.kind) {
    case "quarantined":
      return `${who(news)}: ${datesText(news.dates)} quarantined, ${causes[news.reason]}.`;
    case "reopened":
      return `${who(news)}: ${datesText(news.dates)} had been complete and opened again.`;
    case "mass_gap":
      return `${news.subject === null ? "all processors together" : who(news.subject)}: mass gap, ${news.message}. Nothing of it is repaired until the data is back or a person accepts it.`;
    case "converged":
      return "converged: no gap is left.";
    default:
      return assertNever(news, "news");
  }
}

/** The command that tells more; null where there is no more to tell. */
export function commandOf(news: News): string | null {
  switch (news.kind) {
    case "quarantined":
    case "reopened":
      return `reconcile explain ${news.processor} ${news.dates[0]}`;
    case "mass_gap":
      return news.subject === null
        ? "reconcile status"
        : `reconcile status --processor ${news.subject.processor}`;
    case "converged":
      return null;
    default:
      return assertNever(news, "news");
  }
}

/** Runs of consecutive dates, such as `2024-01-01..2024-01-03`; both ends included. */
export function runsOf(dates: readonly IsoDate[]): readonly string[] {
  return formatDateRuns(dates.map(toDay)).split(",");
}

function who({ processor, severity, owner }: NewsSubject): string {
  return `${processor} (${owner === null ? severity : `${severity}, ${owner}`})`;
}

function datesText(dates: readonly IsoDate[]): string {
  const runs = runsOf(dates);
  const named = runs.slice(0, runsNamedMax).map((run) => run.replace("..", " to "));
  const more = runs.length > runsNamedMax ? ", …" : "";
  return `${dates.length === 1 ? "1 date" : `${dates.length} dates`} (${named.join(", ")}${more})`;
}
