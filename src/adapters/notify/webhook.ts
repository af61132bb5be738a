import { messageOf } from "../../errors.ts";

/** Asked for more patience than this, one tries again after it all the same. */
const retryAfterMaxMs = 300_000;

export interface Webhook {
  /** Taken for a secret as a whole: whoever knows it may speak there. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export type PostResult =
  | { readonly kind: "sent" }
  | {
      readonly kind: "failed";
      /** Whether the same could work a little later. */
      readonly retryable: boolean;
      readonly message: string;
      /** Asked for by the other side; null where it was not. */
      readonly retryAfterMs: number | null;
    };

/** One request with a time limit, without redirects. Never rejects. */
export async function post(
  webhook: Webhook,
  id: string,
  body: string,
  signal: AbortSignal,
): Promise<PostResult> {
  const { url, headers, timeoutMs } = webhook;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", "idempotency-key": id },
      body,
      redirect: "manual",
      signal: AbortSignal.any([timeout, signal]),
    });
    await answer.body?.cancel();
    return judge(answer);
  } catch (thrown) {
    const message = timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonOf(thrown);
    return { kind: "failed", retryable: true, message, retryAfterMs: null };
  }
}

/** By the status alone, never by the text of the answer. */
function judge({ status, headers }: Response): PostResult {
  if (status >= 200 && status < 300) return { kind: "sent" };
  const retryable = status === 408 || status === 425 || status === 429 || status >= 500;
  const redirected =
    status >= 300 && status < 400 ? ", a redirect, which is not followed: write the final URL" : "";
  return {
    kind: "failed",
    retryable,
    message: `it answered ${status}${redirected}`,
    retryAfterMs: retryable ? retryAfterOf(headers.get("retry-after")) : null,
  };
}

/** Seconds from now; a date, which hardly anybody sends, is not read. */
function retryAfterOf(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Math.min(Number(text) * 1000, retryAfterMaxMs) : null;
}

/** What went wrong below, as `fetch` itself only says that it failed. */
function reasonOf(thrown: unknown): string {
  return messageOf(thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown);
}
