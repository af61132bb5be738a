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

/** Text of others, such as a job's log, without what would drive the terminal instead of being read on it. */
export function harmless(text: string): string {
  return stripVTControlCharacters(text.replace(/\r\n?/g, "\n"))
    .replace(/\t/g, "  ")
    .replace(/[^\P{Control}\n]/gu, "")
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
}

/** The same on one line. */
export function harmlessLine(text: string): string {
  return harmless(text.replace(/\s+/g, " ")).trim();
}

const numbers = new Intl.NumberFormat("en-US");

/** A whole number with its thousands apart. */
export function formatCount(value: number): string {
  return numbers.format(value);
}

/** `1 cell`, `1,234 cells`. */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(value)} ${value === 1 ? noun : plural}`;
}

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `0 B`, `30 MiB`, `1.2 GiB`: three figures at most. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), byteUnits.length - 1);
  const value = bytes / 2 ** (10 * power);
  return `${value < 10 && power > 0 ? Number(value.toFixed(1)) : Math.round(value)} ${byteUnits[power] ?? ""}`;
}

/** `$0`, `less than $0.01`, `$12.40`. */
export function formatUsd(usd: number): string {
  if (usd === 0) return "$0";
  return usd < 0.01 ? "less than $0.01" : `$${usd.toFixed(2)}`;
}

/** Seconds as a person says them: `0.4 s`, `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10 && !Number.isInteger(seconds)) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const [hours, restMinutes] = [Math.floor(minutes / 60), minutes % 60];
  if (hours < 48) return restMinutes === 0 ? `${hours} h` : `${hours} h ${restMinutes} min`;
  const [days, restHours] = [Math.floor(hours / 24), hours % 24];
  return restHours === 0 ? `${days} d` : `${days} d ${restHours} h`;
}

/** Dates ascending, as `2024-01-05` or `2024-01-05 to 2024-02-01 (12 dates)`. */
export function formatDates(dates: readonly string[]): string {
  const [first = "", last = first] = [dates[0], dates.at(-1)];
  if (dates.length <= 1) return first;
  return `${first} to ${last} (${formatCount(dates.length)} dates)`;
}
