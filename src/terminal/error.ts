import { messageOf, ReconcilerError } from "../errors.ts";
import type { RenderOptions } from "./terminal.ts";
import { harmless } from "../presentation/harmless.ts";
import { type Paint, painter, wrap } from "./text.ts";

export interface ErrorRenderOptions extends RenderOptions {
  /** Whether an unforeseen error shows its stack, as with `--log-level debug`. */
  readonly debug?: boolean;
}

/** What an error looks like to a program. */
export interface ErrorDocument {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
    readonly path: string | null;
  };
}

const bugHint =
  "this is a bug of gap-reconciler, not of your pipeline: please report it with what you ran; --log-level debug shows where it happened";

/** One error for a person: what was expected and found, where, and what to do. */
export function renderError(error: unknown, options: ErrorRenderOptions): string {
  const paint = painter(options.color);
  if (!(error instanceof ReconcilerError)) return unforeseen(error, options, paint);
  const lines = [...messageLines(error.message, options, paint)];
  // A message that names the place already, as the ones of a config do, does not need it twice.
  if (error.path !== null && !error.message.includes(error.path))
    lines.push(`  ${paint("dim", "at")}  ${harmless(error.path)}`);
  if (error.hint !== null) {
    lines.push(...labelled("to do", harmless(error.hint), options, paint));
  }
  return `${lines.join("\n")}\n`;
}

export function errorDocument(error: unknown): ErrorDocument {
  if (error instanceof ReconcilerError) {
    const { code, message, hint, path } = error;
    return { error: { code, message, hint, path } };
  }
  return { error: { code: "internal", message: messageOf(error), hint: bugHint, path: null } };
}

function unforeseen(error: unknown, options: ErrorRenderOptions, paint: Paint): string {
  const lines = [
    ...messageLines(messageOf(error), options, paint),
    ...labelled("to do", bugHint, options, paint),
  ];
  if (options.debug === true && error instanceof Error && error.stack !== undefined) {
    lines.push("", harmless(error.stack));
  }
  return `${lines.join("\n")}\n`;
}

/** A message of several lines is laid out by who wrote it; one line is broken where the terminal ends. */
function messageLines(message: string, { columns }: RenderOptions, paint: Paint): readonly string[] {
  const [first = "", ...rest] = harmless(message).split("\n");
  const [head = "", ...wrapped] = rest.length === 0 ? wrap(first, columns, "error: ") : [`error: ${first}`];
  return [head.replace("error:", paint(["bold", "red"], "error:")), ...wrapped, ...rest];
}

function labelled(label: string, text: string, { columns }: RenderOptions, paint: Paint): readonly string[] {
  const [head = "", ...rest] = wrap(text, columns, `  ${label}  `);
  return [head.replace(label, paint("dim", label)), ...rest];
}
