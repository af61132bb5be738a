import { systemClock } from "../src/adapters/inline/system-clock.ts";
import { isWorkerDead, workerIdentity } from "../src/adapters/inline/worker-identity.ts";
import { createExecutors } from "../src/adapters/executors/index.ts";
import { openCoordination, type OpenCoordination } from "../src/compose/coordination.ts";
import { tellAll } from "../src/compose/listeners.ts";
import { openStorage } from "../src/compose/storage.ts";
import { loadConfig } from "../src/config/load-config.ts";
import { compilePipeline } from "../src/core/assessment.ts";
import type { ReconcileContext } from "../src/reconcile/context.ts";

/** What a process of a pipeline works with, as `compose` makes it, open to be measured. */
export interface OpenContext {
  readonly context: ReconcileContext;
  readonly coordination: OpenCoordination;
  close(): Promise<void>;
}

export async function openContext(file: string): Promise<OpenContext> {
  const config = await loadConfig({ file, target: null, env: {} });
  const { warehouse, ledger } = await openStorage(config, () => null);
  const coordination = await openCoordination(config, tellAll([]));
  return {
    context: {
      compiled: compilePipeline(config.pipeline),
      warehouse,
      ledger,
      lock: coordination.lock,
      executor: createExecutors({ warehouse, secrets: config.secrets, clock: systemClock }),
      clock: systemClock,
      worker: workerIdentity(),
      isWorkerDead,
      enterCycle: () => undefined,
    },
    coordination,
    async close() {
      await coordination.close();
      await warehouse.close();
      await ledger.close();
    },
  };
}
