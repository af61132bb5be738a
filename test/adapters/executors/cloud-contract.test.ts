import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createExecutors } from "../../../src/adapters/executors/index.ts";
import { type Expected, type Fault, faults, describeExecutorContract } from "../../contract/executor.ts";
import type { ApiFault, ApiServer } from "../../support/api-server.ts";
import { freePort } from "../../support/free-port.ts";
import { startCloudRun } from "../../support/cloud-run/server.ts";
import { startKubernetes } from "../../support/kubernetes/server.ts";
import { startPubsub } from "../../support/pubsub/server.ts";
import {
  cloudRunAction,
  idleWarehouse,
  kubernetesAction,
  pubsubAction,
  realClock,
  requestFor,
} from "./fixtures.ts";

const secret = "s3cret-hunter2";
const plain = {
  executor: createExecutors({ warehouse: idleWarehouse, secrets: [secret], clock: realClock }),
  secret,
  request: requestFor,
};

/** What each fault is on the call that starts a run. */
const faultsOfStart: Readonly<Partial<Record<Fault, ApiFault>>> = {
  unauthorized: { kind: "status", status: 401 },
  forbidden: { kind: "status", status: 403 },
  not_found: { kind: "status", status: 404 },
  conflict: { kind: "status", status: 409 },
  too_many: { kind: "status", status: 429, retryAfter: "7" },
  server_error: { kind: "status", status: 500 },
  hang: { kind: "hang" },
  cut: { kind: "cut" },
  done_but_lost: { kind: "lost" },
};

/** Each fault has a namespace, a job or a topic of its own. */
const nameOf = (fault: Fault): string => `fill-${fault.replaceAll("_", "-")}`;

function addFaults(server: ApiServer, call: string): void {
  for (const name of faults) {
    const fault = faultsOfStart[name];
    if (fault !== undefined) server.addFault({ call, path: new RegExp(`/${nameOf(name)}[/:]`), fault });
  }
}

/** What a container is told in its environment. */
function datesIn(env: readonly { readonly name: string; readonly value: string }[] = []): readonly string[] {
  return env.find(({ name }) => name === "GAP_RECONCILER_DATES")?.value.split(",") ?? [];
}

const otherwise: Readonly<Partial<Record<Fault, Expected>>> = {
  // What the config names is not there, whatever the date: a date must not be given up for it.
  not_found: { kind: "failed", classification: "systemic", systemic: "executable_not_found" },
};
/** A run that was started is found by what it carries, so that it is neither run twice nor given up. */
const found: Expected = { kind: "succeeded" };

describeExecutorContract(
  "kubernetes_job",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "kubernetes-"));
    const server = await startKubernetes(secret);
    addFaults(server, "jobs.create");
    server.plan(nameOf("endless"), { kind: "endless" });
    server.plan(nameOf("success"), { kind: "succeeds", log: `login with ${secret}` });
    const [tokenFile, caFile] = [join(folder, "token"), join(folder, "ca.crt")];
    writeFileSync(tokenFile, server.token);
    writeFileSync(caFile, server.ca);
    const at = (apiServer: string, fault: Fault) =>
      kubernetesAction({ cluster: { apiServer, tokenFile, caFile }, namespace: nameOf(fault) });
    const actions = Object.fromEntries(faults.map((fault) => [fault, at(server.url, fault)]));
    const refused = at(`https://127.0.0.1:${await freePort()}`, "refused");
    return {
      harness: {
        ...plain,
        effects: () => Promise.resolve(server.effects()),
        isRunning: () => Promise.resolve(server.calls.includes("jobs.create")),
        underWay: () => Promise.resolve(server.jobs().length - server.effects()),
        told: () => Promise.resolve(datesIn(server.made.at(-1)?.spec.template.spec.containers[0]?.env)),
        async cleanup() {
          rmSync(folder, { recursive: true, force: true });
          await server.stop();
        },
      },
      actions: { ...actions, refused },
    };
  },
  faults,
  { ...otherwise, done_but_lost: found },
);

describeExecutorContract(
  "cloud_run_job",
  async () => {
    const server = await startCloudRun(secret);
    addFaults(server, "jobs.run");
    server.plan(nameOf("endless"), { kind: "endless" });
    const at = (url: string, fault: Fault) => cloudRunAction(url, { job: nameOf(fault) });
    const actions = Object.fromEntries(faults.map((fault) => [fault, at(server.url, fault)]));
    const refused = at(`http://127.0.0.1:${await freePort()}`, "refused");
    return {
      harness: {
        ...plain,
        effects: () => Promise.resolve(server.effects()),
        isRunning: () => Promise.resolve(server.calls.includes("jobs.run")),
        underWay: () => Promise.resolve(server.underWay()),
        told: () => Promise.resolve(datesIn(server.ran.at(-1)?.containerOverrides[0].env)),
        cleanup: () => server.stop(),
      },
      actions: { ...actions, refused },
    };
  },
  faults,
  { ...otherwise, done_but_lost: found },
);

describeExecutorContract(
  "pubsub",
  async () => {
    const server = await startPubsub(secret);
    addFaults(server, "topics.publish");
    const at = (url: string, fault: Fault) =>
      pubsubAction(url, { topic: nameOf(fault), attributes: { dates: "{{dates}}" } });
    const actions = Object.fromEntries(faults.map((fault) => [fault, at(server.url, fault)]));
    const refused = at(`http://127.0.0.1:${await freePort()}`, "refused");
    return {
      harness: {
        ...plain,
        effects: () => Promise.resolve(server.messages.length),
        isRunning: () => Promise.resolve(server.calls.includes("topics.publish")),
        told: () => Promise.resolve(server.messages.at(-1)?.attributes["dates"]?.split(",") ?? []),
        cleanup: () => server.stop(),
      },
      actions: { ...actions, refused },
    };
  },
  // What a subscriber does with a message is not seen from here: nothing is under way that could be endless.
  faults.filter((fault) => fault !== "endless"),
  { ...otherwise, success: { kind: "accepted" } },
);
