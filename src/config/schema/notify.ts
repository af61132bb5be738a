import { z } from "zod";
import { newsKinds } from "../../core/news.ts";
import { duration, literalText, text } from "./leaves.ts";

const notifyFormats = ["json", "slack"] as const;

export const notifySchema = z.strictObject({
  url: text.optional().describe("Where it is posted to; the whole of it is taken for a secret."),
  url_file: text.optional().describe("A file with the URL, in its place."),
  format: z
    .enum(notifyFormats)
    .prefault("json")
    .describe("`slack` is Slack's incoming webhook, which Mattermost and Rocket.Chat take too."),
  events: z
    .array(z.enum(newsKinds), { error: `a list of ${newsKinds.join(", ")}` })
    .min(1, { error: "at least one event" })
    .prefault([...newsKinds])
    .describe("What it is told of."),
  headers: z.record(z.string(), literalText).prefault({}).describe("Headers of the request."),
  timeout: duration.prefault("10s").describe("Time for one try."),
});
