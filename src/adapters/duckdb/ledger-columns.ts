import { fromDay, type IsoDate } from "../../core/iso-date.ts";
import { ReconcilerError } from "../../errors.ts";
import type { Columns } from "./session.ts";

/** A column as a function of the row. What a ledger of this version cannot hold throws `internal`. */
type Reader<T> = (row: number) => T;

/** The columns of a result by name, each read once and as the type that it is expected to have. */
export interface NamedColumns {
  text(name: string): Reader<string>;
  optionalText(name: string): Reader<string | null>;
  /** NULL becomes NaN. */
  numbers(name: string): Reader<number>;
  optionalNumbers(name: string): Reader<number | null>;
  flags(name: string): Reader<boolean>;
  /** Dates given as days since 1970-01-01. */
  days(name: string): Reader<IsoDate>;
  oneOf<T extends string>(name: string, allowed: readonly T[]): Reader<T>;
  optionalOneOf<T extends string>(name: string, allowed: readonly T[]): Reader<T | null>;
  /** Lists of texts given as JSON. */
  lists(name: string): Reader<readonly string[]>;
  optionalLists(name: string): Reader<readonly string[] | null>;
  /** Objects of texts given as JSON. */
  maps(name: string): Reader<Readonly<Record<string, string>>>;
  /** One value per row. */
  map<T>(each: Reader<T>): readonly T[];
}

export function namedColumns(result: Columns): NamedColumns {
  const indexes = new Map(result.names.map((name, index) => [name, index]));
  const indexOf = (name: string): number => {
    const index = indexes.get(name);
    if (index === undefined) throw new ReconcilerError("internal", `expected the column ${name}, found none`);
    return index;
  };
  const optionalText = (name: string): Reader<string | null> => {
    const values = result.strings(indexOf(name));
    return (row) => values[row] ?? null;
  };
  const text = (name: string): Reader<string> => required(name, optionalText(name));
  const numbers = (name: string): Reader<number> => {
    const values = result.numbers(indexOf(name));
    return (row) => values[row] ?? Number.NaN;
  };
  const optionalOneOf = <T extends string>(name: string, allowed: readonly T[]): Reader<T | null> => {
    const known = new Map<string, T>(allowed.map((value) => [value, value]));
    return nullable(optionalText(name), (value) => known.get(value) ?? refuse(name, value));
  };
  const optionalLists = (name: string): Reader<readonly string[] | null> =>
    nullable(
      optionalText(name),
      remembered((value) => textList(name, value)),
    );
  return {
    text,
    optionalText,
    numbers,
    optionalNumbers: (name) => {
      const values = numbers(name);
      return (row) => (Number.isNaN(values(row)) ? null : values(row));
    },
    flags: (name) => {
      const values = result.values(indexOf(name));
      return (row) => values[row] === true;
    },
    days: (name) => {
      const values = result.integers(indexOf(name));
      const date = remembered(fromDay);
      return (row) => date(values[row] ?? 0);
    },
    oneOf: (name, allowed) => required(name, optionalOneOf(name, allowed)),
    optionalOneOf,
    lists: (name) => required(name, optionalLists(name)),
    optionalLists,
    maps: (name) =>
      required(
        name,
        nullable(
          optionalText(name),
          remembered((value) => textMap(name, value)),
        ),
      ),
    map: (each) => Array.from({ length: result.rowCount }, (_, row) => each(row)),
  };
}

function required<T>(name: string, read: Reader<T | null>): Reader<T> {
  return (row) => read(row) ?? refuse(name, "NULL");
}

function nullable<A, B>(read: Reader<A | null>, change: (value: A) => B): Reader<B | null> {
  return (row) => {
    const value = read(row);
    return value === null ? null : change(value);
  };
}

/** Few values fill long columns: each is taken apart once. */
function remembered<A, B>(change: (value: A) => B): (value: A) => B {
  const known = new Map<A, B>();
  return (value) => {
    const found = known.get(value);
    if (found !== undefined) return found;
    const made = change(value);
    known.set(value, made);
    return made;
  };
}

function textList(name: string, text: string): readonly string[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) return refuse(name, text);
  return value.map((part: unknown) => (typeof part === "string" ? part : refuse(name, text)));
}

function textMap(name: string, text: string): Readonly<Record<string, string>> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse(name, text);
  return Object.fromEntries(
    Object.entries(value).map(([key, part]: [string, unknown]) => [
      key,
      typeof part === "string" ? part : refuse(name, text),
    ]),
  );
}

function refuse(name: string, found: string): never {
  throw new ReconcilerError(
    "internal",
    `expected a value of this version in the column ${name}, found ${found}`,
  );
}
