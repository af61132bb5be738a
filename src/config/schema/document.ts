import { z } from "zod";
import {
  amount,
  bytes,
  cron,
  cronDefault,
  dataset,
  duration,
  isoDate,
  literalText,
  name,
  pipelineName,
  share,
  text,
  timezone,
  whole,
} from "./leaves.ts";
import { notifySchema } from "./notify.ts";
import { defaultsSchema, processorSchema } from "./processor.ts";
import { repairSchema } from "./repair.ts";
import { runHistorySchema } from "./run-history.ts";
import { scheduleSchema } from "./schedule.ts";

const queryTimeout = duration.prefault("5m").describe("Time for one statement that reads.");

const duckdbSchema = z.strictObject({
  type: z.literal("duckdb").describe("A DuckDB file."),
  path: text.describe("The file, relative to the config file."),
  query_timeout: queryTimeout,
});

const bigquerySchema = z.strictObject({
  type: z.literal("bigquery").describe("BigQuery."),
  project: text.describe("The project that jobs run in and that is billed."),
  location: text
    .optional()
    .describe("Where the datasets are, such as US or us-west2; found out unless given."),
  maximum_bytes_billed: bytes
    .optional()
    .describe("The most that one query may be billed for; unbounded unless given."),
  query_timeout: queryTimeout,
  labels: z.record(z.string(), literalText).prefault({}).describe("Labels of every job."),
  price_per_tib_usd: amount
    .prefault(6.25)
    .describe("What on-demand queries cost, for forecasts; 0 with reserved slots."),
  full_profile_every: duration
    .prefault("7d")
    .describe("How often every date is profiled anew, whatever the metadata says."),
  api_endpoint: text
    .optional()
    .describe("Another address of the API, such as a private one. No credentials are sent over plain http."),
});

const ledgerSchema = z.strictObject({
  path: text.optional().describe("With DuckDB: a file of its own; beside the warehouse's file unless given."),
  dataset: dataset.optional().describe("With BigQuery, where it is required: a dataset of its own."),
});

const sentinelSchema = z.strictObject({
  master: text.describe("The name of the group."),
  nodes: z
    .array(text, { error: "a list of host:port" })
    .min(1, { error: "at least one host:port" })
    .describe("The Sentinels, as host:port."),
  username: text.optional().describe("The Sentinels' own user, where they have users."),
  password_file: text.optional().describe("A file with the Sentinels' own password."),
});

const redisSchema = z.strictObject({
  url: text.describe("The queue's Redis: `redis://host:port/database`, or `rediss://` for TLS."),
  lock_urls: z
    .array(text, { error: "a list of URLs" })
    .prefault([])
    .describe("Independent servers for locks, no replicas of each other; the queue's Redis unless given."),
  username: text.optional().describe("Unless the URL has it."),
  password_file: text.optional().describe("A file with the password, for all of the servers."),
  database: whole(0, 100_000).optional().describe("The number of the database; 0 unless the URL has one."),
  ca_file: text.optional().describe("PEM certificates to trust besides the usual ones."),
  sentinel: sentinelSchema
    .optional()
    .describe("Finds the queue's Redis; host and port of the URL are not used then."),
});

const httpServerSchema = z.strictObject({
  listen: z
    .string({ error: 'a host and a port, such as "127.0.0.1:8080"' })
    .regex(
      /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/,
      {
        error: 'a host and a port, such as "127.0.0.1:8080"',
      },
    )
    .prefault("127.0.0.1:8080")
    .describe("Where the daemon listens."),
  token_file: text
    .optional()
    .describe("A file with the bearer token of actions over HTTP; without it there are none."),
});

const daemonSchema = z.strictObject({
  cron: cron.prefault(cronDefault).describe("When a cycle starts, in the pipeline's time zone."),
  cycle_timeout: duration.prefault("10m").describe("Time for one cycle."),
  shutdown_grace: duration
    .prefault("2m")
    .describe("Time for running repairs to end when the daemon is stopped."),
  mode: z.enum(["observe", "repair"]).prefault("repair").describe("`observe` never repairs."),
});

const safetySchema = z.strictObject({
  auto_repair_max_age: duration
    .optional()
    .describe("The daemon leaves older cells alone; none unless given."),
  mass_gap: z
    .strictObject({
      max_share: share.prefault(0.2).describe("Share of the complete cells that may become gaps at once."),
      cells_min: whole(1).prefault(50).describe("Fewer cells than this are never a mass gap."),
    })
    .prefault({})
    .describe("When a detector is doubted instead of believed."),
  schedule_change: z
    .strictObject({
      max_share: share.prefault(0.01).describe("Share of its past dates that may leave a schedule at once."),
      dates_min: whole(0)
        .prefault(3)
        .describe("So many dates may always leave a schedule; 0 with a max_share of 0 doubts each one."),
    })
    .prefault({})
    .describe("When a schedule is doubted: when more past dates vanish than both keys allow."),
  circuit_breaker: z
    .strictObject({
      failures: whole(1, 1000).prefault(5).describe("Failures in a row, on different dates, that open it."),
      cool_off: duration.prefault("30m").describe("Time until one date probes again."),
    })
    .prefault({})
    .describe("When a repair that keeps failing is left alone."),
});

