// Where the library is that shows a process another wall clock, if it is anywhere.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const folder = "/usr/lib";

/** Debian's, on whatever processor; null where there is none. */
export function findFakeTime(): string | null {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const paths = names.map((name) => join(folder, name, "faketime", "libfaketime.so.1"));
  return paths.find((path) => existsSync(path)) ?? null;
}
