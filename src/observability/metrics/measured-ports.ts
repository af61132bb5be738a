import { ReconcilerError } from "../../errors.ts";
import type { CellLock, Clock, ProfileResult, Warehouse } from "../../reconcile/ports.ts";
import type { Instruments } from "./instruments.ts";

/** The same warehouse; every look at it is timed, its bytes and what could not be seen are counted. */
export function measuredWarehouse(
  warehouse: Warehouse,
  instruments: Instruments,
  clock: Pick<Clock, "monotonic">,
): Warehouse {
  const measure = async <Result extends ProfileResult>(
    look: "survey" | "profile",
    ask: () => Promise<Result>,
  ): Promise<Result> => {
    const startedAt = clock.monotonic();
    try {
      const result = await ask();
      instruments.add("scan_bytes_total", { look }, result.scanBytes);
      countUnseen(instruments, result);
      return result;
    } catch (thrown) {
      countFailure(instruments, thrown);
      throw thrown;
    } finally {
      instruments.observe("scan_duration_seconds", { look }, (clock.monotonic() - startedAt) / 1000);
    }
  };
  return {
    ...warehouse,
    // The first question of every look at everything: a warehouse that is away fails it.
    async now() {
      try {
        return await warehouse.now();
      } catch (thrown) {
        countFailure(instruments, thrown);
        throw thrown;
      }
    },
    survey: (request) => measure("survey", () => warehouse.survey(request)),
    profile: (request) => measure("profile", () => warehouse.profile(request)),
  };
}

function countUnseen(instruments: Instruments, { processors }: ProfileResult): void {
  for (const observation of processors.values()) {
    const failure =
      observation.kind === "failed" ? observation.failure : (observation.unseen?.failure ?? null);
    if (failure !== null) instruments.add("scan_errors_total", { reason: failure.code }, 1);
  }
}

/** A look that was stopped is no failure of the warehouse. */
function countFailure(instruments: Instruments, thrown: unknown): void {
  const code = thrown instanceof ReconcilerError ? thrown.code : null;
  if (code === "interrupted") return;
  const reason = code === "schedule_failed" ? "schedule" : "warehouse";
  instruments.add("scan_errors_total", { reason }, 1);
}

/** The same lock; leases that are lost are counted. */
export function measuredLock(lock: CellLock, instruments: Instruments): CellLock {
  return {
    async acquire(keys) {
      const lease = await lock.acquire(keys);
      lease?.signal.addEventListener("abort", () => instruments.add("locks_lost_total", {}, 1), {
        once: true,
      });
      return lease;
    },
  };
}
