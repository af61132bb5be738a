import { readFileSync } from "node:fs";
import { ReconcilerError } from "../errors.ts";

/** The version of this program. */
export function version(): string {
  const path = new URL("../../package.json", import.meta.url);
  const manifest: unknown = JSON.parse(readFileSync(path, "utf8"));
  if (typeof manifest === "object" && manifest !== null && "version" in manifest)
    return String(manifest.version);
  throw new ReconcilerError("internal", `expected a version in ${path.pathname}, found none`);
}
