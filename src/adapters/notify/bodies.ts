import type { Bulletin, News } from "../../core/news.ts";
import { formatInstant } from "../../core/wall-clock.ts";
import { assertNever } from "../../errors.ts";
import { commandOf, runsOf, sentenceOf } from "./sentences.ts";

export type NotifyFormat = "json" | "slack";

/** Where a bulletin comes from. */
export interface Sender {
  readonly pipeline: string;
  readonly target: string | null;
}

/** So many events a message has; a hundred processors that break at once are one message all the same. */
const eventsMax = 20;
/** So many runs of dates an event has in JSON. */
const runsMax = 100;

/** The same for every try, so that a receiver which took it and could not say so knows it again. */
export function idOf({ pipeline }: Sender, { cycleId }: Bulletin): string {
  return `${pipeline}/${cycleId}`;
}

/** What is sent, as JSON text. */
export function bodyOf(format: NotifyFormat, sender: Sender, bulletin: Bulletin): string {
  switch (format) {
    case "json":
      return JSON.stringify(documentOf(sender, bulletin));
    case "slack":
      return JSON.stringify({ text: slackText(sender, bulletin) });
    default:
      return assertNever(format, "format");
  }
}

function documentOf(sender: Sender, bulletin: Bulletin): object {
  return {
    schema_version: 1,
    id: idOf(sender, bulletin),
    pipeline: sender.pipeline,
    target: sender.target,
    cycle_id: bulletin.cycleId,
    at: formatInstant(bulletin.at),
    events: bulletin.news.slice(0, eventsMax).map(eventOf),
    events_left_out: Math.max(0, bulletin.news.length - eventsMax),
  };
}

function eventOf(news: News): object {
  const told = { event: news.kind, text: sentenceOf(news), command: commandOf(news) };
  switch (news.kind) {
    case "quarantined":
    case "reopened":
      return {
        ...told,
        processor: news.processor,
        severity: news.severity,
        owner: news.owner,
        reason: news.kind === "quarantined" ? news.reason : null,
        cells: news.dates.length,
        date_runs: runsOf(news.dates).slice(0, runsMax),
      };
    case "mass_gap":
      return {
        ...told,
        processor: news.subject?.processor ?? null,
        severity: news.subject?.severity ?? null,
        owner: news.subject?.owner ?? null,
      };
    case "converged":
      return told;
    default:
      return assertNever(news, "news");
  }
}

/** Slack's own mark-up; Mattermost and Rocket.Chat read the same. */
function slackText({ pipeline, target }: Sender, { news }: Bulletin): string {
  const lines = news.slice(0, eventsMax).map((event) => {
    const command = commandOf(event);
    return `• ${escapeSlack(sentenceOf(event))}${command === null ? "" : ` \`${escapeSlack(command)}\``}`;
  });
  const leftOut = news.length - eventsMax;
  const more = leftOut > 0 ? [`• and ${leftOut} more: \`reconcile status\``] : [];
  const title = target === null ? pipeline : `${pipeline} (${target})`;
  return [`*${escapeSlack(title)}*`, ...lines, ...more].join("\n");
}

/** These three begin links, mentions and entities there: what came from a config must not call a whole channel. */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
