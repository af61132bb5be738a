import { ReconcilerError } from "../errors.ts";

/**
 * A hash of a value that stays the same across processes, machines and releases: 16 hexadecimal digits over the canonical
 * JSON of the value. It tells that something changed; it is no protection against somebody who wants a collision.
 */
export function hashOf(value: unknown): string {
  return fnv1a64(canonicalJson(value));
}

/**
 * JSON with sorted keys. Members that are null or undefined are left out, so that a field that a later release adds does
 * not change the hash of what does not use it.
 * @throws ReconcilerError `internal` for what JSON cannot carry: functions, symbols, bigints, NaN and infinities.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return `[${value.map((item: unknown) => canonicalJson(item)).join(",")}]`;
  if (typeof value === "object") {
    const members = Object.entries(value)
      .filter(([, member]) => member !== null && member !== undefined)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(",")}}`;
  }
  const isJson =
    typeof value === "string" ||
    typeof value === "boolean" ||
    (typeof value === "number" && Number.isFinite(value));
  if (!isJson)
    throw new ReconcilerError("internal", `expected a value that JSON can carry, found a ${typeof value}`);
  return JSON.stringify(value);
}

/**
 * FNV-1a with 64 bits over UTF-8, kept as two halves because numbers hold 53 bits and BigInt is 50 times slower.
 * Source: draft-eastlake-fnv, prime 2^40 + 0x1b3.
 */
export function fnv1a64(text: string): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of new TextEncoder().encode(text)) {
    const mixed = (low ^ byte) >>> 0;
    const product = mixed * 0x1b3;
    // 2^40 moves the low half by 8 bits into the high one; the high half's own share of it lies above bit 64.
    high = (high * 0x1b3 + mixed * 0x100 + Math.floor(product / 0x1_0000_0000)) % 0x1_0000_0000;
    low = product % 0x1_0000_0000;
  }
  return hex(high) + hex(low);
}

function hex(half: number): string {
  return half.toString(16).padStart(8, "0");
}
