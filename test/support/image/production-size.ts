import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

export interface PackageSize {
  /** As `@scope/name`; the product's own folders are called by their names. */
  readonly name: string;
  readonly bytes: number;
}

/** What is in the image beside its base: the packages and the product's own files, the largest first. */
export function productionSizes(app: string): readonly PackageSize[] {
  return readdirSync(app)
    .flatMap((entry) => placesIn(join(app, entry), entry))
    .map(({ name, path }) => ({ name, bytes: bytesIn(path) }))
    .toSorted((a, b) => b.bytes - a.bytes);
}

interface Place {
  readonly name: string;
  readonly path: string;
}

/** A folder of packages gives what is in it, and so does a scope. */
function placesIn(path: string, name: string): readonly Place[] {
  if (name !== "node_modules" && !(name.startsWith("@") && !name.includes("/"))) return [{ name, path }];
  const scope = name === "node_modules" ? "" : `${name}/`;
  return readdirSync(path).flatMap((entry) => placesIn(join(path, entry), `${scope}${entry}`));
}

function bytesIn(path: string): number {
  const stats = lstatSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, entry) => sum + bytesIn(join(path, entry)), 0);
}
