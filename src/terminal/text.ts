import { stripVTControlCharacters, styleText } from "node:util";
import { eastAsianWidth } from "get-east-asian-width";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "gray";

/** Puts a style around a text, or leaves it as it is where there are no colours. */
export type Paint = (style: Style | readonly Style[], text: string) => string;

export function painter(color: boolean): Paint {
  if (!color) return (_style, text) => text;
  return (style, text) =>
    styleText(typeof style === "string" ? style : [...style], text, { validateStream: false });
}

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Cells that a text takes on a line; escape sequences take none, a CJK letter or an emoji two. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of segmenter.segment(stripVTControlCharacters(text)))
    width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(grapheme: string): number {
  if (/^[\p{Control}\p{Format}\p{Mark}]+$/u.test(grapheme)) return 0;
  if (/\p{Emoji_Presentation}|\uFE0F/u.test(grapheme)) return 2;
  return eastAsianWidth(grapheme.codePointAt(0) ?? 0);
}

/** The text cut to at most `width` cells, with `…` at its end where something is gone. It must hold no escape sequences. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    const next = graphemeWidth(segment);
    if (used + next > width - 1) break;
    kept += segment;
    used += next;
  }
  return width <= 0 ? "" : `${kept}…`;
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}

/**
 * The text in lines of at most `columns` cells, broken between words; the first line starts with `first`, the others with
 * as many spaces. A word longer than a line keeps its line to itself, so that a command or a path can be copied.
 */
export function wrap(text: string, columns: number, first = ""): readonly string[] {
  const indent = displayWidth(first);
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const width = displayWidth(word);
    if (used > 0 && indent + used + 1 + width > columns) {
      lines.push(line);
      line = word;
      used = width;
    } else {
      line = used === 0 ? word : `${line} ${word}`;
      used = used === 0 ? width : used + 1 + width;
    }
  }
  lines.push(line);
  return lines.map((content, index) => (index === 0 ? first : " ".repeat(indent)) + content);
}
