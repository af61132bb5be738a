import { stripVTControlCharacters } from "node:util";
import { redact, secretForms } from "../../core/redact.ts";

/** What of a run's output is kept, in bytes of UTF-8. */
const tailBytes = 4096;

export interface LogTail {
  readonly append: (chunk: Uint8Array) => void;
  /** Redacted and free of control codes, at most 4 KiB; null where nothing was printed. */
  text(): string | null;
}

/** Keeps the end of an output however much is printed; its memory does not grow with it. */
export function createLogTail(secrets: readonly string[]): LogTail {
  const longestSecret = secretForms(secrets).reduce((longest, form) => Math.max(longest, form.length), 0);
  // A secret that begins before the kept part must still be whole in what is redacted, at four bytes a character at most.
  const keepBytes = 2 * tailBytes + 4 * longestSecret;
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  let truncated = false;

  function compact(): void {
    const whole = Buffer.concat(chunks);
    truncated ||= whole.length > keepBytes;
    chunks = [Buffer.from(whole.subarray(Math.max(0, whole.length - keepBytes)))];
    bytes = Math.min(bytes, keepBytes);
  }

  return {
    append(chunk) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > 2 * keepBytes || chunks.length > 256) compact();
    },
    text() {
      if (bytes === 0) return null;
      compact();
      const printed = printable(Buffer.concat(chunks).toString("utf8"));
      const safe = truncated ? printed.slice(safeCut(printed, secretForms(secrets))) : printed;
      const tail = lastBytes(redact(safe, secrets)).trim();
      return tail === "" ? null : tail;
    },
  };
}

/** Text as it is shown in a report: no terminal codes, no other control characters than line ends and tabs. */
function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/\r\n?/g, "\n").replaceAll(controlCharacters, "");
}

/** Every control character but line feed and tab. */
const controlCharacters = /[^\P{Cc}\n\t]/gu;

/**
 * Where a text whose beginning is lost may begin: behind the first words, of which a secret may be cut in two, and not
 * inside a secret that follows.
 */
function safeCut(text: string, forms: readonly string[]): number {
  const longest = forms[0]?.length ?? 0;
  let cut = Math.max(0, Math.min(longest - 1, text.length));
  const space = text.slice(cut).search(/\s/);
  if (space !== -1 && space < tailBytes) cut += space;
  for (let moved = true; moved; ) {
    moved = false;
    for (const form of forms) {
      const start = text.indexOf(form, Math.max(0, cut - form.length + 1));
      if (start !== -1 && start < cut) {
        cut = start + form.length;
        moved = true;
      }
    }
  }
  return cut;
}

function lastBytes(text: string): string {
  const encoded = Buffer.from(text, "utf8");
  if (encoded.length <= tailBytes) return text;
  let start = encoded.length - tailBytes;
  // Bytes 10xxxxxx continue a character: begin with a whole one.
  while (start < encoded.length && ((encoded[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return encoded.subarray(start).toString("utf8");
}
