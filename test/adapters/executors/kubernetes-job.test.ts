import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createExecutors } from "../../../src/adapters/executors/index.ts";
import { kubernetesAccess } from "../../../src/adapters/executors/kubernetes-access.ts";
import { manifestOf } from "../../../src/adapters/executors/kubernetes-manifest.ts";
import { parseIsoDate } from "../../../src/core/iso-date.ts";
import type { KubernetesJobAction } from "../../../src/core/repair-action.ts";
import type { RunRequest } from "../../../src/reconcile/ports/executor.ts";
import { type KubernetesServer, type Manifest, startKubernetes } from "../../support/kubernetes/server.ts";
import { idleWarehouse, kubernetesAction, realClock, requestFor, until } from "./fixtures.ts";

let server: KubernetesServer;
let folder = "";
let namespace = "";
let count = 0;
const executor = createExecutors({ warehouse: idleWarehouse, secrets: [], clock: realClock });

beforeAll(async () => {
  server = await startKubernetes("hush");
  folder = mkdtempSync(join(tmpdir(), "kubernetes-"));
  writeFileSync(join(folder, "token"), server.token);
  writeFileSync(join(folder, "ca.crt"), server.ca);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.stop();
});
beforeEach(() => {
  namespace = `data-${(count += 1)}`;
});

function action(overrides: Partial<KubernetesJobAction> = {}): KubernetesJobAction {
  const [tokenFile, caFile] = [join(folder, "token"), join(folder, "ca.crt")];
  return kubernetesAction({ cluster: { apiServer: server.url, tokenFile, caFile }, namespace, ...overrides });
}

function run(overrides: Partial<RunRequest> = {}, what = action()) {
  return executor.run(requestFor(what, overrides));
}

/** A Job as another process with another token made it. */
function jobOf(overrides: Partial<RunRequest>): Manifest {
  return manifestOf(action(), requestFor(action(), overrides), 60_000) as Manifest;
}

const older = { repairId: "older", token: 1_600_000_000_000_000 };
const newer = { repairId: "newer", token: 1_800_000_000_000_000 };

describe("the Job of a run", () => {
  it("has a name that the same run gives again, and tells its containers what to do", async () => {
    const template = {
      metadata: { labels: { team: "data" } },
      spec: {
        serviceAccountName: "fill",
        initContainers: [{ name: "fetch", image: "fetch:1" }],
        containers: [
          { name: "fill", image: "fill:1", args: ["{{start_date}}", "{{end_date}}", "{{idempotency_key}}"] },
          { name: "side", image: "side:1", env: [{ name: "MODE", value: "own" }] },
        ],
      },
    };
    await run({}, action({ template, env: { MODE: "{{processor}}" } }));
    const job = server.made.at(-1);
    expect(job?.metadata).toMatchObject({
      name: "nba-scores-20240130-1700000000000001",
      labels: { "gap-reconciler/pipeline": "nba", "gap-reconciler/repair": "scores" },
      annotations: { "gap-reconciler/fencing-token": "1700000000000001" },
    });
    expect(job?.spec).toMatchObject({
      backoffLimit: 0,
      activeDeadlineSeconds: 20,
      ttlSecondsAfterFinished: 3_600,
      template: {
        metadata: { labels: { team: "data", "gap-reconciler/pipeline": "nba" } },
        spec: { serviceAccountName: "fill", restartPolicy: "Never" },
      },
    });
    const { containers = [], initContainers = [] } = job?.spec.template.spec ?? {};
    expect(containers[0]?.args).toEqual(["2024-01-30", "2024-02-01", "repair-1"]);
    for (const { env } of [...containers, ...initContainers]) {
      expect(env.filter(({ name }) => name === "MODE")).toEqual([{ name: "MODE", value: "scores" }]);
      expect(env).toContainEqual({ name: "GAP_RECONCILER_FENCING_TOKEN", value: "1700000000000001" });
    }
  });

  it("keeps the length of a name that Kubernetes takes, whatever the repair is called", () => {
    const unit = { ...requestFor(action()).unit, name: `a_${"very_".repeat(18)}long_name` };
    const name = jobOf({ unit }).metadata.name;
    expect(name).toMatch(/^[a-z][a-z0-9-]*-20240130-1700000000000001$/);
    expect(name.length).toBeLessThanOrEqual(63);
    expect(jobOf({ unit, token: 1_700_000_000_000_002 }).metadata.name).not.toBe(name);
  });

  it("is a permanent error where the API server does not know a field of it", async () => {
    const { template } = action();
    expect(await run({}, action({ template: { ...template, sepc: {} } }))).toMatchObject({
      classification: "permanent",
      errorCode: "http_400",
      message: expect.stringContaining('unknown field "spec.template.sepc"') as string,
    });
  });
});

