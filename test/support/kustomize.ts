import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { type Manifest, manifest } from "./kubernetes-types.ts";

const checkout = fileURLToPath(new URL("../../", import.meta.url));
const renderMs = 60_000;

/** What `kubectl apply -k` would send for a folder of the checkout. @throws where it cannot be rendered */
export function render(folder: string): readonly Manifest[] {
  const { status, stdout, stderr, error } = spawnSync("kubectl", ["kustomize", folder], {
    cwd: checkout,
    encoding: "utf8",
    timeout: renderMs,
    maxBuffer: 2 ** 26,
  });
  if (error !== undefined) throw new Error("there is no kubectl: run `npm run pretest`", { cause: error });
  if (status !== 0) throw new Error(`kubectl kustomize ${folder} failed:\n${stderr}`);
  return parseAllDocuments(stdout).map((document) => {
    const value: unknown = document.toJS();
    return manifest.parse(value);
  });
}
