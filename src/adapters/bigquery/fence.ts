import { bigQueryFence } from "../../core/fence-names.ts";
import type { Processor } from "../../core/pipeline.ts";
import type { CellName, ReplaceRequest } from "../../reconcile/ports.ts";

import { fenceRefused } from "../sql/repair-shape.ts";
import type { Api } from "./api.ts";
import { exists, pathOf, pathSql, type TablePath } from "./catalog.ts";
import { ApiFailure, productError } from "./failures.ts";
import type { Jobs } from "./jobs.ts";
import type { Limits } from "./limits.ts";
import { listParameter, type Parameter, parameter } from "./parameters.ts";
import { loadSql } from "./sql-files.ts";

/**
 * Another transaction wrote the fence or the table first, and BigQuery cancelled this one. It says so with the reason of any
 * failed statement; the place tells: a statement of ours over the fence has nothing else to fail on.
 */
export class FenceConflict extends Error {
  constructor(cause: unknown) {
    super("another repair writes the fence of the same table", { cause });
    this.name = "FenceConflict";
  }
}

/** The fence tables of a warehouse: one for each table that is repaired, since BigQuery's conflicts are per table. */
export class Fences {
  readonly #api: Api;
  readonly #jobs: Jobs;
  readonly #made = new Set<string>();

  constructor(api: Api, jobs: Jobs) {
    this.#api = api;
    this.#jobs = jobs;
  }

  /** Beside the table that it guards: `gap_reconciler_fence_<table>` in its dataset. */
  pathOf({ table }: Processor): TablePath {
    return pathOf(bigQueryFence(table), this.#api.project);
  }

  /** Makes the fence of a table where there is none, before the transaction that needs it. @returns its name in SQL */
  async make(processor: Processor, limits: Limits): Promise<string> {
    const path = this.pathOf(processor);
    const fence = pathSql(path);
    if (this.#made.has(fence)) return fence;
    if (!(await this.#exists(path, limits))) {
      await this.#jobs.write({ sql: loadSql("create-fence", { fence }), purpose: "fence" }, limits);
    }
    await this.#jobs.write({ sql: loadSql("insert-fence-guard", { fence }), purpose: "fence" }, limits);
    this.#made.add(fence);
    return fence;
  }

  /** Looks for the fence of a table again before the next repair: somebody may have dropped it. */
  forget(processor: Processor): void {
    this.#made.delete(pathSql(this.pathOf(processor)));
  }

  /** 0 where no repair ever wrote any of the cells. */
  async last(cells: readonly CellName[], processors: readonly Processor[], limits: Limits): Promise<number> {
    const byFence = new Map<string, { readonly path: TablePath; readonly cells: string[] }>();
    for (const { processor, date } of cells) {
      const owner = processors.find(({ name }) => name === processor);
      if (owner === undefined) continue;
      const path = this.pathOf(owner);
      const group = byFence.get(pathSql(path)) ?? { path, cells: [] };
      group.cells.push(`${processor} ${date}`);
      byFence.set(pathSql(path), group);
    }
    let last = 0;
    for (const [fence, { path, cells: names }] of byFence) {
      if (!(await this.#exists(path, limits))) continue;
      const sql = loadSql("read-last-fence", { fence });
      const parameters = [listParameter("cells", "STRING", names)];
      const { rows } = await this.#jobs.read({ sql, parameters, purpose: "fence" }, limits);
      last = Math.max(last, rows.numbers(0)[0] ?? 0);
    }
    return last;
  }

  async #exists(path: TablePath, limits: Limits): Promise<boolean> {
    try {
      return await exists(this.#api, path, limits);
    } catch (error) {
      throw error instanceof ApiFailure ? productError(error, "write", this.#api.project) : error;
    }
  }
}

/** Runs one statement of a repair's transaction. */
export type RunInSession = (
  name: string,
  replacements: Readonly<Record<string, string>>,
  parameters: readonly Parameter[],
) => ReturnType<Jobs["write"]>;

/**
 * Writes the fence rows of all cells, inside the transaction that writes the cells. Writing them is what makes a late
 * holder fail: a snapshot that began earlier does not see a newer token, but BigQuery cancels one of two that write.
 * @returns false where the row that every repair replaces is missing: nothing would keep two apart
 * @throws ReconcilerError `fence_refused` where a newer token is there
 */
export async function writeFence(
  run: RunInSession,
  fence: string,
  { processor, dates, token, repairId }: ReplaceRequest,
): Promise<boolean> {
  const parameters = [
    parameter("processor", "STRING", processor.name),
    listParameter("dates", "DATE", dates),
    parameter("token", "INT64", String(token)),
    parameter("repair_id", "STRING", repairId),
  ];
  const released = await run("release-fence", { fence }, parameters);
  if (released.rowsChanged === 0) return false;
  await run("write-fence", { fence }, parameters);
  const { rows } = await run("find-newer-fence", { fence }, parameters);
  if (rows.rowCount === 0) return true;
  const [date = "", newer = "", other = ""] = [0, 1, 2].map((column) => rows.strings(column)[0] ?? "");
  throw fenceRefused({ processor: processor.name, date }, token, { token: newer, repairId: other });
}
