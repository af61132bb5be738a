import type { Clock } from "../reconcile/ports.ts";
import { ReconcilerError } from "../errors.ts";

/** A server that is there takes a connection in this time, on a busy machine too. */
const patienceMs = 5_000;
const pauseMs = 200;

/**
 * Asks until there is an answer: connections that were just opened are not there in the first moment.
 * @throws what the last question failed with, once the patience is over or the signal aborts; any other error than
 *   `redis_unavailable` at once
 */
export async function firstAnswer<T>(ask: () => Promise<T>, clock: Clock, signal: AbortSignal): Promise<T> {
  const until = clock.monotonic() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (thrown) {
      const isAway = thrown instanceof ReconcilerError && thrown.code === "redis_unavailable";
      if (!isAway || signal.aborted) throw thrown;
      if (clock.monotonic() >= until) throw notBegun(thrown);
      await clock.sleep(pauseMs, signal);
    }
  }
}

/** Unlike a daemon, who has begun nothing does not go on by itself. */
function notBegun(away: ReconcilerError): ReconcilerError {
  return new ReconcilerError(away.code, away.message, {
    ...(away.path === null ? {} : { path: away.path }),
    hint: "nothing was begun: check that Redis runs and can be reached from here, and start the run again",
    cause: away,
  });
}