describe("how a Job ended", () => {
  it("is told with the end of the log of its last pod", async () => {
    server.plan(namespace, { kind: "succeeds", log: "filled 3 dates" });
    expect(await run()).toEqual({ kind: "succeeded", logTail: "new/fill: filled 3 dates" });
  });

  it.each([
    [64, "permanent"],
    [75, "retryable"],
    [137, "retryable"],
  ])("is judged by the exit code %i of its container (%s)", async (exitCode, classification) => {
    server.plan(namespace, { kind: "fails", exitCode, log: "no more", reason: "OOMKilled" });
    expect(await run()).toMatchObject({
      kind: "failed",
      classification,
      errorCode: `exit_${exitCode}`,
      message: `Job ${namespace}/nba-scores-20240130-1700000000000001, container fill, ended with exit code ${exitCode} (OOMKilled)`,
      logTail: "new/fill: no more",
    });
  });

  it("shows no secret of the config, whatever Kubernetes says", async () => {
    const secrets = ["hunter2-secret"];
    server.plan(namespace, { kind: "fails", exitCode: 1, log: "hunter2-secret", reason: "hunter2-secret" });
    const discreet = createExecutors({ warehouse: idleWarehouse, secrets, clock: realClock });
    const result = await discreet.run(requestFor(action()));
    expect(result).toMatchObject({
      message: expect.stringContaining("(***)") as string,
      logTail: "new/fill: ***",
    });
  });

  it("is a success whose log could not be read, where only that is forbidden", async () => {
    server.addFault({
      call: "pods.log",
      path: new RegExp(`/${namespace}/`),
      fault: { kind: "status", status: 403 },
    });
    expect(await run()).toMatchObject({
      kind: "succeeded",
      logTail: expect.stringMatching(/the log of the pod could not be read: .*answered 403/) as string,
    });
  });

  it("is a time limit, where Kubernetes ended it at its own", async () => {
    server.plan(namespace, { kind: "deadline" });
    expect(await run()).toMatchObject({ kind: "timed_out" });
  });

  it("says at the time limit what the pod was waiting for", async () => {
    server.plan(namespace, { kind: "stuck" });
    expect(await run({ timeoutMs: 1_500 })).toMatchObject({
      kind: "timed_out",
      message: expect.stringContaining("container fill waits: ImagePullBackOff, Back-off pulling") as string,
    });
    expect(server.removed.at(-1)).toBe("Foreground");
  });

  it("is a failure that may be tried again where somebody removed the Job", async () => {
    server.plan(namespace, { kind: "endless" });
    server.addFault({
      call: "jobs.get",
      path: new RegExp(`/${namespace}/`),
      fault: { kind: "status", status: 404 },
    });
    expect(await run()).toMatchObject({ classification: "retryable", errorCode: "run_gone" });
  });
});

