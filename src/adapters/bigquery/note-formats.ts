import { createHash } from "node:crypto";
import { z } from "zod";
import { type Day, fromDay, toDay, tryParseIsoDate } from "../../core/iso-date.ts";
import type { Span, Spans } from "./spans.ts";

/** Of what notes say; notes of another version count as absent. */
export const noteVersion = z.literal(1);

/** JSON has no number for what is not finite. */
const number = z.union([z.number(), z.null(), z.literal("inf"), z.literal("-inf")]);
export const numbersNote = z.array(number);
type NumbersNote = z.infer<typeof numbersNote>;

export const dayNote = z.string().transform((text, context): Day => {
  const date = tryParseIsoDate(text);
  if (date !== null) return toDay(date);
  context.addIssue({ code: "custom", message: "expected a date" });
  return z.NEVER;
});

/** As `2024-01-01..2024-01-31,2024-02-02..2024-02-02`. */
export const spansNote = z.string().transform((text, context): Spans => {
  const found = text === "" ? [] : text.split(",").map(spanOf);
  const whole = found.flatMap((span) => span ?? []);
  if (whole.length === found.length) return whole;
  context.addIssue({ code: "custom", message: "expected ranges of dates" });
  return z.NEVER;
});

/** The other parts of a subject that belong to its head, each with the hash of its body. */
export const piecesNote = z.record(z.string(), z.string());

function spanOf(text: string): Span | null {
  const [from, to] = text.split("..").map((end) => tryParseIsoDate(end));
  if (from === undefined || from === null || to === undefined || to === null) return null;
  return { from: toDay(from), to: toDay(to) };
}

export function writeSpans(days: Spans): string {
  return days.map(({ from, to }) => `${fromDay(from)}..${fromDay(to)}`).join(",");
}

export function writeNumbers(values: Float64Array): NumbersNote {
  return Array.from(values, (value) => {
    if (Number.isFinite(value)) return value;
    return Number.isNaN(value) ? null : value > 0 ? "inf" : "-inf";
  });
}

export function readNumbers(values: NumbersNote): Float64Array {
  return Float64Array.from(values, (value) => {
    if (typeof value === "number") return value;
    if (value === null) return Number.NaN;
    return value === "inf" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  });
}

/** The bodies of a subject's notes, by part. */
export type Bodies = ReadonlyMap<string, string>;

const headPart = "head";

/** A head and its pieces as bodies: the head names its pieces by their hashes, so that a part of another time is found out. */
export function writeBodies(head: object, pieces: ReadonlyMap<string, object>): Bodies {
  const bodies = new Map([...pieces].map(([part, piece]) => [part, JSON.stringify(piece)] as const));
  const hashes = Object.fromEntries([...bodies].map(([part, body]) => [part, bodyHash(body)]));
  bodies.set(headPart, JSON.stringify({ ...head, pieces: hashes }));
  return bodies;
}

/** Null where the head is not there or of another kind, or any of its pieces is. */
export function readBodies<Head extends { readonly pieces: Readonly<Record<string, string>> }>(
  bodies: Bodies,
  schema: z.ZodType<Head>,
): { readonly head: Head; readonly pieces: Bodies } | null {
  const head = readBody(bodies.get(headPart), schema);
  if (head === null) return null;
  const pieces = new Map<string, string>();
  for (const [part, hash] of Object.entries(head.pieces)) {
    const body = bodies.get(part);
    if (body === undefined || bodyHash(body) !== hash) return null;
    pieces.set(part, body);
  }
  return { head, pieces };
}

export function readBody<T>(body: string | undefined, schema: z.ZodType<T>): T | null {
  if (body === undefined) return null;
  try {
    return schema.safeParse(JSON.parse(body)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function bodyHash(body: string): string {
  return createHash("sha256").update(body).digest("hex").slice(0, 16);
}

/** What is in each group, in the order of their first members. */
export function groupBy<T>(all: Iterable<T>, keyOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}
