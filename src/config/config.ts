import type { Pipeline } from "../core/pipeline.ts";
import type { Json } from "./tree.ts";

/** All that a config file says for one target, checked against itself. Frozen, all the way down. */
export interface Config {
  readonly pipeline: Pipeline;
  /** The config file, absolute. */
  readonly file: string;
  /** The target in force; null where the file has none, or none is chosen. */
  readonly target: string | null;
  readonly warehouse: WarehouseConfig;
  readonly ledger: LedgerConfig;
  readonly daemon: DaemonConfig;
  /** Null where the daemon serves nothing. */
  readonly http: HttpConfig | null;
  /** The merged document with its defaults, secrets masked; loading it again gives the same pipeline. */
  readonly jsonDocument: Json;
  /** Texts that must not appear in any output, the longest first. */
  readonly secrets: readonly string[];
}

export interface WarehouseConfig {
  readonly type: "duckdb";
  /** Absolute. */
  readonly path: string;
}

export interface LedgerConfig {
  /** A DuckDB file of its own; absolute. */
  readonly path: string;
}

export interface DaemonConfig {
  /** Five fields, in the pipeline's time zone. */
  readonly cron: string;
  readonly cycleTimeoutMs: number;
  readonly shutdownGraceMs: number;
  readonly mode: "observe" | "repair";
}

export interface HttpConfig {
  /** `host:port` */
  readonly listen: string;
  /** The bearer token of commands; null where there is none, and hence no commands. */
  readonly token: string | null;
}
