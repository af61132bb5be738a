import { ReconcilerError } from "../../errors.ts";

export interface Limits {
  readonly timeoutMs: number;
  /** When the time is over, as `performance.now()` counts. */
  readonly deadline: number;
  readonly signal?: AbortSignal;
}

/** Limits that begin now. */
export function limitsOf(timeoutMs: number, signal?: AbortSignal): Limits {
  const deadline = performance.now() + timeoutMs;
  return { timeoutMs, deadline, ...(signal === undefined ? {} : { signal }) };
}

/**
 * Awaits `work`, but no longer than the limits, nor than `own`: what cannot be stopped is left behind. The signal that it
 * gets aborts when nobody waits any more.
 * @throws ReconcilerError `interrupted` or `warehouse_timeout`
 */
export async function within<T>(
  limits: Limits,
  work: (signal: AbortSignal) => Promise<T>,
  own: { readonly ms: number; readonly error: () => Error } = {
    ms: Number.POSITIVE_INFINITY,
    error: interrupted,
  },
): Promise<T> {
  const leftMs = limits.deadline - performance.now();
  if (limits.signal?.aborted === true) throw interrupted();
  if (leftMs <= 0) throw timedOut(limits);
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  try {
    return await new Promise<T>((resolve, reject) => {
      const expire = () => reject(leftMs <= own.ms ? timedOut(limits) : own.error());
      timer = setTimeout(expire, Math.min(leftMs, own.ms, timerMaxMs));
      onAbort = () => reject(interrupted());
      limits.signal?.addEventListener("abort", onAbort, { once: true });
      work(ended.signal).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    limits.signal?.removeEventListener("abort", onAbort);
    ended.abort();
  }
}

/** A longer timer fires at once. */
const timerMaxMs = 2 ** 31 - 1;

function interrupted(): ReconcilerError {
  return new ReconcilerError("interrupted", "the statement was cancelled before it ended");
}

function timedOut({ timeoutMs }: Limits): ReconcilerError {
  return new ReconcilerError(
    "warehouse_timeout",
    `the statement ran longer than its limit of ${timeoutMs / 1000} s`,
  );
}
