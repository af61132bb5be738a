import type { SqlType } from "./types.ts";

/** A 64-bit integer as the engine gives it (an object) and takes it (that, or its digits). */
type Long = string | { toString(): string };

/** A value as the engine takes and gives it; an empty object is NULL. */
export interface ValueProto {
  readonly int64Value?: Long;
  readonly boolValue?: boolean;
  readonly doubleValue?: number;
  readonly stringValue?: string;
  readonly bytesValue?: Uint8Array;
  readonly dateValue?: number;
  readonly arrayValue?: { readonly element: readonly ValueProto[] };
  readonly structValue?: { readonly field: readonly ValueProto[] };
  readonly timestampValue?: { readonly seconds: Long; readonly nanos: number };
  readonly datetimeValue?: { readonly bitFieldDatetimeSeconds: Long; readonly nanos: number };
  readonly timeValue?: Long;
  readonly numericValue?: Uint8Array;
  readonly bignumericValue?: Uint8Array;
  readonly jsonValue?: string;
}

/** A value as tests write it: dates, times and exact numbers as text. */
export type InputValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly InputValue[]
  | { readonly [field: string]: InputValue };

/** A value in an answer: text, a list of cells, or a record. */
export type WireValue =
  | string
  | null
  | readonly { readonly v: WireValue }[]
  | { readonly f: readonly { readonly v: WireValue }[] };

const numericScale = 9;
const bignumericScale = 38;
const secondsPerDay = 86_400;

export function isNull(value: ValueProto): boolean {
  return Object.values(value).every((field) => field === undefined);
}

/** @throws Error with BigQuery's wording where the text is none of the type. */
export function toProto(type: SqlType, input: InputValue): ValueProto {
  if (input === null) return {};
  if (type.kind === "ARRAY") {
    if (!Array.isArray(input)) throw new Error(`expected an array, found ${JSON.stringify(input)}`);
    const items: readonly InputValue[] = input;
    return { arrayValue: { element: items.map((item) => toProto(type.element, item)) } };
  }
  if (type.kind === "STRUCT") {
    if (typeof input !== "object" || Array.isArray(input)) throw new Error("expected a record");
    const record = new Map(Object.entries(input));
    return {
      structValue: { field: type.fields.map((field) => toProto(field.type, record.get(field.name) ?? null)) },
    };
  }
  const text = typeof input === "object" ? JSON.stringify(input) : String(input);
  switch (type.kind) {
    case "INT64":
      return { int64Value: BigInt(text).toString() };
    case "FLOAT64":
      return { doubleValue: toDouble(text) };
    case "BOOL":
      return { boolValue: text.toLowerCase() === "true" };
    case "STRING":
      return { stringValue: text };
    case "BYTES":
      return { bytesValue: Buffer.from(text, "base64") };
    case "JSON":
      return { jsonValue: JSON.stringify(JSON.parse(text)) };
    case "NUMERIC":
      return { numericValue: toDecimal(text, numericScale) };
    case "BIGNUMERIC":
      return { bignumericValue: toDecimal(text, bignumericScale) };
    case "DATE":
      return { dateValue: toInstant(type.kind, text).seconds / secondsPerDay };
    case "TIMESTAMP": {
      const { seconds, nanos } = toInstant(type.kind, text);
      return { timestampValue: { seconds: String(seconds), nanos } };
    }
    case "DATETIME": {
      const { seconds, nanos } = toInstant(type.kind, text);
      return { datetimeValue: { bitFieldDatetimeSeconds: packDatetime(seconds).toString(), nanos } };
    }
    case "TIME": {
      const { seconds, nanos } = toInstant(type.kind, `1970-01-01 ${text}`);
      return { timeValue: (((packDatetime(seconds) % (1n << 17n)) << 30n) + BigInt(nanos)).toString() };
    }
  }
}

function toDouble(text: string): number {
  const value = Number(text.replace(/^([+-]?)inf(inity)?$/i, "$1Infinity"));
  if (Number.isNaN(value) && text.toLowerCase() !== "nan") throw new Error(`Invalid FLOAT64 value: ${text}`);
  return value;
}

/** Seconds and nanoseconds since 1970; text without a zone is UTC. */
function toInstant(kind: string, text: string): { seconds: number; nanos: number } {
  const pattern =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)? ?(Z|UTC|[+-]\d\d(?::?\d\d)?)?$/i;
  const found = pattern.exec(text.trim());
  const [, date = "", hours = "00", minutes = "00", seconds = "00", fraction = "", zone = "Z"] = found ?? [];
  const [, sign = "+", zoneHours = "0", zoneMinutes = "0"] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  const whole = Date.parse(`${date}T${hours}:${minutes}:${seconds}Z`) / 1000;
  if (found === null || Number.isNaN(whole))
    throw new Error(`Could not cast literal "${text}" to type ${kind}`);
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60 * (sign === "-" ? -1 : 1);
  return { seconds: whole - offset, nanos: Number(fraction.padEnd(9, "0")) };
}

