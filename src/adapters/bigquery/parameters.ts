import type { IsoDate } from "../../core/iso-date.ts";
import type { EpochMs } from "../../core/wall-clock.ts";
import { quoteText } from "./sql-text.ts";

type ScalarType = "DATE" | "DATETIME" | "TIMESTAMP" | "INT64" | "STRING";

/** A named parameter with its type, as the API takes it: a type that is not said is guessed, and sent as NULL. */
export interface Parameter {
  readonly name: string;
  readonly parameterType:
    | { readonly type: ScalarType }
    | { readonly type: "ARRAY"; readonly arrayType: { readonly type: ScalarType } };
  readonly parameterValue:
    | { readonly value: string }
    | { readonly arrayValues: readonly { readonly value: string }[] };
}

export function parameter(name: string, type: ScalarType, value: string): Parameter {
  return { name, parameterType: { type }, parameterValue: { value } };
}

/** An empty list keeps its type. */
export function listParameter(name: string, type: ScalarType, values: readonly string[]): Parameter {
  return {
    name,
    parameterType: { type: "ARRAY", arrayType: { type } },
    parameterValue: { arrayValues: values.map((value) => ({ value })) },
  };
}

/** Turns a value into SQL: a parameter, or a literal for a person to paste. */
export interface Binder {
  date(date: IsoDate): string;
  /** Midnight at the beginning of a date, in no zone. */
  datetime(date: IsoDate): string;
  /** What clocks show, as the milliseconds of the same time in UTC. */
  wallTime(wall: EpochMs): string;
  timestamp(instant: EpochMs): string;
  text(text: string): string;
  integer(value: number): string;
}

/** Binds values as parameters, equal ones as the same, so that a statement keeps its text when its dates move. */
export class Bindings implements Binder {
  readonly #names = new Map<string, Parameter>();

  get parameters(): readonly Parameter[] {
    return [...this.#names.values()];
  }

  date(date: IsoDate): string {
    return this.#bind("DATE", date);
  }

  datetime(date: IsoDate): string {
    return this.#bind("DATETIME", `${date} 00:00:00`);
  }

  wallTime(wall: EpochMs): string {
    return this.#bind("DATETIME", wallText(wall));
  }

  timestamp(instant: EpochMs): string {
    return this.#bind("TIMESTAMP", timestampText(instant));
  }

  text(text: string): string {
    return this.#bind("STRING", text);
  }

  integer(value: number): string {
    return this.#bind("INT64", String(value));
  }

  #bind(type: ScalarType, value: string): string {
    const key = `${type} ${value}`;
    const bound = this.#names.get(key) ?? parameter(`p${this.#names.size}`, type, value);
    this.#names.set(key, bound);
    return `@${bound.name}`;
  }
}

export const literals: Binder = {
  date: (date) => `date ${quoteText(date)}`,
  datetime: (date) => `datetime ${quoteText(`${date} 00:00:00`)}`,
  wallTime: (wall) => `datetime ${quoteText(wallText(wall))}`,
  timestamp: (instant) => `timestamp ${quoteText(timestampText(instant))}`,
  text: quoteText,
  integer: String,
};

function wallText(wall: EpochMs): string {
  return new Date(wall).toISOString().slice(0, 19).replace("T", " ");
}

function timestampText(instant: EpochMs): string {
  return new Date(instant).toISOString().replace("T", " ").replace("Z", "+00:00");
}
