// Compiles src/ to dist/. The output goes to a sibling folder first and takes the place of dist/ only when it is whole:
// a failed build leaves the last good one, and two builds at once never mix their files.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const staging = join(root, `.dist-${process.pid}`);
const compiled = new Set([".ts", ".mts", ".js", ".mjs"]);

try {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const args = [tsc, "--project", join(root, "tsconfig.build.json"), "--outDir", staging];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    process.exitCode = 1;
  } else {
    // What tsc does not emit (pages, styles) keeps its place beside the code that reads it.
    cpSync(join(root, "src"), staging, { recursive: true, filter: (path) => !compiled.has(extname(path)) });
    chmodSync(join(staging, "cli.js"), 0o755);
    replaceDist();
  }
} finally {
  rmSync(staging, { recursive: true, force: true });
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
