// Proves that imports in src/ point only the way the design says. A type import counts: it ties two layers together as
// much as a value does. The syntax tree is read rather than the text, so a comment or a string cannot hide an arrow.
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync, Visitor } from "oxc-parser";

/** What one layer may import besides itself. */
interface Layer {
  readonly from: readonly string[];
  /** Layers whose types it may name in `import type`, and nothing else of them. */
  readonly typesFrom?: readonly string[];
  /** Same values in, same values out: no packages, no Node modules, no clock, environment or randomness. */
  readonly pure?: true;
}

/**
 * A layer is the first name under src/: a folder, or a file without its extension. `reconcile/ports` stands for those
 * files alone. Nothing lists `cli`: it is the one entry point.
 */
const layers: Readonly<Record<string, Layer>> = {
  cli: { from: ["commands", "compose", "config", "core", "errors", "terminal"] },
  commands: {
    from: ["compose", "config", "core", "demo", "errors", "presentation", "terminal"],
    typesFrom: ["reconcile"],
  },
  terminal: { from: ["presentation", "core", "errors"], typesFrom: ["reconcile"] },
  presentation: { from: ["core", "errors"] },
  compose: { from: ["reconcile", "adapters", "http", "observability", "config", "core", "errors"] },
  reconcile: { from: ["core", "errors"] },
  adapters: { from: ["reconcile/ports", "core", "errors"] },
  http: { from: ["reconcile/ports", "presentation", "core", "errors"] },
  observability: { from: ["core", "errors"], typesFrom: ["reconcile"] },
  demo: { from: ["core", "errors"] },
  config: { from: ["core", "errors"] },
  core: { from: ["errors"], pure: true },
  errors: { from: [], pure: true },
};

const sourceFile = /\.[cm]?[jt]sx?$/;

/** Checks every source file under `srcDir`. Returns one line per violation; none means that every arrow holds. */
export function checkArrows(srcDir: string): readonly string[] {
  const files = readdirSync(srcDir, { recursive: true, encoding: "utf8" })
    .map((path) => path.split(sep).join("/"))
    .filter((path) => sourceFile.test(path))
    .toSorted();
  // A check that looks at nothing passes for ever, so an empty tree is a violation of its own.
  if (files.length === 0) return [`${srcDir}: no source files to check`];
  return files.flatMap((file) => checkFile(file, readFileSync(join(srcDir, file), "utf8")));
}

function checkFile(file: string, text: string): readonly string[] {
  const name = layerOf(file);
  const layer = layers[name];
  if (layer === undefined) return [`src/${file}: no rule says what src/${name} may import`];
  const { program, errors } = parseSync(file, text);
  const violations: string[] = [];
  const report = (offset: number, message: string): void => {
    violations.push(`src/${file}:${lineAt(text, offset)}: ${message}`);
  };
  for (const error of errors) report(error.labels[0]?.start ?? 0, `cannot be parsed: ${error.message}`);

  const onImport = (start: number, specifier: string | undefined, typeOnly: boolean): void => {
    const problem = importProblem(file, name, layer, specifier, typeOnly);
    if (problem !== undefined) report(start, problem);
  };
  const onImpure = (start: number, what: string): void => {
    if (layer.pure)
      report(start, `${name} must not use ${what}: it is pure, so it takes such values as arguments`);
  };
  new Visitor({
    ImportDeclaration: (node) => onImport(node.start, node.source.value, node.importKind === "type"),
    ExportAllDeclaration: (node) => onImport(node.start, node.source.value, node.exportKind === "type"),
    ExportNamedDeclaration: (node) => {
      if (node.source !== null) onImport(node.start, node.source.value, node.exportKind === "type");
    },
    ImportExpression: (node) => onImport(node.start, literalOf(node.source), false),
    TSImportType: (node) => onImport(node.start, node.source.value, true),
    TSExternalModuleReference: (node) => onImport(node.start, node.expression.value, false),
    MemberExpression: (node) => {
      if (node.object.type !== "Identifier") return;
      const property = node.property.type === "Identifier" ? node.property.name : literalOf(node.property);
      const what = `${node.object.name}.${property ?? ""}`;
      if (what === "Date.now" || what === "Math.random") onImpure(node.start, what);
      if (node.object.name === "process") onImpure(node.start, "process");
    },
    NewExpression: (node) => {
      if (node.arguments.length === 0 && isNamed(node.callee, "Date")) onImpure(node.start, "new Date()");
    },
    CallExpression: (node) => {
      if (isNamed(node.callee, "Date")) onImpure(node.start, "Date()");
      if (isNamed(node.callee, "require")) {
        const [argument] = node.arguments;
        onImport(node.start, argument && literalOf(argument), false);
      }
    },
  }).visit(program);
  return violations;
}

function importProblem(
  file: string,
  name: string,
  layer: Layer,
  specifier: string | undefined,
  typeOnly: boolean,
): string | undefined {
  if (specifier === undefined)
    return `${name} must not import a computed path: nobody can check where it points`;
  if (!specifier.startsWith(".")) {
    return layer.pure ? `${name} must not import "${specifier}": it is pure` : undefined;
  }
  const target = posix.join(posix.dirname(file), specifier);
  if (target.startsWith("../")) return `${name} must not import "${specifier}": it is outside src`;
  const targetName = layerOf(target);
  if (targetName === name) return undefined;
  if (layer.from.some((allowed) => isWithin(target, allowed))) return undefined;
  if (layer.typesFrom?.includes(targetName)) {
    return typeOnly ? undefined : `${name} may import only types from ${targetName} ("${specifier}")`;
  }
  return `${name} must not import ${targetName} ("${specifier}")`;
}

function layerOf(path: string): string {
  return (path.split("/")[0] ?? "").replace(sourceFile, "");
}

function isWithin(path: string, allowed: string): boolean {
  return path.startsWith(`${allowed}/`) || path.replace(sourceFile, "") === allowed;
}

function isNamed(node: { readonly type: string; readonly name?: unknown }, name: string): boolean {
  return node.type === "Identifier" && node.name === name;
}

function literalOf(node: { readonly type: string; readonly value?: unknown }): string | undefined {
  return node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

function main(): void {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..");
  const violations = checkArrows(join(root, "src"));
  for (const violation of violations) process.stderr.write(`${violation}\n`);
  if (violations.length > 0) process.exitCode = 1;
  else
    process.stdout.write(
      `every import in ${relative(process.cwd(), join(root, "src"))} points the right way\n`,
    );
}

const entry = process.argv[1];
if (entry !== undefined && realpathSync(entry) === fileURLToPath(import.meta.url)) main();
