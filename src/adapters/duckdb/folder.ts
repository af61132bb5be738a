import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes the folder that a file is to be in, with those above it. Idempotent. Not by mkdir's own `recursive`, which never comes
 * back from a file system that refuses new folders with ENOENT, as /proc does.
 * @throws what the file system says where one cannot be made.
 */
export function makeFolderOf(path: string): void {
  const folder = dirname(path);
  if (existsSync(folder)) return;
  makeFolderOf(folder);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process made it meanwhile.
    if (!existsSync(folder)) throw error;
  }
}