describe("a Job that is there already", () => {
  it("is adopted where it is this run's, and not made again", async () => {
    server.put(namespace, jobOf({}));
    const before = server.made.length;
    expect(await run()).toMatchObject({ kind: "succeeded" });
    expect(server.made).toHaveLength(before);
  });

  it("is a conflict where it has this run's name and is another's", async () => {
    const own = jobOf({});
    server.put(namespace, { ...own, metadata: { ...own.metadata, annotations: {} } });
    expect(await run()).toMatchObject({ classification: "retryable", errorCode: "http_409" });
  });

  it("is ended first where it is an older run of one of the dates, as its process is dead or lost its lock", async () => {
    server.plan(namespace, { kind: "endless" });
    const left = jobOf(older);
    const others = ["2024-03-01", "2024-03-02", "2024-03-03"].map((date, index) =>
      jobOf({ repairId: date, token: older.token - index - 1, dates: [parseIsoDate(date)] }),
    );
    for (const job of [...others, left]) server.put(namespace, job);
    const controller = new AbortController();
    const before = server.made.length;
    const running = run({ signal: controller.signal });
    await until("the run to begin", () => server.made.length > before);
    expect(server.jobs()).not.toContain(left);
    expect(server.jobs()).toEqual(expect.arrayContaining(others));
    controller.abort();
    expect(await running).toMatchObject({
      kind: "cancelled",
      logTail: expect.stringContaining(`ended ${left.metadata.name}, an older run`) as string,
    });
    expect(server.jobs()).toEqual(expect.arrayContaining(others));
    expect(server.jobs()).not.toContain(server.made.at(-1));
  });

  it("is found however many there are, and is not called absent where they have no end", async () => {
    server.plan(namespace, { kind: "endless" });
    const put = (count: number, from: string): void => {
      for (let index = 0; index < count; index += 1) {
        const dates = [parseIsoDate("2024-03-01")];
        server.put(namespace, jobOf({ repairId: `${from}-${index}`, token: 1_000_000 + index, dates }));
      }
    };
    put(24, "some");
    const left = jobOf(older);
    server.put(namespace, left);
    const controller = new AbortController();
    const before = server.made.length;
    const running = run({ signal: controller.signal });
    await until("the run to begin", () => server.made.length > before);
    controller.abort();
    expect((await running).kind).toBe("cancelled");
    expect(server.jobs()).not.toContain(left);

    put(202, "many");
    expect(await run()).toMatchObject({ classification: "systemic", errorCode: "too_many_runs" });
    expect(server.made).toHaveLength(before + 1);
  });

  it("stops this run where it is a newer one: then the lock of this one is lost", async () => {
    server.plan(namespace, { kind: "endless" });
    server.put(namespace, jobOf(newer));
    const before = server.made.length;
    expect(await run()).toMatchObject({ classification: "fenced", errorCode: "fence_refused" });
    expect(server.made).toHaveLength(before);
  });

  it("is left alone where it is over", async () => {
    server.put(namespace, jobOf(newer));
    expect(await run()).toMatchObject({ kind: "succeeded" });
  });
});

