// Bundles src/ into dist/: one file that every command loads and a few that some do, as most of a short command's time was
// Node finding and reading two hundred small files. The output goes to a sibling folder first and takes the place of dist/
// only when it is whole: a failed build leaves the last good one, and two builds at once never mix their files.
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const source = join(root, "src");
const staging = join(root, `.dist-${process.pid}`);

/** Plain JavaScript that every command needs. Whatever else is installed is loaded from where it is installed. */
const bundled = new Set([
  "commander",
  "fastest-levenshtein",
  "get-east-asian-width",
  "pino",
  "pino-pretty",
  "yaml",
  "zod",
]);

try {
  const bundle = await rolldown({
    input: join(source, "cli.ts"),
    platform: "node",
    external: (id, importer = "") =>
      /^[\w@]/.test(id) &&
      !bundled.has(id) &&
      // The bundler's own helpers, which it has with it.
      !id.startsWith("@oxc-project/runtime/") &&
      !importer.includes(`${sep}node_modules${sep}`),
    plugins: [{ name: "places", transform: { filter: { code: "import.meta.url" }, handler: keepPlaces } }],
  });
  const { output } = await bundle.write({ dir: staging, format: "esm", chunkFileNames: "[name]-[hash].js" });
  await bundle.close();
  checkImports(output);
  // What is no module (programs of their own, pages, statements) keeps its place, as if nothing were bundled.
  for (const path of readdirSync(source, { recursive: true })) {
    if (!["", ".ts"].includes(extname(path))) cpSync(join(source, path), join(staging, path));
  }
  chmodSync(join(staging, "cli.js"), 0o755);
  replaceDist();
} finally {
  rmSync(staging, { recursive: true, force: true });
}

/** A module goes on finding the files beside it: `import.meta.url` is the place that it would have unbundled. */
function keepPlaces(code, id) {
  if (!id.startsWith(source + sep)) return null;
  const place = `./${relative(source, id).replaceAll(sep, "/").replace(/\.ts$/, ".js")}`;
  return code.replaceAll("import.meta.url", `new URL(${JSON.stringify(place)}, import.meta.url).href`);
}

/** What the bundle imports is installed in production: the bundler may bring in helpers of its own, which are not. */
function checkImports(output) {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const { fileName, imports = [], dynamicImports = [] } of output) {
    for (const id of [...imports, ...dynamicImports].filter((id) => /^[\w@]/.test(id) && !isBuiltin(id))) {
      const name = id.split("/", id.startsWith("@") ? 2 : 1).join("/");
      if (name in dependencies || output.some((file) => file.fileName === id)) continue;
      throw new Error(`expected dependencies of package.json in ${fileName}, found an import of ${id}`);
    }
  }
}

function replaceDist() {
  const dist = join(root, "dist");
  const old = `${staging}-old`;
  // Another build may put its own dist/ back between the two renames; either result is whole, so try again.
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (existsSync(dist)) renameSync(dist, old);
      renameSync(staging, dist);
      break;
    } catch (error) {
      if (attempt === 5) throw error;
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  }
}
