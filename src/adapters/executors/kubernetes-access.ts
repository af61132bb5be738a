import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { KubernetesJobAction } from "../../core/repair-action.ts";
import { messageOf } from "../../errors.ts";
import { type Api, ApiCallError } from "./api-call.ts";
import type { RemoteOptions } from "./remote-run.ts";
import { systemic } from "./run-result.ts";

/** What Kubernetes gives to every pod. */
export interface PodSurroundings {
  readonly host: string | undefined;
  readonly port: string | undefined;
  /** Where the service account is mounted: `token`, `ca.crt` and `namespace`. */
  readonly folder: string;
}

export interface KubernetesAccess {
  readonly api: Api;
  readonly namespace: string;
}

const surroundings = (): PodSurroundings => ({
  host: process.env["KUBERNETES_SERVICE_HOST"],
  port: process.env["KUBERNETES_SERVICE_PORT"],
  folder: "/var/run/secrets/kubernetes.io/serviceaccount",
});

/**
 * The API of the cluster that an action names, or of the one in which this process runs.
 * @throws ApiCallError where there is no cluster, no namespace or a file that cannot be read
 */
export async function kubernetesAccess(
  { cluster, namespace }: Pick<KubernetesJobAction, "cluster" | "namespace">,
  options: RemoteOptions,
  pod: PodSurroundings = surroundings(),
): Promise<KubernetesAccess> {
  const place = cluster ?? ownCluster(pod);
  const { tokenFile, caFile } = place;
  const api: Api = {
    baseUrl: place.apiServer.replace(/\/+$/, ""),
    authorize: async () =>
      tokenFile === null ? {} : { authorization: `Bearer ${await readPart(tokenFile, "a token")}` },
    ca: caFile === null ? null : await readPart(caFile, "a certificate"),
    ...options,
  };
  return { api, namespace: namespace ?? (await readPart(join(pod.folder, "namespace"), "a namespace")) };
}

function ownCluster({ host, port, folder }: PodSurroundings): NonNullable<KubernetesJobAction["cluster"]> {
  if (host === undefined || port === undefined) {
    throw inaccessible(
      "not_in_cluster",
      "expected to run in a Kubernetes cluster, found no KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT; outside of one, set kubernetes_job.api_server",
    );
  }
  const shown = host.includes(":") ? `[${host}]` : host;
  return {
    apiServer: `https://${shown}:${port}`,
    tokenFile: join(folder, "token"),
    caFile: join(folder, "ca.crt"),
  };
}

/** Read anew each time: Kubernetes renews a mounted token long before it ends. */
async function readPart(file: string, what: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw inaccessible("file_unreadable", `expected ${what} in ${file}, found none: ${messageOf(error)}`);
  });
  if (text.trim() === "")
    throw inaccessible("file_unreadable", `expected ${what} in ${file}, found an empty file`);
  return text.trim();
}

/** Whatever the dates, nothing can be asked. */
function inaccessible(errorCode: string, message: string): ApiCallError {
  return new ApiCallError(systemic("authentication", errorCode, message, null), null, false);
}
