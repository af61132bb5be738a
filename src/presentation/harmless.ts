import { stripVTControlCharacters } from "node:util";

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
