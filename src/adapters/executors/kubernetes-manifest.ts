import { z } from "zod";
import type { KubernetesJobAction } from "../../core/repair-action.ts";
import { ReconcilerError } from "../../errors.ts";
import type { Launch } from "../../reconcile/ports/executor.ts";
import { renderDeep, renderValues } from "./render.ts";
import type { RemoteRun } from "./remote-run.ts";
import { childVariables, variablesOf } from "./variables.ts";

const nameLengthMax = 63;
const prefix = "gap-reconciler";

/** What a pod template is read for; the rest of it goes to the API server as it is, which refuses what it does not know. */
const containers = z.array(z.looseObject({ env: z.array(z.looseObject({ name: z.string() })).optional() }));
const podTemplate = z.looseObject({
  metadata: z
    .looseObject({ labels: z.looseObject({}).optional(), annotations: z.looseObject({}).optional() })
    .optional(),
  spec: z.looseObject({ containers: containers.min(1), initContainers: containers.optional() }),
});

/** What is read of a Job that somebody may have started. */
export const jobMetadata = z.object({
  name: z.string(),
  annotations: z.record(z.string(), z.string()).optional(),
});

/**
 * The name of the Job of a run: the same for the same run, so that a second attempt to make it finds the first one, and
 * another for any other, as no two runs have a fencing token in common.
 */
export function jobNameOf({ pipeline, unit, dates, token }: Launch): string {
  const end = `-${dates[0]?.replaceAll("-", "") ?? ""}-${token}`;
  const subject = `${pipeline}-${unit.name}`.replaceAll("_", "-").slice(0, nameLengthMax - end.length);
  return `${subject.replace(/-+$/, "")}${end}`;
}

/** By these the runs of a repair are listed; the whole name of the repair is in an annotation, as labels are short. */
export function selectorOf({ pipeline, unit }: Launch): string {
  const labels = Object.entries(labelsOf(pipeline, unit.name)).map(([key, value]) => `${key}=${value}`);
  return labels.join(",");
}

/** Null for a Job that is none of this repair's. */
export function runOf(metadata: z.infer<typeof jobMetadata>, { pipeline, unit }: Launch): RemoteRun | null {
  const at = (name: string): string => metadata.annotations?.[`${prefix}/${name}`] ?? "";
  if (at("pipeline") !== pipeline || at("repair") !== unit.name) return null;
  return {
    id: metadata.name,
    repairId: at("repair-id"),
    token: Number(at("fencing-token")),
    dates: at("dates").split(","),
  };
}

/**
 * The Job of a run. It does not try again by itself, as attempts are counted in the ledger, and it ends by itself when its
 * time is over, so that it outlives a process that died by no more than that.
 * @throws ReconcilerError `repair_contract` where a filled-in template is no pod template
 */
export function manifestOf(action: KubernetesJobAction, launch: Launch, timeoutMs: number): object {
  const filled = podTemplate.safeParse(renderDeep(action.template, variablesOf(launch)));
  if (!filled.success) {
    const { path, message } = filled.error.issues[0] ?? { path: [], message: "" };
    const where = ["template", ...path].join(".");
    throw new ReconcilerError("repair_contract", `expected a pod template, found at ${where}: ${message}`);
  }
  const { metadata, spec } = filled.data;
  const labels = { "app.kubernetes.io/managed-by": prefix, ...labelsOf(launch.pipeline, launch.unit.name) };
  const annotations = annotationsOf(launch);
  const env = { ...renderValues(action.env, variablesOf(launch)), ...childVariables(launch) };
  const withEnv = (list: z.infer<typeof containers>) =>
    list.map((container) => ({ ...container, env: mergedEnv(container.env ?? [], env) }));
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: jobNameOf(launch), labels, annotations },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: Math.max(1, Math.ceil(timeoutMs / 1000)),
      ttlSecondsAfterFinished: Math.ceil(action.ttlAfterFinishedMs / 1000),
      template: {
        ...filled.data,
        metadata: {
          ...metadata,
          labels: { ...metadata?.labels, ...labels },
          annotations: { ...metadata?.annotations, ...annotations },
        },
        spec: {
          restartPolicy: "Never",
          ...spec,
          containers: withEnv(spec.containers),
          ...(spec.initContainers === undefined ? {} : { initContainers: withEnv(spec.initContainers) }),
        },
      },
    },
  };
}

/** What the product tells stands behind the container's own, and in its place where the names are the same. */
function mergedEnv<T extends { readonly name: string }>(
  own: readonly T[],
  told: Readonly<Record<string, string>>,
): readonly object[] {
  const others = own.filter(({ name }) => !Object.hasOwn(told, name));
  return [...others, ...Object.entries(told).map(([name, value]) => ({ name, value }))];
}

function labelsOf(pipeline: string, repair: string): Readonly<Record<string, string>> {
  return {
    [`${prefix}/pipeline`]: pipeline,
    // A label ends with a letter or a digit.
    [`${prefix}/repair`]: repair.slice(0, nameLengthMax).replace(/_+$/, ""),
  };
}

function annotationsOf({ pipeline, unit, repairId, token, dates }: Launch): Readonly<Record<string, string>> {
  return {
    [`${prefix}/pipeline`]: pipeline,
    [`${prefix}/repair`]: unit.name,
    [`${prefix}/repair-id`]: repairId,
    [`${prefix}/fencing-token`]: String(token),
    [`${prefix}/dates`]: dates.join(","),
  };
}
