import type { CloudRunJobAction, KubernetesJobAction, PubsubAction } from "../core/repair-action.ts";
import { checkTemplates } from "./check-templates.ts";
import { absolutePath, type Loaded } from "./loaded.ts";
import { programOf } from "./resolve-programs.ts";
import type { CloudRunJobInput, KubernetesJobInput, PubsubInput } from "./schema/cloud-repair.ts";
import type { RepairInput } from "./schema/repair.ts";
import { childOf, treeAt, type TreePath } from "./tree.ts";

export function kubernetesJobAction(
  loaded: Loaded,
  path: TreePath,
  input: RepairInput,
  written: KubernetesJobInput,
): KubernetesJobAction {
  const at = [...path, "kubernetes_job"];
  checkTemplates(loaded, [...at, "template"], false);
  checkPodSpec(loaded, [...at, "template"]);
  return {
    kind: "kubernetes_job",
    cluster: clusterOf(loaded, at, written),
    namespace: written.namespace ?? null,
    template: written.template,
    ...programOf(loaded, path, input),
    intervalMs: written.interval,
    ttlAfterFinishedMs: written.ttl_after_finished,
  };
}

/** What the API server would refuse only when a repair is due; the rest of the template is its to judge. */
function checkPodSpec(loaded: Loaded, path: TreePath): void {
  const { issues, tree } = loaded;
  const template = treeAt(tree, path);
  const spec = childOf(template, "spec");
  const containers = childOf(spec, "containers");
  if (containers?.kind !== "list" || containers.items.length === 0) {
    issues.addAt(tree, [...path, "spec", "containers"], {
      expected: "a list of at least one container",
      hint: "template is a pod template: template: { spec: { containers: [{ name: main, image: … }] } }",
    });
  }
  const policy = childOf(spec, "restartPolicy");
  if (policy?.kind === "scalar" && !policy.pending && policy.value !== "Never") {
    issues.addAt(tree, [...path, "spec", "restartPolicy"], {
      expected: "Never, or no restartPolicy",
      hint: "attempts are counted here, with backoff: a container that starts again by itself is not seen",
    });
  }
}

function clusterOf(
  { issues, tree, folder }: Loaded,
  path: TreePath,
  { api_server: apiServer, token_file: tokenFile, ca_file: caFile, namespace }: KubernetesJobInput,
): KubernetesJobAction["cluster"] {
  if (apiServer === undefined) {
    for (const key of ["token_file", "ca_file"]) {
      if (treeAt(tree, [...path, key]) === null) continue;
      issues.addAtKey(tree, [...path, key], {
        expected: `api_server beside ${key}`,
        hint: "within a cluster the pod's own service account is used; remove it, or name the API server",
      });
    }
    return null;
  }
  if (namespace === undefined) {
    issues.addAt(tree, [...path, "namespace"], {
      expected: "a namespace, as api_server names another cluster than one in which this process runs",
    });
  }
  if (tokenFile !== undefined && apiServer.startsWith("http:")) {
    issues.addAt(tree, [...path, "api_server"], {
      expected: "https, as the token goes with each call",
      hint: "write https://…, or remove token_file where a proxy such as `kubectl proxy` adds the token",
    });
  }
  return {
    apiServer,
    tokenFile: tokenFile === undefined ? null : absolutePath(folder, tokenFile),
    caFile: caFile === undefined ? null : absolutePath(folder, caFile),
  };
}

export function cloudRunJobAction(
  loaded: Loaded,
  path: TreePath,
  input: RepairInput,
  written: CloudRunJobInput,
): CloudRunJobAction {
  const at = [...path, "cloud_run_job"];
  for (const key of ["job", "args"]) checkTemplates(loaded, [...at, key], false);
  return {
    kind: "cloud_run_job",
    project: projectOf(loaded, at, written.project),
    location: written.location,
    job: written.job,
    container: written.container ?? null,
    args: written.args ?? null,
    ...programOf(loaded, path, input),
    intervalMs: written.interval,
    apiEndpoint: written.api_endpoint,
  };
}

/** Every message has these, so that whoever gets it can know it again and refuse it when it is late. */
const ownAttributes: readonly string[] = [
  "pipeline",
  "processor",
  "start_date",
  "end_date",
  "attempt",
  "fencing_token",
  "idempotency_key",
];

export function pubsubAction(loaded: Loaded, path: TreePath, written: PubsubInput): PubsubAction {
  for (const key of ["topic", "data", "attributes", "ordering_key"]) {
    checkTemplates(loaded, [...path, key], false);
  }
  for (const name of Object.keys(written.attributes)) {
    if (!ownAttributes.includes(name)) continue;
    loaded.issues.addAtKey(loaded.tree, [...path, "attributes", name], {
      expected: `a name other than ${ownAttributes.join(", ")}: those are set already`,
      found: name,
    });
  }
  const { data } = written;
  return {
    kind: "pubsub",
    project: projectOf(loaded, path, written.project),
    topic: written.topic,
    data: data === undefined || typeof data === "string" ? (data ?? null) : JSON.stringify(data),
    attributes: written.attributes,
    orderingKey: written.ordering_key ?? null,
    apiEndpoint: written.api_endpoint,
  };
}

/** Where the data is, the jobs are too, unless it is said otherwise. */
function projectOf(loaded: Loaded, path: TreePath, own: string | undefined): string {
  const { warehouse } = loaded.document;
  if (own !== undefined) return own;
  if (warehouse.type === "bigquery") return warehouse.project;
  loaded.issues.addAt(loaded.tree, [...path, "project"], {
    expected: "the id of a Google Cloud project",
    hint: "only a BigQuery warehouse has one that can be taken",
  });
  return "";
}
