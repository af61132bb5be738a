import { messageOf } from "../../errors.ts";
import { type Api, ApiCallError } from "./api-call.ts";
import type { RemoteOptions } from "./remote-run.ts";
import { systemic } from "./run-result.ts";

const scope = "https://www.googleapis.com/auth/cloud-platform";

/**
 * An API of Google's with Application Default Credentials. Over plain `http:` none are sent, since that is no address of
 * Google's.
 */
export function googleApi(baseUrl: string, { secrets, clock }: RemoteOptions): Api {
  const isPlain = baseUrl.startsWith("http:");
  return {
    baseUrl,
    authorize: isPlain ? () => Promise.resolve({}) : googleAuthorization,
    ca: null,
    secrets,
    clock,
  };
}

type Authorize = () => Promise<Readonly<Record<string, string>>>;

/** Of this process, so that one token serves every run until it ends. */
let shared: Promise<Authorize> | null = null;

/** The header that authorizes a call. @throws ApiCallError where there are no credentials, or they are not valid any more */
export async function googleAuthorization(): Promise<Readonly<Record<string, string>>> {
  try {
    shared ??= newAuthorization();
    const authorize = await shared;
    return await authorize();
  } catch (error) {
    // They may be put right without a restart.
    shared = null;
    const hint =
      "run `gcloud auth application-default login`, or give the pod a service account with Workload Identity";
    const message = `expected Application Default Credentials of Google, found none that are valid (${hint}): ${messageOf(error)}`;
    throw new ApiCallError(systemic("authentication", "google_credentials", message, null), null, false);
  }
}

/** Loaded only where it is used: it would cost every command a part of a second. */
async function newAuthorization(): Promise<Authorize> {
  const { GoogleAuth } = await import("google-auth-library");
  const auth = new GoogleAuth({ scopes: [scope] });
  return async () => Object.fromEntries(await auth.getRequestHeaders());
}
