import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createExecutors } from "../../src/adapters/executors/index.ts";
import { manifestOf } from "../../src/adapters/executors/kubernetes-manifest.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { idleWarehouse, realClock, requestFor } from "../adapters/executors/fixtures.ts";

const file = fileURLToPath(new URL("../../examples/cloud/pipeline.yaml", import.meta.url));

test("the cloud pipeline loads, and each of its repairs runs somewhere else", async () => {
  const { pipeline } = await loadConfig({ file, target: null, env: { GCP_PROJECT: "shop-prod" } });
  expect(pipeline.repairUnits.map(({ name, batch, action }) => [name, batch, action.kind])).toEqual([
    ["orders", "range", "kubernetes_job"],
    ["revenue", "list", "cloud_run_job"],
    ["reports", "single", "pubsub"],
  ]);
  const executor = createExecutors({ warehouse: idleWarehouse, secrets: [], clock: realClock });
  const launches = pipeline.repairUnits.map((unit) => ({
    ...requestFor(unit.action),
    unit,
    pipeline: pipeline.name,
    processors: unit.processors.flatMap((index) => pipeline.processors[index] ?? []),
  }));
  expect(launches.map((launch) => executor.handleOf(launch))).toEqual([
    "jobs/shop-orders-20240130-1700000000000001",
    "projects/shop-prod/locations/europe-west3/jobs/revenue-build",
    "projects/shop-prod/topics/daily-report-requests",
  ]);
  const [first] = launches;
  const action = first?.action;
  if (first === undefined || action?.kind !== "kubernetes_job") throw new Error("expected a Job first");
  expect(manifestOf(action, first, 60_000)).toMatchObject({
    spec: {
      template: {
        spec: {
          containers: [
            {
              image: "europe-west3-docker.pkg.dev/shop-prod/shop/orders-loader:1.4.2",
              args: ["--from=2024-01-30", "--to=2024-02-01", "--fencing-token=1700000000000001"],
            },
          ],
        },
      },
    },
  });
});
