import { z } from "zod";
import { harmlessLine } from "../presentation/harmless.ts";

const foundLengthMax = 80;

/** What a part of a request was expected to be, and what was found there. */
export interface Misfit {
  /** Below the part. */
  readonly path: readonly PropertyKey[];
  readonly expected: string;
  readonly found: string;
}

/** The first thing in which a value does not fit its schema. */
export function misfitOf(schema: z.ZodType, value: unknown, { issues }: z.ZodError): Misfit {
  const [issue] = issues;
  if (issue?.code === "unrecognized_keys") return strangerIn(schema, issue);
  const { path = [], message: expected = "another value" } = issue ?? {};
  return { path, expected, found: described(valueAt(value, path)) };
}

function strangerIn(schema: z.ZodType, { keys, path }: z.core.$ZodIssueUnrecognizedKeys): Misfit {
  const [stranger = ""] = keys;
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const found = `the unknown key ${quoted(stranger)}`;
  return { path: [...path, stranger], expected: `no key but ${known.join(", ")}`, found };
}

/** What a schema without words of its own expects. */
export const expectation: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type":
      return nouns.get(issue.expected) ?? issue.expected;
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `at least ${amountOf(issue.minimum, issue.origin)}`;
    case "too_big":
      return `at most ${amountOf(issue.maximum, issue.origin)}`;
    default:
      return "another value";
  }
};

const nouns = new Map([
  ["object", "an object"],
  ["array", "a list"],
  ["string", "text"],
  ["number", "a number"],
  ["int", "a whole number"],
  ["boolean", "true or false"],
]);

/** What is counted, by what it is counted in. */
const units = new Map([
  ["string", "character"],
  ["array", "item"],
]);

function amountOf(amount: number | bigint, origin: string): string {
  const unit = units.get(origin);
  if (unit === undefined) return String(amount);
  return `${amount} ${unit}${Number(amount) === 1 ? "" : "s"}`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), value);
}

function isRecord(value: unknown): value is Readonly<Record<PropertyKey, unknown>> {
  return typeof value === "object" && value !== null;
}

/** A value as an error shows it: on one line, and bounded. */
function described(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "string") return quoted(value);
  return isRecord(value) ? "an object" : JSON.stringify(value);
}

function quoted(text: string): string {
  return harmlessLine(
    JSON.stringify(text.length > foundLengthMax ? `${text.slice(0, foundLengthMax)}…` : text),
  );
}
