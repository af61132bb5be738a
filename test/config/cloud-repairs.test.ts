import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RepairAction } from "../../src/core/repair-action.ts";
import { faults, load, loadError, pipelineYaml } from "./load.ts";

const pod = "template: { spec: { containers: [{ name: fill, image: fill }] } }";
const bigQuery = "warehouse: { type: bigquery, project: shop-prod }\nledger: { dataset: shop }";

function yamlOf(repair: string, warehouse?: string): string {
  const yaml = pipelineYaml(`  a: { table: raw.a, date_column: game_date, repair: { ${repair} } }`);
  return warehouse === undefined
    ? yaml
    : yaml.replace("warehouse: { type: duckdb, path: ./warehouse.duckdb }", warehouse);
}

async function actionOf(
  repair: string,
  warehouse?: string,
): Promise<{ action?: RepairAction; folder: string }> {
  const { config, folder } = await load({ yaml: yamlOf(repair, warehouse) });
  const action = config.pipeline.repairUnits[0]?.action;
  return action === undefined ? { folder } : { action, folder };
}

async function faultsOf(repair: string): Promise<readonly string[]> {
  return faults(await loadError({ yaml: yamlOf(repair) }));
}

describe("a repair that runs somewhere else", () => {
  test("is a Job in the cluster of the process, with what programs are given everywhere", async () => {
    const { action } = await actionOf(
      `kubernetes_job: { ${pod} }, env: { MODE: "{{attempt}}" }, exit_codes: { permanent: [3] }`,
    );
    expect(action).toEqual({
      kind: "kubernetes_job",
      cluster: null,
      namespace: null,
      template: { spec: { containers: [{ name: "fill", image: "fill" }] } },
      env: { MODE: "{{attempt}}" },
      exitCodes: { retryable: [75], permanent: [3] },
      intervalMs: 5_000,
      ttlAfterFinishedMs: 86_400_000,
    });
  });

  test("is a Job in a cluster that is named, with its files beside the config", async () => {
    const { action, folder } = await actionOf(
      `kubernetes_job: { ${pod}, namespace: data, api_server: "https://10.0.0.1:6443", token_file: token, ca_file: /ca.crt }`,
    );
    expect(action).toMatchObject({
      cluster: { apiServer: "https://10.0.0.1:6443", tokenFile: join(folder, "token"), caFile: "/ca.crt" },
      namespace: "data",
    });
  });

  test("takes the project of a BigQuery warehouse unless it has its own", async () => {
    const run = await actionOf("cloud_run_job: { job: fill, location: us-west2 }", bigQuery);
    expect(run.action).toMatchObject({
      project: "shop-prod",
      args: null,
      container: null,
      apiEndpoint: "https://run.googleapis.com",
    });
    const message = await actionOf(
      'pubsub: { topic: fill, project: other, data: { d: "{{dates}}" } }',
      bigQuery,
    );
    expect(message.action).toMatchObject({ project: "other", data: '{"d":"{{dates}}"}', attributes: {} });
    const [fault] = await faultsOf("cloud_run_job: { job: fill, location: us-west2 }");
    expect(fault).toMatch(/cloud_run_job\.project expected the id of a Google Cloud project/);
  });

  test("is the same repair wherever the files lie that say how to reach the cluster", async () => {
    const hashAt = async (tokenFile: string) => {
      const where = `namespace: n, api_server: "https://k:6443", token_file: ${tokenFile}`;
      const { config } = await load({ yaml: yamlOf(`kubernetes_job: { ${pod}, ${where} }`) });
      return config.pipeline.repairUnits[0]?.hash;
    };
    expect(await hashAt("/run/token")).toBe(await hashAt("/var/token"));
  });
});

describe("what is refused of it, with its place", () => {
  test.each([
    [
      `kubernetes_job: { ${pod.replace("fill }", '"{{strat_date}}" }')} }`,
      /image .*unknown \{\{strat_date\}\}.*start_date/,
    ],
    [`kubernetes_job: { ${pod} }, env: { A: "{{dtaes}}" }`, /env\.A .*unknown \{\{dtaes\}\}/],
    [
      'cloud_run_job: { job: j, location: us-west2, project: proj, args: ["{{datez}}"] }',
      /args\[0\] .*\{\{datez\}\}/,
    ],
    [
      'pubsub: { topic: fill, project: proj, data: { a: ["{{when}}"] } }',
      /pubsub\.data\.a\[0\] .*\{\{when\}\}/,
    ],
    ['pubsub: { topic: fill, project: proj, attributes: { a: "{{when}}" } }', /attributes\.a .*\{\{when\}\}/],
    [
      'pubsub: { topic: fill, project: proj, ordering_key: "{{response.id}}" }',
      /ordering_key .*only in http\.poll\.url/,
    ],
    [
      "kubernetes_job: { template: { spec: {} } }",
      /template\.spec\.containers expected a list of at least one/,
    ],
    [
      "kubernetes_job: { template: { spec: { restartPolicy: OnFailure, containers: [{ name: a }] } } }",
      /restartPolicy expected Never, or no restartPolicy/,
    ],
    [`kubernetes_job: { ${pod}, token_file: t }`, /token_file expected api_server beside token_file/],
    [
      `kubernetes_job: { ${pod}, api_server: "https://k" }`,
      /namespace expected a namespace, as api_server names/,
    ],
    [
      `kubernetes_job: { ${pod}, namespace: n, api_server: "http://k", token_file: t }`,
      /api_server expected https, as the token goes with each call/,
    ],
    [
      "cloud_run_job: { job: Fill_It, location: us-west2, project: proj }",
      /job expected the name of a Cloud Run job/,
    ],
    [
      "cloud_run_job: { job: fill, location: Iowa, project: proj }",
      /location expected a region, such as us-west2/,
    ],
    ["pubsub: { topic: goog-fill, project: proj }", /topic expected the name of a topic/],
    [
      "pubsub: { topic: fill, project: proj }, env: { A: b }",
      /expected no env, which belongs to command, kubernetes_job, cloud_run_job/,
    ],
    [`kubernetes_job: { ${pod} }, cwd: x`, /expected no cwd, which belongs to command/],
    ["pubsub: { topic: fill, project: proj, ordering: a }", /ordering_key/],
  ])("%s", async (repair, fault) => {
    expect((await faultsOf(repair))[0]).toMatch(fault);
  });
});
