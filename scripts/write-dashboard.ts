import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildDashboard } from "./dashboard/build.ts";
import { dashboardRows } from "./dashboard/rows.ts";

/** Writes the Grafana dashboard that the repository holds. */
const file = new URL("../deploy/grafana/gap-reconciler.json", import.meta.url);
writeFileSync(file, `${JSON.stringify(buildDashboard(dashboardRows), null, 2)}\n`);
execFileSync("npx", ["--no-install", "biome", "format", "--write", fileURLToPath(file)], { stdio: "ignore" });
