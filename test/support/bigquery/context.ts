import type { Engine, EngineResult, Parameter } from "./engine.ts";
import type { Cost } from "./cost.ts";
import type { Claims, Scope, Transaction } from "./transactions.ts";
import type { Content, Table } from "./tables.ts";
import type { Column, SqlType } from "./types.ts";
import type { ValueProto } from "./values.ts";
import type { Warehouse } from "./warehouse.ts";

/** What statements of all jobs share. */
export interface Context {
  readonly engine: () => Promise<Engine>;
  readonly warehouse: Warehouse;
  readonly claims: Claims;
  /** Results by SQL and parameters, good as long as the tables hold what they held. */
  readonly cache: Map<string, { readonly contents: readonly Content[]; readonly result: EngineResult }>;
}

/** A session, or the time of a script: what may hold a transaction. */
export interface Session {
  readonly id: string;
  transaction: Transaction | null;
  busy: boolean;
  /** Its temporary tables, by name. */
  readonly temporary: Map<string, Table>;
}

/** What a job asks for. */
export interface QueryRequest {
  readonly sql: string;
  readonly params: readonly Parameter[];
  readonly defaultDataset: string | undefined;
  readonly dryRun: boolean;
  readonly useCache: boolean;
  readonly maximumBytesBilled: number | undefined;
  readonly session: Session | undefined;
  readonly signal: AbortSignal;
}

/** A statement with what it reads from and writes to. */
export interface Statement extends QueryRequest {
  /** The kind of its node in the syntax tree. */
  readonly kind: string;
  readonly scope: Scope;
}

export interface DmlCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/** What came of a statement. */
export interface Outcome {
  readonly statementType: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly ValueProto[])[];
  readonly cost: Cost;
  readonly cacheHit: boolean;
  readonly dml: DmlCounts | null;
  readonly ddl: {
    readonly operation: string;
    readonly dataset: string;
    readonly table: string | null;
  } | null;
  readonly undeclared: readonly { readonly name: string; readonly type: SqlType }[];
  /** What hides some of what it read. */
  readonly protection: { readonly rows: boolean; readonly masked: boolean };
}

export const nothing: Outcome = {
  statementType: "SELECT",
  columns: [],
  rows: [],
  cost: { bytesProcessed: 0, bytesBilled: 0, tables: [] },
  cacheHit: false,
  dml: null,
  ddl: null,
  undeclared: [],
  protection: { rows: false, masked: false },
};