const waiverSchema = z.strictObject({
  processors: z
    .array(name, { error: "a list of processors" })
    .min(1, { error: "at least one processor" })
    .describe("Whose cells will not be filled."),
  start_date: isoDate.describe("The first date."),
  end_date: isoDate.describe("The last date, included."),
  reason: text.describe("Why not."),
  owner: text.describe("Who answers for it."),
  expires: isoDate.optional().describe("The last date on which it holds; it never ends unless given."),
  downstream: z
    .enum(["exempt", "proceed"])
    .prefault("exempt")
    .describe("Whether dependents are exempt too, or run on what there is."),
});

/** What a target may override. */
const sections = {
  pipeline: pipelineName.describe(
    "The pipeline's name: also metric label, Redis prefix and Kubernetes name.",
  ),
  timezone: timezone.describe("The IANA time zone in which wall times and timestamps are read."),
  warehouse: z
    .discriminatedUnion("type", [duckdbSchema, bigquerySchema], {
      error: (issue) => (issue.code === "invalid_union" ? "duckdb or bigquery" : "a map with type and path"),
    })
    .describe("Where the tables are."),
  ledger: ledgerSchema.prefault({}).describe("Where attempts, outcomes and decisions are recorded."),
  redis: redisSchema
    .optional()
    .describe("Queue, locks and planning lease of several processes; one works alone unless given."),
  http: httpServerSchema
    .optional()
    .describe("What the daemon serves over HTTP: nothing unless given; `http: {}` takes the defaults."),
  daemon: daemonSchema.prefault({}).describe("The always-on process."),
  notify: z
    .record(name, notifySchema, { error: "a map of receivers" })
    .prefault({})
    .describe("Webhooks that the daemon tells of what happens, by name."),
  limits: z
    .strictObject({
      jobs_max: whole(1, 10_000).prefault(8).describe("Jobs queued and running at once."),
      cells_per_cycle_max: whole(1, 1_000_000)
        .prefault(2000)
        .describe("Cells that one cycle starts at most."),
    })
    .prefault({})
    .describe("Bounds of the work at hand."),
  budgets: z
    .strictObject({
      scan_bytes_per_cycle: bytes
        .optional()
        .describe(
          "Bytes that one look at everything may be billed for; what does not fit is unknown until the next. Unbounded unless given.",
        ),
      scan_bytes_per_day: bytes
        .optional()
        .describe(
          "Bytes billed in any 24 hours, the looks of repairs included; beyond it gaps are held. Unbounded unless given.",
        ),
      repairs_per_day: whole(0).optional().describe("Repair starts in any 24 hours; unbounded unless given."),
    })
    .prefault({})
    .describe("Bounds of what it costs."),
  safety: safetySchema
    .prefault({})
    .describe("What keeps a wrong detector or a broken repair from doing harm."),
  pools: z
    .record(name, z.strictObject({ slots: whole(1, 10_000).describe("Runs that fit at once.") }), {
      error: "a map of pools",
    })
    .prefault({})
    .describe("Slots shared by processors, by name."),
  schedule: scheduleSchema.optional().describe("The schedule called `default`, in short."),
  schedules: z
    .record(name, scheduleSchema, { error: "a map of schedules" })
    .prefault({})
    .describe("Schedules by name."),
  defaults: defaultsSchema
    .prefault({})
    .describe("Stands below every processor; `repair` also below every shared repair."),
  repairs: z
    .record(name, repairSchema, { error: "a map of repairs" })
    .prefault({})
    .describe(
      "Repairs by name that processors share with `use`: one lock and one run, every table verified.",
    ),
  processors: z
    .record(name, processorSchema, { error: "a map of processors" })
    .describe("Processors by name."),
  run_history: runHistorySchema
    .optional()
    .describe("A table in which others record their runs, so that none is doubled; not read unless given."),
  waivers: z
    .array(waiverSchema, { error: "a list of waivers" })
    .prefault([])
    .describe("Statements that cells will not be filled."),
} as const;

export const sectionNames: readonly string[] = Object.keys(sections);

/** Only the names of a target's sections are checked here; what is in them, in the document that it makes. */
const targetSchema = z.strictObject(
  Object.fromEntries(sectionNames.map((section) => [section, z.unknown().optional()])),
);

export const documentSchema = z
  .strictObject({
    version: z
      .literal(1, { error: "1, the only version there is" })
      .prefault(1)
      .describe("The version of this format."),
    default_target: text.optional().describe("The target without --target and GAP_RECONCILER_TARGET."),
    targets: z
      .record(
        z
          .string()
          .regex(/^[A-Za-z][A-Za-z0-9_-]{0,39}$/, { error: "a target's name, of letters, digits, _ and -" }),
        targetSchema,
        { error: "a map of targets" },
      )
      .prefault({})
      .describe("Documents by name that are merged over this one: maps merge, lists replace, null unsets."),
    ...sections,
  })
  .meta({ title: "pipeline.yaml" });

export type DocumentInput = z.output<typeof documentSchema>;
