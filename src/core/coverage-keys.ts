/** Some keys of one date: how many there are, and the first of them in order. */
export interface KeyList {
  readonly count: number;
  readonly keys: readonly string[];
}

/** The keys that make a coverage fail on one date. */
export interface CoverageKeys {
  /** Those of the other side that are not here, nor excused. */
  readonly absent: KeyList;
  /** Those here that the other side lacks; null where the config ignores them. */
  readonly extra: KeyList | null;
}

/** So many keys of a date are named. */
export const keysNamedMax = 20;
const keyLengthMax = 80;

/** `a3, a5 and 12 more`. */
export function keysText({ count, keys }: KeyList): string {
  const named = keys.map((key) => (key.length > keyLengthMax ? `${key.slice(0, keyLengthMax)}…` : key));
  const more = count - named.length;
  return more > 0 ? `${named.join(", ")} and ${more} more` : named.join(", ");
}
