import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ZetaSQLClient } from "@fivetrandevelopers/zetasql";
import { freePort } from "../free-port.ts";
import { BigQueryError } from "./errors.ts";
import { fromTypeProto, type SqlType, toTypeProto, type TypeProto } from "./types.ts";
import type { ValueProto } from "./values.ts";

/** A table as the engine is handed it: it keeps none itself. */
export interface EngineTable {
  /** One identifier, dots and all: evaluation knows no paths. */
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: SqlType; readonly pseudo?: boolean }[];
  readonly rows: readonly (readonly ValueProto[])[];
  /** The index of the column that tells rows apart, which DELETE and UPDATE need and INSERT must not have. */
  readonly key?: number;
}

export interface Parameter {
  readonly name: string;
  readonly type: SqlType;
  readonly value: ValueProto;
}

export interface EngineRequest {
  readonly sql: string;
  readonly tables: readonly EngineTable[];
  readonly params: readonly Parameter[];
  /** Types are guessed for parameters that are not in `params`; for dry runs. */
  readonly undeclared?: boolean;
}

export interface EngineResult {
  readonly columns: readonly { readonly name: string; readonly type: SqlType }[];
  readonly rows: readonly (readonly ValueProto[])[];
}

export interface ModifiedRow {
  readonly operation: "insert" | "delete" | "update";
  readonly cells: readonly ValueProto[];
  readonly oldKey: ValueProto | undefined;
}

/** What the engine refuses; the message is the one that BigQuery gives. */
export class EngineError extends Error {
  override readonly name = "EngineError";
}

type Method = "parse" | "analyze" | "evaluateQuery" | "evaluateModify" | "getLanguageOptions";
type Api = Record<
  Method,
  (
    request: unknown,
    callback: (error: { code: number; details: string } | null, answer: unknown) => void,
  ) => void
> & {
  waitForReady(deadline: number, callback: (error?: Error) => void): void;
  close(): void;
};

const unavailable = 14;
const answersKept = 32;
// Every number of the engine's list of nodes; those that are no statements are ignored.
const allStatements = Array.from({ length: 400 }, (_, index) => index);
const partitionColumns = [
  { name: "_PARTITIONDATE", type: toTypeProto({ kind: "DATE" }) },
  { name: "_PARTITIONTIME", type: toTypeProto({ kind: "TIMESTAMP" }) },
];
let shared: Promise<Engine> | undefined;

/**
 * The engine of this process: Google's reference implementation of GoogleSQL, one child process that ends with this one,
 * however this one ends.
 */
export function sharedEngine(): Promise<Engine> {
  shared ??= Engine.start();
  return shared;
}

export class Engine {
  private readonly api: Api;
  private readonly languageOptions: object;
  private readonly child: ChildProcess;
  private readonly answers = new Map<string, unknown>();
  private hasEnded = false;
  private constructor(api: Api, child: ChildProcess, languageOptions: object) {
    this.api = api;
    this.child = child;
    this.languageOptions = languageOptions;
  }

  static async start(): Promise<Engine> {
    const port = await freePort();
    const child = spawnServer(port);
    ZetaSQLClient.init(port);
    const api = ZetaSQLClient.API as unknown as Api;
    await ready(api, child);
    const language = await send(api, "getLanguageOptions", { maximumFeatures: true });
    return new Engine(api, child, { ...(language as object), productMode: "PRODUCT_EXTERNAL" });
  }

  /** The syntax tree, with the place of each node in bytes. @throws EngineError */
  async parse(sql: string): Promise<unknown> {
    return this.answered(["parse", sql], () =>
      this.call("parse", { sqlStatement: sql, options: this.languageOptions }),
    );
  }

  /** The tree of the statement that starts at a byte of a script; `resumeBytePosition` is where the next one starts. */
  async parseNext(sql: string, bytePosition: number): Promise<unknown> {
    const parseResumeLocation = { input: sql, bytePosition };
    return this.answered(["parseNext", sql, bytePosition], () =>
      this.call("parse", { parseResumeLocation, options: this.languageOptions }),
    );
  }

  /** The statement with every name resolved. @throws EngineError */
  async analyze(request: EngineRequest): Promise<unknown> {
    const { options, simpleCatalog } = this.prepare(request, true);
    return this.answered(["analyze", request], () =>
      this.call("analyze", { sqlStatement: request.sql, options, simpleCatalog }),
    );
  }

  /** @throws EngineError */
  async evaluate(request: EngineRequest): Promise<EngineResult> {
    const answer = (await this.call("evaluateQuery", this.prepare(request, true))) as {
      content: { tableData: { row: readonly { cell: readonly ValueProto[] }[] } | null } | null;
      prepared: { columns: readonly { name: string; type: TypeProto }[] };
    };
    return {
      columns: answer.prepared.columns.map(({ name, type }) => ({ name, type: fromTypeProto(type) })),
      rows: (answer.content?.tableData?.row ?? []).map(({ cell }) => cell),
    };
  }

