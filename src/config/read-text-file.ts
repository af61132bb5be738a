import { open } from "node:fs/promises";
import { messageOf } from "../errors.ts";

export type TextFile =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "failed";
      readonly reason: "not_found" | "directory" | "denied" | "too_large" | "binary" | "unreadable";
      /** Completes "found …". */
      readonly found: string;
    };

/**
 * Reads a file of UTF-8 text, never more than `bytesMax` of it, whatever it is: a pipe is read, an endless device is not.
 * A byte order mark is dropped. Never rejects.
 */
export async function readTextFile(path: string, bytesMax: number): Promise<TextFile> {
  try {
    const bytes = await readBounded(path, bytesMax);
    if (bytes === "directory") return { kind: "failed", reason: "directory", found: "a directory" };
    if (bytes.length > bytesMax) {
      return { kind: "failed", reason: "too_large", found: `more than ${formatBytes(bytesMax)}` };
    }
    return decode(bytes);
  } catch (error) {
    return failureOf(error);
  }
}

async function readBounded(path: string, bytesMax: number): Promise<Uint8Array | "directory"> {
  const file = await open(path, "r");
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) return "directory";
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (length <= bytesMax) {
      const chunk = new Uint8Array(64 * 1024);
      const { bytesRead } = await file.read(chunk, 0, chunk.length);
      if (bytesRead === 0) break;
      chunks.push(chunk.subarray(0, bytesRead));
      length += bytesRead;
    }
    return Buffer.concat(chunks);
  } finally {
    await file.close();
  }
}

function decode(bytes: Uint8Array): TextFile {
  const nul = bytes.indexOf(0);
  if (nul !== -1)
    return { kind: "failed", reason: "binary", found: `a binary file (a NUL at byte ${nul + 1})` };
  try {
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    // The decoder's message says nothing more than that.
    return { kind: "failed", reason: "binary", found: "bytes that are not UTF-8" };
  }
}

function failureOf(error: unknown): TextFile {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "ENOENT" || code === "ENOTDIR")
    return { kind: "failed", reason: "not_found", found: "no such file" };
  if (code === "EISDIR") return { kind: "failed", reason: "directory", found: "a directory" };
  if (code === "EACCES" || code === "EPERM") {
    return { kind: "failed", reason: "denied", found: "a file that this user may not read" };
  }
  return { kind: "failed", reason: "unreadable", found: messageOf(error) };
}

function formatBytes(bytes: number): string {
  return bytes % 1_000_000 === 0 ? `${bytes / 1_000_000} MB` : `${bytes / 1000} kB`;
}
