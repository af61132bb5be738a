import { displayWidth } from "../../src/terminal/text.ts";

/** A golden text in a test, without the line break after the opening quote. */
export function golden(text: string): string {
  return text.replace(/^\n/, "");
}

/** The widest line of a text, in cells. */
export function widest(text: string): number {
  return Math.max(...text.split("\n").map(displayWidth));
}

/** Whether a text holds an escape sequence. */
export function hasEscapes(text: string): boolean {
  return text.includes("\u001b");
}
