// Runs every benchmark in one process, one after the other. `--format json` prints one document for programs.
import { parseArgs } from "node:util";
import { findRedisServer } from "../scripts/redis-server.ts";
import { detectBenchmarks } from "./detect.ts";
import { httpBenchmarks } from "./http.ts";
import { latencyBenchmarks } from "./latency.ts";
import type { Benchmark } from "./measure.ts";
import { metricsBenchmark } from "./metrics.ts";
import { overheadBenchmarks } from "./overhead.ts";
import { pageBenchmarks } from "./page.ts";
import { planBenchmark } from "./plan.ts";
import { queueBenchmark } from "./queue.ts";
import { scanBytesBenchmarks } from "./scan-bytes.ts";

const { values } = parseArgs({ options: { format: { type: "string", default: "text" } } });
if (values.format !== "text" && values.format !== "json") {
  throw new Error(`expected --format text or json, found "${values.format}"`);
}

const hasRedis = findRedisServer() !== null;
if (!hasRedis) {
  console.error(
    "dispatch, latency and overhead are left out: there is no Redis server on the PATH (`npm run pretest` gets one)",
  );
}

const benchmarks: readonly Benchmark[] = [
  await planBenchmark(),
  await metricsBenchmark(),
  ...(await pageBenchmarks()),
  ...(await httpBenchmarks()),
  ...(await detectBenchmarks()),
  ...(await scanBytesBenchmarks()),
  ...(hasRedis
    ? [await queueBenchmark(), ...(await latencyBenchmarks()), ...(await overheadBenchmarks())]
    : []),
];

console.log(values.format === "json" ? JSON.stringify({ benchmarks }) : table(benchmarks));

function table(list: readonly Benchmark[]): string {
  const rows = [
    ["benchmark", "value", "baseline", "ratio"],
    ...list.map(({ name, value, unit, baseline, ratio }) => [
      name,
      `${value} ${unit}`,
      `${baseline} ${unit}`,
      `${ratio.toFixed(2)} ×`,
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  "),
    )
    .join("\n");
}
