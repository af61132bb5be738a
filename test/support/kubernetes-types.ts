// Checks manifests as an API server with strict field validation would, without one: their values by the validators of
// `kubernetes-models`, and what is no field at all by its types, as those validators pass unknown fields over.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

export const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});
export type Manifest = z.infer<typeof manifest>;

const modules = fileURLToPath(new URL("../../node_modules/", import.meta.url));
const tscMs = 120_000;

/** Which package has the kinds of an API group; the groups of Kubernetes itself are in its own. */
const packages: Readonly<Record<string, string>> = {
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator/",
  "keda.sh": "@kubernetes-models/keda/",
};

function moduleOf({ apiVersion, kind }: Manifest): string {
  const [group = ""] = apiVersion.split("/");
  return `${packages[group] ?? "kubernetes-models/"}${apiVersion}/${kind}`;
}

const model = z.custom<new (data: unknown) => { validate(): void }>((value) => typeof value === "function");

/** @throws where a value is none that its field may have, or one that is required is missing */
export function checkValues(document: Manifest): void {
  const exported: unknown = createRequire(import.meta.url)(moduleOf(document));
  const Model = z.record(z.string(), z.unknown()).parse(exported)[document.kind];
  new (model.parse(Model))(document).validate();
}

/**
 * What the types of Kubernetes say of each document, in their order: null where it fits. One run of the compiler for all of
 * them, as it has to read the types each time.
 */
export function checkFields(documents: readonly Manifest[]): readonly (string | null)[] {
  const folder = mkdtempSync(join(tmpdir(), "gap-reconciler-types-"));
  try {
    symlinkSync(modules, join(folder, "node_modules"));
    const options = { strict: true, noEmit: true, skipLibCheck: true, module: "nodenext", types: [] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options }));
    // Each on a line of its own, whose number says which it is.
    const lines = documents.map((document, index) => {
      const type = `import("${moduleOf(document)}").I${document.kind}`;
      return `export const d${index}: ${type} = ${JSON.stringify(document)};`;
    });
    writeFileSync(join(folder, "documents.ts"), `${lines.join("\n")}\n`);
    const compiler = join(modules, "typescript/bin/tsc");
    const { stdout, status, error } = spawnSync(process.execPath, [compiler, "--project", folder], {
      encoding: "utf8",
      cwd: folder,
      timeout: tscMs,
      maxBuffer: 2 ** 28,
    });
    if (error !== undefined) throw error;
    const said = new Map(
      [...stdout.matchAll(/^documents\.ts\((\d+),\d+\): error TS\d+: (.*)$/gm)].map(
        ([, line = "", message = ""]) => [Number(line) - 1, message] as const,
      ),
    );
    if (status !== 0 && said.size === 0) throw new Error(`the compiler failed otherwise: ${stdout}`);
    return documents.map((_document, index) => said.get(index) ?? null);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
