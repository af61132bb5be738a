import { ReconcilerError } from "../../errors.ts";
import type { Api } from "./api.ts";
import { AppendedTable, type RowKeeper } from "./appended-table.ts";
import { Inserts, type NewRow } from "./inserts.ts";
import type { Statement } from "./job-configuration.ts";
import type { Jobs } from "./jobs.ts";
import { checkForm } from "./ledger-dataset.ts";
import { ledgerElsewhere, ledgerError, ledgerMissing, type LedgerPlace } from "./ledger-failures.ts";
import { limitsOf } from "./limits.ts";

export interface LedgerAccess {
  readonly api: Api;
  readonly jobs: Jobs;
  readonly place: LedgerPlace;
  /** Of one page of a reading, or of one INSERT with its tries. */
  readonly timeoutMs: number;
  /** How long a row waits for others to be written with it. */
  readonly gatherMs: number;
  /** Who writes, for the ids of jobs. */
  readonly writer: string;
}

export interface LedgerTableShape {
  readonly name: string;
  /** What is read of a row beside its time, in the order in which the keeper takes it. */
  readonly columns: readonly string[];
  readonly keeper: RowKeeper;
  readonly statementOf: (rows: readonly NewRow[]) => Statement;
}

/** One table of a ledger. All of it throws ReconcilerError as `ledgerError` says. */
export class LedgerTable {
  readonly #access: LedgerAccess;
  readonly #name: string;
  readonly #table: AppendedTable;
  readonly #inserts: Inserts;
  #scope: string | null = null;

  constructor(access: LedgerAccess, { name, columns, keeper, statementOf }: LedgerTableShape) {
    const { api, jobs, place, timeoutMs, gatherMs } = access;
    this.#access = access;
    this.#name = name;
    this.#table = new AppendedTable(api, { ...place, table: name }, columns, keeper);
    this.#inserts = new Inserts({
      jobs,
      statementOf,
      timeoutMs,
      gatherMs,
      scope: () => this.#scopeOf(),
      onSent: () => this.#table.touch(),
    });
  }

  /** Whether it is there, in the form that this version knows. */
  async exists(): Promise<boolean> {
    try {
      const state = await this.#table.state(limitsOf(this.#access.timeoutMs));
      if (state !== null) checkForm(this.#access.place, this.#name, state);
      return state !== null;
    } catch (error) {
      throw ledgerError(error, this.#access.place, "read");
    }
  }

  /** Brings the keeper up to what the table holds; false where there is no such table. */
  async refresh(): Promise<boolean> {
    const { place, timeoutMs } = this.#access;
    try {
      return await this.#table.refresh((state) => checkForm(place, this.#name, state), limitsOf(timeoutMs));
    } catch (error) {
      throw ledgerError(error, place, "read");
    }
  }

  /** Resolves when the rows are in the table. The same rows again change nothing. */
  async add(rows: readonly NewRow[]): Promise<void> {
    try {
      await this.#inserts.add(rows);
    } catch (error) {
      // Somebody may have taken it away, and it may be made again.
      this.#scope = null;
      const { place } = this.#access;
      const known = ledgerError(error, place, "written");
      const isMissing = known instanceof ReconcilerError && known.code === "ledger_missing";
      // A job sees nothing of another location, and says that the dataset is not there.
      throw isMissing && (await this.exists()) ? ledgerElsewhere(place, error) : known;
    }
  }

  /** A table that is made anew begins anew: what was written to the one before it has to be written again. */
  async #scopeOf(): Promise<string> {
    if (this.#scope !== null) return this.#scope;
    const { place, writer, timeoutMs } = this.#access;
    const state = await this.#table.state(limitsOf(timeoutMs));
    if (state === null) throw ledgerMissing(place);
    checkForm(place, this.#name, state);
    this.#scope = [writer, place.project, place.dataset, this.#name, state.createdAt].join("/");
    return this.#scope;
  }
}
