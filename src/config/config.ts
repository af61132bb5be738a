import type { NewsKind } from "../core/news.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { Json } from "./tree.ts";

/** All that a config file says for one target, checked against itself. Frozen, all the way down. */
export interface Config {
  readonly pipeline: Pipeline;
  /** The config file, absolute. */
  readonly file: string;
  /** The target in force; null where the file has none, or none is chosen. */
  readonly target: string | null;
  readonly storage: Storage;
  /** Null where one process works alone. */
  readonly redis: RedisConfig | null;
  readonly daemon: DaemonConfig;
  /** Null where the daemon serves nothing. */
  readonly http: HttpConfig | null;
  /** In file order. */
  readonly notify: readonly NotifyConfig[];
  /** The merged document with its defaults, secrets masked; loading it again gives the same pipeline. */
  readonly jsonDocument: Json;
  /** Texts that must not appear in any output, the longest first. */
  readonly secrets: readonly string[];
}

export type Storage = DuckDbStorage | BigQueryStorage;

/** A warehouse that is one file, with the ledger in a file of its own. */
export interface DuckDbStorage {
  readonly type: "duckdb";
  /** Absolute. */
  readonly path: string;
  /** Absolute. */
  readonly ledgerPath: string;
  /** Of one statement that reads. */
  readonly queryTimeoutMs: number;
}

/** A warehouse in BigQuery, with the ledger in a dataset of its own. */
export interface BigQueryStorage {
  readonly type: "bigquery";
  /** Where jobs run and where tables without a project are; it is billed. */
  readonly project: string;
  /** Null lets BigQuery find out from the tables. */
  readonly location: string | null;
  /** Of one statement; null is without a limit. */
  readonly maximumBytesBilled: number | null;
  /** Of one statement that reads. */
  readonly queryTimeoutMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** US dollars for 2^40 bytes that are billed. */
  readonly pricePerTibUsd: number;
  /** How often everything is profiled anew, whatever did not change. */
  readonly fullProfileEveryMs: number;
  /** Another address than Google's. */
  readonly apiEndpoint: string | null;
  readonly ledgerDataset: string;
}

/** Queue, locks and the planning lease of several processes. */
export interface RedisConfig {
  /** May hold credentials. */
  readonly url: string;
  /** Of independent servers; none leaves the locks to the queue's. */
  readonly lockUrls: readonly string[];
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number | null;
  /** PEM certificates to trust besides the usual ones. */
  readonly ca: string | null;
  readonly sentinel: {
    readonly master: string;
    /** `host:port` of each. */
    readonly nodes: readonly string[];
    readonly username: string | null;
    readonly password: string | null;
  } | null;
}

/** Where the ledger is, in words. */
export function ledgerPlace(storage: Storage): string {
  return storage.type === "duckdb" ? storage.ledgerPath : `${storage.project}.${storage.ledgerDataset}`;
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

/** A webhook that is told of what happens. */
export interface NotifyConfig {
  readonly name: string;
  /** A secret as a whole. */
  readonly url: string;
  readonly format: "json" | "slack";
  readonly events: readonly NewsKind[];
  readonly headers: Readonly<Record<string, string>>;
  /** Of one try. */
  readonly timeoutMs: number;
}
