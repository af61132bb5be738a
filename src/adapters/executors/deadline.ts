import type { RunRequest } from "../../reconcile/ports/executor.ts";

const longestTimerMs = 2 ** 31 - 1;

/** The time limit of a run and its abort, as one signal. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Which of the two ended it; null while it goes on. */
  ended(): "timeout" | "aborted" | null;
  remainingMs(): number;
  /** To be called when the run is over: it lets go of the request's signal. */
  dispose(): void;
}

export function deadlineOf({ timeoutMs, signal }: Pick<RunRequest, "timeoutMs" | "signal">): Deadline {
  const controller = new AbortController();
  const end = performance.now() + timeoutMs;
  let ended: "timeout" | "aborted" | null = null;
  const finish = (reason: "timeout" | "aborted"): void => {
    ended ??= reason;
    controller.abort();
  };
  const onAbort = (): void => finish("aborted");
  const timer = setTimeout(() => finish("timeout"), Math.min(timeoutMs, longestTimerMs));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    signal: controller.signal,
    ended: () => ended,
    remainingMs: () => Math.max(0, end - performance.now()),
    dispose: () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    },
  };
}
