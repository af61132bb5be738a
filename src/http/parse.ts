import type { z } from "zod";
import { type IsoDate, tryParseIsoDate } from "../core/iso-date.ts";
import type { Processor } from "../core/pipeline.ts";
import { ReconcilerError } from "../errors.ts";
import { expectation, misfitOf } from "./misfit.ts";

/**
 * A part of a request as its schema has it.
 * @throws ReconcilerError `request_invalid`, with the path of the first fault
 */
export function parsed<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  part: string,
): z.output<Schema> {
  const given = value ?? {};
  const result = schema.safeParse(given, { error: expectation });
  if (result.success) return result.data;
  const { path, expected, found } = misfitOf(schema, given, result.error);
  const at = [part, ...path.map(String)].join(".");
  throw new ReconcilerError("request_invalid", `${at}: expected ${expected}, found ${found}`, {
    path: at,
    hint: "/api/v1/openapi.json says what is expected",
  });
}

/** @throws ReconcilerError `request_invalid` for a date that does not exist */
export function dateOf(text: string | undefined, path: string): IsoDate | null {
  if (text === undefined) return null;
  const date = tryParseIsoDate(text);
  if (date !== null) return date;
  throw new ReconcilerError("request_invalid", `${path}: expected a date that exists, as YYYY-MM-DD`, {
    path,
  });
}

/** @throws ReconcilerError `request_invalid` where one of the names is not among the known ones */
function checkKnown(
  names: readonly string[] | undefined,
  known: readonly string[],
  path: string,
  what: string,
): void {
  const stranger = names?.find((name) => !known.includes(name));
  if (stranger === undefined) return;
  throw new ReconcilerError("request_invalid", `${path}: there is no ${what} "${stranger}"`, {
    path,
    hint: "/api/v1/grid names every processor with its phase",
  });
}

/** @throws ReconcilerError `request_invalid` for processors or phases that there are not */
export function checkSelection(
  processors: readonly Processor[],
  {
    names,
    phases,
  }: { readonly names: readonly string[] | undefined; readonly phases: readonly string[] | undefined },
  paths: { readonly names: string; readonly phases: string },
): void {
  checkKnown(
    names,
    processors.map(({ name }) => name),
    paths.names,
    "processor",
  );
  checkKnown(
    phases,
    processors.flatMap(({ phase }) => phase ?? []),
    paths.phases,
    "phase",
  );
}