  /** The rows that an INSERT, DELETE or UPDATE changes; nothing is applied. @throws EngineError */
  async modify(request: EngineRequest): Promise<readonly ModifiedRow[]> {
    const answer = (await this.call("evaluateModify", this.prepare(request, false))) as {
      content: readonly {
        operation: number;
        cell: readonly ValueProto[];
        oldPrimaryKey: readonly ValueProto[];
      }[];
    };
    return answer.content.map(({ operation, cell, oldPrimaryKey }) => ({
      operation: operation === 1 ? "insert" : operation === 2 ? "delete" : "update",
      cells: cell,
      oldKey: oldPrimaryKey[0],
    }));
  }

  /** @param prune must be off where rows are modified: the engine ends at a row with columns left out */
  private prepare({ sql, tables, params, undeclared = false }: EngineRequest, prune: boolean) {
    const language = this.languageOptions;
    return {
      sql,
      options: {
        languageOptions: { ...language, supportedStatementKinds: allStatements },
        errorMessageMode: "ERROR_MESSAGE_ONE_LINE",
        defaultTimezone: "UTC",
        pruneUnusedColumns: prune,
        ddlPseudoColumns: partitionColumns,
        allowUndeclaredParameters: undeclared,
        queryParameters: params.map(({ name, type }) => ({ name, type: toTypeProto(type) })),
      },
      params: params.map(({ name, value }) => ({ name, value })),
      simpleCatalog: {
        name: "catalog",
        builtinFunctionOptions: { languageOptions: language },
        table: tables.map(({ name, columns, key }, index) => ({
          name,
          serializationId: index + 1,
          column: columns.map((column) => ({
            name: column.name,
            type: toTypeProto(column.type),
            isPseudoColumn: column.pseudo === true,
          })),
          primaryKeyColumnIndex: key === undefined ? [] : [key],
        })),
      },
      tableContent: Object.fromEntries(
        tables.map(({ name, rows }) => [name, { tableData: { row: rows.map((cell) => ({ cell })) } }]),
      ),
    };
  }

  /** The next statement gets a new one. */
  private end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    shared = undefined;
    this.api.close();
    this.child.stdin?.end();
  }

  /** A statement is parsed and analyzed alike however often it is asked about, as a run after its dry run is. */
  private async answered(question: unknown, ask: () => Promise<unknown>): Promise<unknown> {
    const key = JSON.stringify(question);
    const known = this.answers.get(key);
    if (known !== undefined) return known;
    const answer = await ask();
    const [oldest] = this.answers.keys();
    if (this.answers.size >= answersKept && oldest !== undefined) this.answers.delete(oldest);
    this.answers.set(key, answer);
    return answer;
  }

  private async call(method: Method, request: object): Promise<unknown> {
    try {
      return await send(this.api, method, request);
    } catch (error) {
      const { code, details } = error as { code?: number; details: string };
      // Without a code: the connection of an engine that ended under an earlier statement.
      if (code !== unavailable && code !== undefined) throw new EngineError(details, { cause: error });
      this.end();
      // Not one of the codes that the client tries again: the next engine would end at the same statement.
      throw new BigQueryError("notImplemented", "The SQL engine of the test server ended at this statement.");
    }
  }
}

function send(api: Api, method: Method, request: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    api[method](request, (error, answer) => {
      if (error === null) resolve(answer);
      else reject(error);
    });
  });
}

/**
 * The shell waits for the end of its input, which the end of this process brings about, even a violent one. It ignores the
 * signals that a terminal sends to all of its processes: the engine would outlive a shell that ends at once.
 */
function spawnServer(port: number): ChildProcess {
  const library = dirname(createRequire(import.meta.url).resolve("@fivetrandevelopers/zetasql"));
  const binary = process.arch === "arm64" ? "remote_server_arm.so" : "remote_server.so";
  const script =
    'trap "" INT HUP TERM; "$0" localhost "$1" >/dev/null 2>&1 & read -r _; kill -9 $! 2>/dev/null; wait';
  const child = spawn("sh", ["-c", script, join(library, "zetasql", binary), String(port)], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  child.unref();
  return child;
}

async function ready(api: Api, child: ChildProcess): Promise<void> {
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  const connected = new Promise<void>((resolve, reject) => {
    api.waitForReady(Date.now() + 50_000, (error) => (error === undefined ? resolve() : reject(error)));
  });
  await Promise.race([connected, failed]);
}