describe("a cluster that is hard to reach", () => {
  it("is not told to make a Job again where it failed after it had made it", async () => {
    server.addFault({ call: "jobs.create", path: new RegExp(`/${namespace}/`), fault: { kind: "broken" } });
    const before = server.made.length;
    expect(await run()).toMatchObject({ kind: "succeeded" });
    expect(server.made).toHaveLength(before + 1);
  });

  it("keeps no Job that it made without a word, once the time of the run is over", async () => {
    server.plan(namespace, { kind: "endless" });
    server.addFault({ call: "jobs.create", path: new RegExp(`/${namespace}/`), fault: { kind: "mute" } });
    expect(await run({ timeoutMs: 1_500 })).toMatchObject({ kind: "timed_out" });
    expect(server.jobs()).not.toContain(server.made.at(-1));
  });

  it("is asked again while a Job runs, whatever passes", async () => {
    const path = new RegExp(`/${namespace}/`);
    server.addFault({ call: "jobs.get", path, times: 2, fault: { kind: "status", status: 500 } });
    server.addFault({ call: "jobs.get", path, times: 1, fault: { kind: "cut" } });
    server.addFault({ call: "jobs.get", path, times: 2, fault: { kind: "status", status: 403 } });
    server.addFault({ call: "jobs.get", path, skip: 1, times: 2, fault: { kind: "status", status: 403 } });
    server.plan(namespace, { kind: "endless" });
    const before = server.calls.length;
    const running = run();
    const asked = () => server.calls.slice(before).filter((call) => call === "jobs.get").length;
    await until("it to be asked after every fault", () => asked() > 8);
    server.plan(namespace, { kind: "succeeds", log: "done" });
    expect(await running).toMatchObject({ kind: "succeeded" });
  });

  it("ends a run that it keeps refusing to tell of, and says so for all dates", async () => {
    server.plan(namespace, { kind: "endless" });
    server.addFault({
      call: "jobs.get",
      path: new RegExp(`/${namespace}/`),
      fault: { kind: "status", status: 403 },
    });
    const removed = server.removed.length;
    expect(await run()).toMatchObject({ classification: "systemic", systemic: "authentication" });
    expect(server.removed).toHaveLength(removed + 1);
  });

  it("loses no run to a time in which it cannot be asked, however often that is tried", async () => {
    server.plan(namespace, { kind: "endless" });
    let pauses = 0;
    const sleep: typeof realClock.sleep = (ms, signal) => {
      pauses += 1;
      return realClock.sleep(ms, signal);
    };
    const patient = createExecutors({
      warehouse: idleWarehouse,
      secrets: [],
      clock: { ...realClock, sleep },
    });
    const [tokenFile, token] = [join(folder, "away"), readFileSync(join(folder, "token"))];
    writeFileSync(tokenFile, token);
    const cluster = { apiServer: server.url, tokenFile, caFile: join(folder, "ca.crt") };
    const before = server.calls.length;
    const running = patient.run(requestFor(action({ cluster })));
    await until("the run to be asked about", () => server.calls.slice(before).includes("jobs.get"));
    rmSync(tokenFile);
    const since = pauses;
    await until("many more tries", () => pauses > since + 5);
    writeFileSync(tokenFile, token);
    server.plan(namespace, { kind: "succeeds", log: "done" });
    expect(await running).toMatchObject({ kind: "succeeded" });
  });

  it("is called with the token that the file holds at that moment", async () => {
    server.plan(namespace, { kind: "endless" });
    const before = server.calls.length;
    const running = run();
    await until("the run to be asked about", () => server.calls.slice(before).includes("jobs.get"));
    server.renewToken("token-2");
    writeFileSync(join(folder, "token"), "token-2");
    server.plan(namespace, { kind: "succeeds", log: "done" });
    expect(await running).toMatchObject({ kind: "succeeded" });
  });

  it("is not reached at all without a token, a certificate or a cluster, and no date is charged", async () => {
    const missing = join(folder, "none");
    const at = (overrides: object) =>
      action({ cluster: { apiServer: server.url, tokenFile: null, caFile: null, ...overrides } });
    const systemic = { classification: "systemic", systemic: "authentication" };
    expect(await run({}, at({ tokenFile: missing, caFile: join(folder, "ca.crt") }))).toMatchObject({
      ...systemic,
      errorCode: "file_unreadable",
    });
    expect(await run({}, at({ caFile: null }))).toMatchObject({ ...systemic, errorCode: "tls_failed" });
    expect(await run({}, action({ cluster: null }))).toMatchObject({
      ...systemic,
      errorCode: "not_in_cluster",
      message: expect.stringContaining("set kubernetes_job.api_server") as string,
    });
  });

  it("is found by a pod from what Kubernetes gives it", async () => {
    writeFileSync(join(folder, "namespace"), "own\n");
    const pod = { host: "fd00::1", port: "443", folder };
    const options = { secrets: [], clock: realClock };
    const { api, namespace: own } = await kubernetesAccess({ cluster: null, namespace: null }, options, pod);
    expect([api.baseUrl, api.ca, own]).toEqual(["https://[fd00::1]:443", server.ca.trim(), "own"]);
    expect(await api.authorize()).toEqual({
      authorization: expect.stringMatching(/^Bearer token-/) as string,
    });
  });
});

describe("what is checked beforehand", () => {
  it("is found right, with nothing made", async () => {
    const before = server.made.length;
    expect(await executor.check(requestFor(action()))).toEqual([]);
    expect(server.made).toHaveLength(before);
  });

  it("names the fault of the template and each right that is missing", async () => {
    server.deny("delete jobs");
    server.deny("get pods/log");
    const { template } = action();
    const problems = await executor.check(requestFor(action({ template: { ...template, sepc: {} } })));
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('unknown field "spec.template.sepc"'),
      `no right to delete jobs in namespace ${namespace}`,
      `no right to get pods/log in namespace ${namespace}`,
    ]);
  });

  it("is told as not checked from outside of the cluster", async () => {
    expect(await executor.check(requestFor(action({ cluster: null })))).toMatchObject([{ level: "warning" }]);
  });

  it("says that the cluster is not there", async () => {
    const cluster = { apiServer: "https://127.0.0.1:1", tokenFile: null, caFile: null };
    const problems = await executor.check(requestFor(action({ cluster })));
    expect(problems).toMatchObject([{ level: "error", message: expect.stringContaining("127.0.0.1:1") }]);
  });
});

it("names the Job before it is made, so that the ledger can tell where it is", () => {
  expect(executor.handleOf(requestFor(action()))).toBe(
    `namespaces/${namespace}/jobs/nba-scores-20240130-1700000000000001`,
  );
});
