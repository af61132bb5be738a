import { z } from "zod";
import { cloudRunJobSchema, kubernetesJobSchema, pubsubSchema } from "./cloud-repair.ts";
import { publishPolicies } from "../../core/repair-action.ts";
import {
  column,
  duration,
  durationOrZero,
  condition,
  flag,
  literalText,
  name,
  text,
  timeWindow,
  whole,
} from "./leaves.ts";

const command = z
  .array(literalText, {
    error:
      "a list of texts: the program and its arguments\n" +
      'nothing is ever passed to a shell: write [python, backfill.py], or [sh, -c, "…"] where you want one',
  })
  .min(1, { error: "the program and its arguments" });

const exitCodes = z.array(whole(1, 255), { error: "a list of exit codes" });

const statusWords = z.array(literalText, { error: "a list of texts" }).min(1, { error: "at least one text" });

const httpSchema = z.strictObject({
  url: text.describe("Where the request goes; templates are filled in."),
  method: z.enum(["POST", "PUT", "GET", "PATCH"]).prefault("POST").describe("The request's method."),
  headers: z.record(z.string(), literalText).prefault({}).describe("Headers; templates are filled in."),
  body: z
    .union([z.string(), z.record(z.string(), z.unknown())], { error: "text, or a map that is sent as JSON" })
    .optional()
    .describe("The request's body; a map is sent as JSON. Templates are filled in."),
  accepted_statuses: z
    .array(whole(200, 299), { error: "a list of HTTP statuses" })
    .prefault([])
    .describe("Statuses that mean: accepted, it goes on elsewhere. 202 always does."),
  poll: z
    .strictObject({
      url: text.describe("Asked until the run ended. May use `{{response.FIELD}}` of the first answer."),
      interval: duration.prefault("5s").describe("Time between two questions."),
      status_field: text
        .prefault("status")
        .describe("The field of the JSON answer that tells the status; dots reach into it."),
      succeeded: statusWords
        .prefault(["succeeded", "success", "completed", "done"])
        .describe("Its values that mean success."),
      failed: statusWords
        .prefault(["failed", "error", "cancelled"])
        .describe("Its values that mean failure."),
    })
    .optional()
    .describe("How to follow a run that goes on elsewhere."),
});

/** What a repair may do; the loader checks that there is one of them at most. */
export const actionKeys = [
  "sql_file",
  "command",
  "http",
  "kubernetes_job",
  "cloud_run_job",
  "pubsub",
] as const;
/** Keys that belong to some of the actions only, with those actions. */
export const keysOfPrograms = {
  cwd: ["command"],
  env: ["command", "kubernetes_job", "cloud_run_job"],
  exit_codes: ["command", "kubernetes_job", "cloud_run_job"],
  publish: ["sql_file"],
  leave_null: ["sql_file"],
} as const;

export const repairSchema = z
  .strictObject({
    sql_file: text
      .optional()
      .describe(
        "A file with a SELECT of the table's columns for `$start_date` to `$end_date`, both included, or to before `$end_date_exclusive`; on BigQuery `@start_date` and so on do as well.",
      ),
    command: command
      .optional()
      .describe("A program and its arguments; templates are filled in. Never a shell."),
    http: httpSchema.optional().describe("An HTTP request that starts the run."),
    kubernetes_job: kubernetesJobSchema.optional().describe("A Kubernetes Job of its own for each run."),
    cloud_run_job: cloudRunJobSchema.optional().describe("An execution of a Cloud Run job."),
    pubsub: pubsubSchema
      .optional()
      .describe("A Pub/Sub message for somebody else, who does the work; the query proves it."),
    cwd: text.prefault(".").describe("The folder in which a command runs, relative to the config file."),
    env: z
      .record(
        z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "the name of an environment variable" }),
        literalText,
      )
      .prefault({})
      .describe(
        "Environment of a command (beside PATH and HOME), of the containers of a Kubernetes Job or of a Cloud Run job, beside GAP_RECONCILER_*. Templates are filled in.",
      ),
    exit_codes: z
      .strictObject({
        retryable: exitCodes.prefault([75]).describe("Exit codes after which trying again may help."),
        permanent: exitCodes.prefault([64, 65, 78]).describe("Exit codes after which it cannot."),
      })
      .prefault({})
      .describe("What the exit codes of a command or a container mean. Any other than 0 is retryable."),
    publish: z
      .enum(publishPolicies)
      .optional()
      .describe(
        "Which dates a `sql_file` writes; the others stay as they are. `if_better` (unless given) leaves out dates that would have fewer rows or more violations than now, `if_complete` dates that would not meet their expectation, `always` none.",
      ),
    leave_null: z
      .array(column, { error: "a list of columns" })
      .optional()
      .describe(
        "Columns of the table that the SELECT of a `sql_file` may leave out; they get their default, or NULL. Any other column that it leaves out is an error.",
      ),
    replaces: flag
      .optional()
      .describe(
        "A run replaces what its dates hold; true unless given. With false only `missing` is repaired by itself.",
      ),
    batch: z
      .enum(["range", "list", "single"])
      .prefault("range")
      .describe("What one run takes: a range of dates, a list of dates, or one date."),
    max_attempts: whole(1, 100).prefault(3).describe("Starts per cell before it is quarantined."),
    backoff: z
      .array(durationOrZero, { error: "a list of durations, such as [30s, 60s, 120s]" })
      .min(1, { error: "at least one duration" })
      .prefault(["30s", "60s", "120s"])
      .describe("Waits after the first, second, … failure; the last one repeats."),
    probe: z
      .strictObject(
        {
          after: duration
            .prefault("6h")
            .describe("Wait before the first probe; each further wait is twice as long."),
          max: whole(1, 20).prefault(5).describe("Probes per cell at most."),
        },
        { error: "a map with after and max, or null for never" },
      )
      .nullable()
      .prefault({})
      .describe(
        "Slow retries of a quarantined date that has too few rows, one date at a time: late data is fetched without a person. `null` is never.",
      ),
    timeout: duration
      .prefault("10m")
      .describe("Time for a run, to which timeout_per_date is added for each date."),
    timeout_per_date: durationOrZero
      .prefault("5m")
      .describe(
        "Time for each date of a run. 0s where a timeout stands without it: that is for the whole run.",
      ),
    max_dates_per_job: whole(1, 10_000).prefault(31).describe("Dates that one run takes at most."),
    concurrency: whole(1, 1000).prefault(2).describe("Runs of this repair at the same time."),
    pool: name.optional().describe("The pool whose slots its runs take."),
    windows: z
      .array(timeWindow, { error: 'a list of time windows, such as ["22:00-06:00"]' })
      .prefault([])
      .describe("Times of day, in the pipeline's time zone, when it may start; none is any time."),
    preconditions: z
      .array(condition, { error: "a list of SQL statements" })
      .prefault([])
      .describe("SQL statements that must return true before it starts."),
  })
  .meta({ title: "repair", id: "repair" });

export const sharedUseSchema = z.strictObject({
  use: name.describe(
    "The name of a repair under `repairs`, shared with other processors. Settings stand there.",
  ),
});

export type RepairInput = z.output<typeof repairSchema>;
