// Goal: repairs that run somewhere else, from the pipeline file to the proof: what was accepted is proven by the data, and what a
// dead process left behind is ended before its dates are run again. Method: the shipped command line against local servers.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { startReconcile } from "../support/cli.ts";
import { startKubernetes } from "../support/kubernetes/server.ts";
import { startPubsub } from "../support/pubsub/server.ts";
import { until } from "../adapters/executors/fixtures.ts";
import { gapsOf, type Scene, withScene } from "./scene.ts";

vi.setConfig({ testTimeout: 120_000 });

const warehouse = [
  "create schema nba",
  "create table nba.games as select day::date as game_date from range(date '2024-01-01', date '2024-01-04', interval 1 day) as days (day)",
  "create table nba.scores as select game_date from nba.games where game_date <> date '2024-01-02'",
];

function pipelineOf(repair: string): string {
  return `schedule: { table: nba.games, date_column: game_date }
processors:
  scores:
    table: nba.scores
    date_column: game_date
    repair: { backoff: [10ms], ${repair} }
`;
}

const fill = (scene: Scene): Promise<void> =>
  scene.warehouse.write(["insert into nba.scores values (date '2024-01-02')"]);

test("a message is proven by what its subscriber writes", async () => {
  const pubsub = await startPubsub("hush");
  const pipeline = pipelineOf(`pubsub: { topic: fill, project: proj, api_endpoint: "${pubsub.url}" }`);
  try {
    await withScene({ pipeline, warehouse }, async (scene) => {
      let written: Promise<void> = Promise.resolve();
      pubsub.onMessage(() => {
        written = fill(scene);
      });
      const { code, document } = await scene.report("--once");
      await written;
      expect({ code, gaps: document.gaps }).toEqual({ code: 0, gaps: [] });
      expect(pubsub.messages.map(({ attributes }) => attributes["start_date"])).toEqual(["2024-01-02"]);
      expect(await scene.ledger("select external_handle from repair_starts")).toEqual([
        ["projects/proj/topics/fill"],
      ]);
      expect(await scene.ledger("select outcome, message from repair_ends")).toEqual([
        ["repaired", "accepted as message 1 of projects/proj/topics/fill"],
      ]);
    });
  } finally {
    await pubsub.stop();
  }
});

test("the Job of a process that died is ended before its date is run again", async () => {
  const kubernetes = await startKubernetes("hush");
  const pipeline = pipelineOf(
    `kubernetes_job: { api_server: "${kubernetes.url}", namespace: data, token_file: token, ca_file: ca.crt, interval: 50ms, template: { spec: { containers: [{ name: fill, image: fill }] } } }`,
  );
  try {
    await withScene({ pipeline, warehouse }, async (scene) => {
      await writeFile(join(scene.folder, "token"), kubernetes.token);
      await writeFile(join(scene.folder, "ca.crt"), kubernetes.ca);
      kubernetes.plan("data", { kind: "endless" });
      const { child, ended } = startReconcile(["--once"], { cwd: scene.folder });
      await until("a Job to be made", () => kubernetes.made.length > 0, 60_000);
      child.kill("SIGKILL");
      await ended;
      const [orphan] = kubernetes.jobs();
      const name = orphan?.metadata.name ?? "";
      expect(await scene.ledger("select external_handle from repair_starts")).toEqual([
        [`namespaces/data/jobs/${name}`],
      ]);

      let written: Promise<void> = Promise.resolve();
      let wasOrphanThere = true;
      kubernetes.onMade(() => {
        wasOrphanThere = orphan === undefined || kubernetes.jobs().includes(orphan);
        written = fill(scene).then(() => kubernetes.plan("data", { kind: "succeeds", log: "filled" }));
      });
      const { code, document } = await scene.report("--once");
      await written;
      expect({ code, gaps: gapsOf(document) }).toEqual({ code: 0, gaps: [] });
      expect(wasOrphanThere).toBe(false);
      expect(kubernetes.made).toHaveLength(2);
      expect(kubernetes.made[1]?.metadata.name).not.toBe(name);
      const [first, second] = await scene.ledger(
        "select outcome, log_tail from repair_ends order by started_at",
      );
      expect(first?.[0]).toBe("lost");
      expect(second).toEqual([
        "repaired",
        expect.stringMatching(new RegExp(`ended ${name}, an older run of the same dates\\n.*filled$`)),
      ]);
    });
  } finally {
    await kubernetes.stop();
  }
});
