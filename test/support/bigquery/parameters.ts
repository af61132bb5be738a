import type { Parameter } from "./engine.ts";
import { BigQueryError } from "./errors.ts";
import { fromParameterType, type ParameterType } from "./types.ts";
import { type InputValue, toProto } from "./values.ts";

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
      const message = error instanceof Error ? error.message : String(error);
      throw new BigQueryError("invalid", `Query parameter '${name}': ${message}`);
    }
  });
}

/** An array that is missing is empty; a scalar that is missing is NULL, which the client sends where a test would not expect it. */
function inputOf({ value, arrayValues, structValues }: ParameterValue, isArray = false): InputValue {
  if (arrayValues !== undefined || isArray) return (arrayValues ?? []).map((item) => inputOf(item));
  if (structValues === undefined) return value ?? null;
  return Object.fromEntries(Object.entries(structValues).map(([field, inner]) => [field, inputOf(inner)]));
}
