import { hashOf } from "../../core/hash.ts";
import type { HistoryRun } from "../../core/observation.ts";
import type { RunHistoryReading, RunHistoryRequest } from "../../reconcile/ports.ts";
import { readOrFail, runHistoryTexts, runsOf } from "../sql/run-history.ts";
import type { Api } from "./api.ts";
import { loadCatalog } from "./catalog.ts";
import { datedSource, instantMs } from "./dates.ts";
import type { Statement } from "./job-configuration.ts";
import type { Jobs } from "./jobs.ts";
import { type Limits, limitsOf } from "./limits.ts";
import { Bindings, listParameter, parameter } from "./parameters.ts";
import { isRepeatable } from "./reads.ts";
import { loadSql } from "./sql-files.ts";
import { quoteIdentifier } from "./sql-text.ts";

export interface RunHistorySource {
  readonly api: Api;
  readonly jobs: Jobs;
  readonly timezone: string;
  /** Of one statement. */
  readonly queryTimeoutMs: number;
}

interface Remembered {
  /** Of the question and of the state of the table before it was asked. */
  readonly key: string;
  readonly runs: readonly HistoryRun[];
}

/** Reads the run history, and bills nothing where neither the table nor the question changed since the last reading. */
export class RunHistory {
  readonly #source: RunHistorySource;
  #last: Remembered | null = null;
  #analyzed = "";

  constructor(source: RunHistorySource) {
    this.#source = source;
  }

  /** @throws ReconcilerError `interrupted`, or `warehouse_*` where BigQuery itself is away */
  read(request: RunHistoryRequest): Promise<RunHistoryReading> {
    const limits = limitsOf(this.#source.queryTimeoutMs, request.signal);
    return readOrFail(() => this.#runs(request, limits));
  }

  async #runs(request: RunHistoryRequest, limits: Limits): Promise<readonly HistoryRun[]> {
    const { api, timezone } = this.#source;
    const { spec, names, range, since, withErrors } = request;
    const catalog = await loadCatalog(api, [spec.table], limits);
    const state = catalog.state(spec.table);
    // Rows of a streaming buffer come and go without a trace in the metadata.
    const isTold = state !== null && state.bufferedSince === null && isRepeatable(spec.where);
    const question = { spec, names, range, since, withErrors };
    const key = isTold ? JSON.stringify([question, state.created, state.version]) : null;
    if (key !== null && key === this.#last?.key) return this.#last.runs;
    const source = catalog.table(spec.table);
    const binder = new Bindings();
    const dates = { ranges: [range], timezone, binder };
    const texts = runHistoryTexts(request, datedSource(source, spec, spec.where, dates), {
      toText: ({ name, type }) => textOf(quoteIdentifier(name), type),
      instantMs: (column) =>
        instantMs(quoteIdentifier(column.name), column, source, {
          timezone,
          columnTimezone: spec.columnTimezone,
        }),
      noText: "cast(null as string)",
      noNumber: "cast(null as int64)",
    });
    const statement = {
      sql: loadSql("read-run-history", texts),
      parameters: [
        ...binder.parameters,
        listParameter("processors", "STRING", names),
        parameter("since", "INT64", String(since)),
      ],
      purpose: "run_history",
    };
    const runs = await this.#ask(statement, request, limits);
    // A change between the two questions gives the table another state, so that it is asked again.
    if (key !== null && !withErrors) this.#last = { key, runs };
    return runs;
  }

  /** What users wrote is analyzed before it first runs. */
  async #ask(
    statement: Statement,
    { spec }: RunHistoryRequest,
    limits: Limits,
  ): Promise<readonly HistoryRun[]> {
    const { jobs } = this.#source;
    const hash = hashOf(statement.sql);
    if (spec.where !== null && hash !== this.#analyzed) {
      await jobs.analyze({ ...statement, purpose: "analyze" }, limits);
      this.#analyzed = hash;
    }
    return runsOf((await jobs.read(statement, limits)).rows, spec);
  }
}

function textOf(name: string, type: string): string {
  if (type === "STRING") return name;
  return /^(?:JSON|GEOGRAPHY|ARRAY|STRUCT)/.test(type)
    ? `to_json_string(${name})`
    : `cast(${name} as string)`;
}
