import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunGuard, RunGuardOptions } from "../adapters/inline/run-guard.ts";
import type { Config } from "../config/config.ts";
import { hashOf } from "../core/hash.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { assertNever } from "../errors.ts";
import type { Ledger, Warehouse } from "../reconcile/ports.ts";

/** Somebody may read the ledger by hand while a run goes on: that must not end the run. */
const ledgerLockWaitMs = 60_000;
/** Beyond a command's own time limit: stopping it, and the looks and writes that wait with this one. */
const turnGraceMs = 600_000;
/** A Node timer that is set to more fires at once. */
const timerMaxMs = 2 ** 31 - 1;

export interface OpenStorage {
  readonly warehouse: Warehouse;
  readonly ledger: Ledger;
  /** The lock file that lets one run at a time repair. */
  readonly guardPath: string;
}

/** As `acquireRunGuard`, whose lock is on a DuckDB file: with Redis nobody needs it, nor DuckDB. */
export async function guardRun(options: RunGuardOptions): Promise<RunGuard> {
  const { acquireRunGuard } = await import("../adapters/inline/run-guard.ts");
  return acquireRunGuard(options);
}

/** @throws ReconcilerError `warehouse_not_found` or `warehouse_unreadable` where there is no DuckDB file at the path. */
export async function checkWarehouseFile(path: string): Promise<void> {
  const { checkDatabaseFile } = await import("../adapters/duckdb/database.ts");
  checkDatabaseFile(path);
}

/** What a config does not name is not loaded: it would cost every command a part of a second. */
export async function openStorage(
  { pipeline, target, storage }: Config,
  cycle: () => string | null,
): Promise<OpenStorage> {
  switch (storage.type) {
    case "duckdb": {
      const { createDuckDbWarehouse } = await import("../adapters/duckdb/warehouse.ts");
      const { createDuckDbLedger } = await import("../adapters/duckdb/ledger.ts");
      return {
        warehouse: createDuckDbWarehouse({
          path: storage.path,
          timezone: pipeline.timezone,
          processors: pipeline.processors,
          schedules: pipeline.schedules,
          queryTimeoutMs: storage.queryTimeoutMs,
          turnWaitMs: turnWaitMs(pipeline),
        }),
        ledger: createDuckDbLedger({ path: storage.ledgerPath, lockWaitMs: ledgerLockWaitMs }),
        guardPath: `${storage.ledgerPath}.lock`,
      };
    }
    case "bigquery": {
      const { createBigQueryWarehouse } = await import("../adapters/bigquery/warehouse.ts");
      const { createBigQueryLedger } = await import("../adapters/bigquery/ledger.ts");
      const { project, location, labels, apiEndpoint, ledgerDataset } = storage;
      const access = {
        project,
        location,
        labels,
        pipeline: pipeline.name,
        target,
        ...(apiEndpoint === null ? {} : { apiEndpoint }),
      };
      const ledger = createBigQueryLedger({ ...access, dataset: ledgerDataset });
      return {
        warehouse: createBigQueryWarehouse({
          ...access,
          timezone: pipeline.timezone,
          processors: pipeline.processors,
          schedules: pipeline.schedules,
          maximumBytesBilled: storage.maximumBytesBilled,
          queryTimeoutMs: storage.queryTimeoutMs,
          memory: ledger.memory,
          fullProfileEveryMs: storage.fullProfileEveryMs,
          cycle,
        }),
        ledger,
        // Nothing of this machine is beside the data: this keeps two runs on it apart, and locks and tokens all others.
        guardPath: join(tmpdir(), `gap-reconciler-${hashOf([apiEndpoint, project, ledgerDataset])}.lock`),
      };
    }
    default:
      return assertNever(storage, "storage");
  }
}

/** A look waits while a command has the file, as long as the longest of them may. */
function turnWaitMs({ repairUnits }: Pipeline): number {
  const commandMs = repairUnits
    .filter(({ action }) => action.kind === "command")
    .map((unit) => unit.timeoutMs + unit.timeoutPerDateMs * unit.maxDatesPerJob);
  return Math.min(Math.max(...commandMs, 0) + turnGraceMs, timerMaxMs);
}
