import { type Engine, EngineError, type EngineResult, type Parameter } from "./engine.ts";
import { BigQueryError } from "./errors.ts";
import { type Names, resolveNames } from "./names.ts";
import { fromParameterType, type ParameterType } from "./types.ts";
import { type InputValue, toProto } from "./values.ts";
import { engineTable, latest, type Warehouse } from "./warehouse.ts";

/** What a request says of a statement. */
export interface StatementRequest {
  readonly sql: string;
  readonly params: readonly Parameter[];
  readonly defaultDataset: string | undefined;
}

/** A parameter in a request. */
export interface QueryParameter {
  readonly name?: string;
  readonly parameterType: ParameterType;
  readonly parameterValue: ParameterValue;
}
interface ParameterValue {
  readonly value?: string | null;
  readonly arrayValues?: readonly ParameterValue[];
  readonly structValues?: Readonly<Record<string, ParameterValue>>;
}

/** @throws BigQueryError `invalid` for a value that is none of its type */
export function readParameters(parameters: readonly QueryParameter[]): readonly Parameter[] {
  return parameters.map(({ name = "", parameterType, parameterValue }) => {
    const type = fromParameterType(parameterType);
    try {
      return { name, type, value: toProto(type, inputOf(parameterValue, type.kind === "ARRAY")) };
    } catch (error) {
      throw new BigQueryError(
        "invalid",
        `Query parameter '${name}': ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  });
}

function inputOf({ value, arrayValues, structValues }: ParameterValue, isArray = false): InputValue {
  if (arrayValues !== undefined || isArray) return (arrayValues ?? []).map((item) => inputOf(item));
  if (structValues === undefined) return value ?? null;
  return Object.fromEntries(Object.entries(structValues).map(([field, inner]) => [field, inputOf(inner)]));
}

export function namesIn(warehouse: Warehouse, defaultDataset: string | undefined): Names {
  return {
    projectId: warehouse.projectId,
    location: warehouse.location,
    defaultDataset,
    hasDataset: (dataset) => warehouse.datasets.has(dataset),
    table: (dataset, name) => warehouse.datasets.get(dataset)?.get(name),
    metadata: () => undefined,
  };
}

export async function runSelect(
  engine: Engine,
  warehouse: Warehouse,
  { sql, params, defaultDataset }: StatementRequest,
): Promise<EngineResult> {
  let restore = (message: string) => message;
  try {
    const resolved = await resolveNames(engine, sql, namesIn(warehouse, defaultDataset));
    restore = (message) => resolved.restore(message);
    const tables = [...resolved.tables].map(([name, table]) =>
      engineTable(name, table, latest.contentOf(table)),
    );
    return await engine.evaluate({ sql: resolved.sql, params, tables });
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new BigQueryError("invalidQuery", restore(error.message), "query");
  }
}