function packDatetime(seconds: number): bigint {
  const at = new Date(seconds * 1000);
  const parts: readonly (readonly [number, bigint])[] = [
    [at.getUTCFullYear(), 26n],
    [at.getUTCMonth() + 1, 22n],
    [at.getUTCDate(), 17n],
    [at.getUTCHours(), 12n],
    [at.getUTCMinutes(), 6n],
    [at.getUTCSeconds(), 0n],
  ];
  return parts.reduce((packed, [part, shift]) => packed | (BigInt(part) << shift), 0n);
}

function toDecimal(text: string, scale: number): Uint8Array {
  const [, sign, whole = "0", fraction = ""] = /^([+-]?)(\d*)\.?(\d*)$/.exec(text) ?? [];
  if (sign === undefined) throw new Error(`Invalid NUMERIC value: ${text}`);
  const magnitude = BigInt(whole + fraction.slice(0, scale).padEnd(scale, "0"));
  const bytes: number[] = [];
  let rest = sign === "-" ? -magnitude : magnitude;
  // Two's complement, lowest byte first, in as few bytes as keep the sign.
  for (;;) {
    const byte = Number(BigInt.asUintN(8, rest));
    bytes.push(byte);
    rest >>= 8n;
    if ((rest === 0n && byte < 0x80) || (rest === -1n && byte >= 0x80)) return Uint8Array.from(bytes);
  }
}

function fromDecimal(bytes: Uint8Array, scale: number): string {
  const unsigned = bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  const value = BigInt.asIntN(bytes.length * 8, unsigned);
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  const fraction = digits.slice(-scale).replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -scale)}${fraction === "" ? "" : `.${fraction}`}`;
}

const padded = (value: bigint, width = 2) => value.toString().padStart(width, "0");

function fraction(nanos: number): string {
  return nanos === 0 ? "" : `.${String(Math.trunc(nanos / 1000)).padStart(6, "0")}`;
}

function clockText(packed: bigint): string {
  return `${padded((packed >> 12n) & 31n)}:${padded((packed >> 6n) & 63n)}:${padded(packed & 63n)}`;
}

function dateText(days: number): string {
  return new Date(days * secondsPerDay * 1000).toISOString().slice(0, 10);
}

export function microsOf({ seconds, nanos }: { readonly seconds: Long; readonly nanos: number }): bigint {
  return BigInt(seconds.toString()) * 1_000_000n + BigInt(Math.trunc(nanos / 1000));
}

function doubleText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e7
    ? `${Object.is(value, -0) ? "-0" : value}.0`
    : String(value);
}

/** The value as answers carry it. @param int64Timestamps what the request's `formatOptions.useInt64Timestamp` says. */
export function toWire(type: SqlType, value: ValueProto, int64Timestamps: boolean): WireValue {
  if (type.kind === "ARRAY")
    return (value.arrayValue?.element ?? []).map((item) => ({
      v: toWire(type.element, item, int64Timestamps),
    }));
  if (isNull(value)) return null;
  if (type.kind === "STRUCT")
    return {
      f: type.fields.map((field, index) => ({
        v: toWire(field.type, value.structValue?.field[index] ?? {}, int64Timestamps),
      })),
    };
  if (value.timestampValue !== undefined && !int64Timestamps)
    return (Number(microsOf(value.timestampValue)) / 1e6).toExponential().replace("e+", "E");
  return scalarText(value);
}

/** A value that is no array, no record and not NULL as text; an instant as microseconds since 1970. */
function scalarText(value: ValueProto): string {
  if (value.int64Value !== undefined) return value.int64Value.toString();
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.dateValue !== undefined) return dateText(value.dateValue);
  if (value.doubleValue !== undefined) return doubleText(value.doubleValue);
  if (value.boolValue !== undefined) return String(value.boolValue);
  if (value.timestampValue !== undefined) return microsOf(value.timestampValue).toString();
  if (value.jsonValue !== undefined) return value.jsonValue;
  if (value.bytesValue !== undefined) return Buffer.from(value.bytesValue).toString("base64");
  if (value.numericValue !== undefined) return fromDecimal(value.numericValue, numericScale);
  if (value.bignumericValue !== undefined) return fromDecimal(value.bignumericValue, bignumericScale);
  if (value.datetimeValue !== undefined) {
    const packed = BigInt(value.datetimeValue.bitFieldDatetimeSeconds.toString());
    const day = `${padded(packed >> 26n, 4)}-${padded((packed >> 22n) & 15n)}-${padded((packed >> 17n) & 31n)}`;
    return `${day}T${clockText(packed)}${fraction(value.datetimeValue.nanos)}`;
  }
  if (value.timeValue !== undefined) {
    const packed = BigInt(value.timeValue.toString());
    return `${clockText(packed >> 30n)}${fraction(Number(packed & ((1n << 30n) - 1n)))}`;
  }
  throw new Error(`the engine gave a value of no known type: ${JSON.stringify(value)}`);
}
