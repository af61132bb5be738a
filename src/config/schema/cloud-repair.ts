import { z } from "zod";
import { duration, literalText, text } from "./leaves.ts";

/** A name in which templates may stand, once they are filled in. */
function templated(expected: string, pattern: RegExp) {
  return z
    .string({ error: expected })
    .refine((value) => pattern.test(value.replace(/\{\{[^{}]*\}\}/g, "x")), { error: expected })
    .meta({ title: "text" });
}

const project = z
  .string({ error: "the id of a Google Cloud project" })
  .regex(/^[a-z0-9.:-]{4,100}$/, { error: "the id of a Google Cloud project, such as my-project" })
  .meta({ title: "text", id: "google_project" });

const interval = duration.prefault("5s").describe("Time between two questions how far it is.");

function endpoint(api: string) {
  return z
    .string({ error: "a URL" })
    .regex(/^https?:\/\/[^\s/?#@]+$/, { error: `an address such as https://${api}, without a path` })
    .meta({ title: "text" })
    .prefault(`https://${api}`)
    .describe("Another address of the API, such as a private one. No credentials are sent over plain http.");
}

export const kubernetesJobSchema = z.strictObject({
  template: z
    .record(z.string(), z.unknown(), { error: "a pod template: a map with spec" })
    .describe(
      "The pod template of the Job, as Kubernetes has it: `metadata` and `spec`. Templates are filled in; the environment is added to each container.",
    ),
  namespace: z
    .string({ error: "the name of a namespace" })
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { error: "the name of a Kubernetes namespace" })
    .meta({ title: "text", id: "namespace" })
    .optional()
    .describe("Where the Job is made; the namespace of this process unless given."),
  api_server: z
    .string({ error: "a URL" })
    .regex(/^https?:\/\/[^\s?#@]+$/, { error: "the URL of an API server, such as https://10.0.0.1:6443" })
    .meta({ title: "text" })
    .optional()
    .describe("The cluster's API server; the cluster in which this process runs unless given."),
  token_file: text
    .optional()
    .describe(
      "With api_server: a file with the token to call it with, read anew for each call. None is sent unless given.",
    ),
  ca_file: text
    .optional()
    .describe("With api_server: a file with the certificates to trust; the public ones unless given."),
  interval,
  ttl_after_finished: duration
    .prefault("1d")
    .describe("How long Kubernetes keeps a Job that ended, with its pods and their logs."),
});

export const cloudRunJobSchema = z.strictObject({
  job: templated(
    "the name of a Cloud Run job, of lower-case letters, digits and -",
    /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  ).describe("The name of the job, which has to exist; templates are filled in."),
  location: z
    .string({ error: "a region" })
    .regex(/^[a-z]+-[a-z]+\d+$/, { error: "a region, such as us-west2" })
    .meta({ title: "text", id: "region" })
    .describe("The region of the job."),
  project: project.optional().describe("The project of the job; that of a BigQuery warehouse unless given."),
  container: text
    .optional()
    .describe("Which container is given the dates; needed where the job has several."),
  args: z
    .array(literalText, { error: "a list of texts: the arguments of the container" })
    .optional()
    .describe("Arguments in place of the job's own; templates are filled in. The job's own unless given."),
  interval,
  api_endpoint: endpoint("run.googleapis.com"),
});

export const pubsubSchema = z.strictObject({
  topic: templated(
    "the name of a topic, of letters, digits and - _ . ~ + %, beginning with a letter",
    /^(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}$/,
  ).describe("The name of the topic, which has to exist; templates are filled in."),
  project: project
    .optional()
    .describe("The project of the topic; that of a BigQuery warehouse unless given."),
  data: z
    .union([z.string(), z.record(z.string(), z.unknown())], { error: "text, or a map that is sent as JSON" })
    .optional()
    .describe(
      "What the message holds; a map is sent as JSON. Templates are filled in. What the run is about, as JSON, unless given.",
    ),
  attributes: z
    .record(
      z
        .string()
        .max(256)
        .regex(/^(?!goog)/, { error: "a name of at most 256 characters that does not begin with goog" }),
      literalText,
    )
    .prefault({})
    .describe("Attributes, beside those that say what the run is about. Templates are filled in."),
  ordering_key: text
    .optional()
    .describe("Messages of one key come in order, where the subscription says so. Templates are filled in."),
  api_endpoint: endpoint("pubsub.googleapis.com"),
});

export type KubernetesJobInput = z.output<typeof kubernetesJobSchema>;
export type CloudRunJobInput = z.output<typeof cloudRunJobSchema>;
export type PubsubInput = z.output<typeof pubsubSchema>;
