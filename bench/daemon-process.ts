// A daemon in a process of its own, which tells its parent when a look first saw a date of `upstream` and when a job of
// `downstream` was in the queue: node daemon-process.ts FILE ROLE, until it is killed.
import { tellAll } from "../src/compose/listeners.ts";
import { fromDay } from "../src/core/iso-date.ts";
import { reconcileAlways } from "../src/reconcile/daemon.ts";
import type { Coordination } from "../src/reconcile/daemon-options.ts";
import type { Warehouse } from "../src/reconcile/ports.ts";
import type { Sighting } from "./latency.ts";
import { openContext } from "./open-context.ts";

const roles = ["all", "planner", "worker"] as const;

function tell(kind: Sighting["kind"], date: string): void {
  // Of one clock for all processes of a machine.
  process.send?.({ kind, date, atUs: Number(process.hrtime.bigint() / 1000n) } satisfies Sighting);
}

function watchedWarehouse(warehouse: Warehouse): Warehouse {
  const seen = new Set<number>();
  return {
    ...warehouse,
    async profile(request) {
      const result = await warehouse.profile(request);
      const upstream = result.processors.get("upstream");
      for (const day of upstream?.kind === "observed" ? upstream.profile.days : []) {
        if (!seen.has(day)) tell("verified", fromDay(day));
        seen.add(day);
      }
      return result;
    },
  };
}

function watchedQueue({ queue }: Coordination): Coordination["queue"] {
  return {
    async enqueue(jobs, epoch) {
      const ids = await queue.enqueue(jobs, epoch);
      for (const { id, repair, dates } of jobs) {
        if (repair !== "downstream" || !ids.includes(id)) continue;
        for (const date of dates) tell("enqueued", date);
      }
      return ids;
    },
    outstanding: () => queue.outstanding(),
    consume: (handle, options) => queue.consume(handle, options),
    remove: (ids) => queue.remove(ids),
    depth: () => queue.depth(),
    close: () => queue.close(),
  };
}

const [file = "", named] = process.argv.slice(2);
const { context, coordination } = await openContext(file);
await reconcileAlways(
  { ...context, warehouse: watchedWarehouse(context.warehouse) },
  {
    role: roles.find((role) => role === named) ?? "all",
    mode: "repair",
    maxAgeMs: null,
    cycleTimeoutMs: 300_000,
    shutdownGraceMs: 0,
    coordination: { ...coordination, queue: watchedQueue(coordination) },
    // One cycle, at the start: all that comes later is unblocked by a repair.
    ticks: { start: () => ({ stop: () => undefined }) },
    listener: tellAll([]),
    signal: new AbortController().signal,
  },
);
