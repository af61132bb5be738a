import type { Finding } from "../core/finding.ts";
import type { RenderOptions } from "./terminal.ts";
import { harmlessLine } from "../presentation/harmless.ts";
import { counted } from "../presentation/numbers.ts";
import { painter, wrap } from "./text.ts";

/** What `validate` found, for programs. */
export interface ValidationDocument {
  readonly schema_version: 1;
  readonly pipeline: string;
  readonly target: string | null;
  readonly config_file: string;
  /** False where a finding is an error. */
  readonly valid: boolean;
  readonly checked: {
    readonly processors: number;
    readonly schedules: number;
    readonly repairs: number;
    readonly waivers: number;
    /** Null where the warehouse was not asked. */
    readonly warehouse: { readonly tables: number; readonly columns: number } | null;
  };
  /** Tables that SQL repairs create in the warehouse. */
  readonly creates: readonly string[];
  /** The ledger's file where it was made, or was there, because of `--create`. */
  readonly ledger_created: string | null;
  readonly findings: readonly Finding[];
}

/** What was checked, and what is wrong, with its place and what to do. */
export function renderValidation(document: ValidationDocument, options: RenderOptions): string {
  const paint = painter(options.color);
  const { pipeline, target, config_file, checked, findings, valid } = document;
  const { processors, schedules, repairs, waivers, warehouse } = checked;
  const name = target === null ? pipeline : `${pipeline}, target ${target}`;
  const counts = [
    counted(processors, "processor"),
    counted(schedules, "schedule"),
    counted(repairs, "repair"),
    ...(waivers === 0 ? [] : [counted(waivers, "waiver")]),
  ].join(", ");
  const lines = [...wrap(`${config_file} is a valid config: ${name} with ${counts}`, options.columns)];
  if (warehouse === null)
    lines.push(...wrap("its tables were not looked at; --connect does", options.columns));
  else {
    const seen = `${counted(warehouse.tables, "table")}, ${counted(warehouse.columns, "column")}, every query and repair`;
    lines.push(...wrap(`the warehouse was asked about ${seen}`, options.columns));
  }
  lines.push(...createsLines(document, options));
  if (document.ledger_created !== null) {
    lines.push(...wrap(`the ledger is ready: ${document.ledger_created}`, options.columns));
  }
  const order = findings.toSorted((a, b) => Number(a.level === "warning") - Number(b.level === "warning"));
  for (const { level, place, expected, found, hint } of order) {
    const head = level === "error" ? paint(["bold", "red"], "error") : paint(["bold", "yellow"], "warning");
    lines.push("", `${head}  ${paint("bold", place)}`);
    lines.push(...wrap(harmlessLine(expected), options.columns, "  expected  "));
    lines.push(...wrap(harmlessLine(found), options.columns, "  found     "));
    if (hint !== null) lines.push(...wrap(harmlessLine(hint), options.columns, "  to do     "));
  }
  const errors = findings.filter(({ level }) => level === "error").length;
  if (!valid) lines.push("", paint(["bold", "red"], `${counted(errors, "error")} found`));
  else if (warehouse !== null) lines.push(paint("green", "all is as the config says"));
  return `${lines.join("\n")}\n`;
}

const createsMax = 5;

/** A person who finds such a table in the warehouse should have read of it before. */
function createsLines({ creates }: ValidationDocument, options: RenderOptions): readonly string[] {
  if (creates.length === 0) return [];
  const more = creates.length - createsMax;
  const names = `${creates.slice(0, createsMax).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  const what =
    creates.length === 1
      ? "a table in the warehouse, which records"
      : "tables in the warehouse, which record";
  const text = `SQL repairs create ${what} the last repair of each date: ${names}`;
  return wrap(text, options.columns);
}
