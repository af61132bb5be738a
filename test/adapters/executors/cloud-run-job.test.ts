import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createExecutors } from "../../../src/adapters/executors/index.ts";
import type { CloudRunJobAction } from "../../../src/core/repair-action.ts";
import type { RunRequest } from "../../../src/reconcile/ports/executor.ts";
import { type CloudRunServer, type Overrides, startCloudRun } from "../../support/cloud-run/server.ts";
import { cloudRunAction, idleWarehouse, realClock, requestFor, until } from "./fixtures.ts";

let server: CloudRunServer;
let job = "";
let count = 0;
const executor = createExecutors({ warehouse: idleWarehouse, secrets: [], clock: realClock });

beforeAll(async () => {
  server = await startCloudRun("hush");
});
afterAll(() => server.stop());
beforeEach(() => {
  job = `fill-${(count += 1)}`;
});

function action(overrides: Partial<CloudRunJobAction> = {}): CloudRunJobAction {
  return cloudRunAction(server.url, { job, ...overrides });
}

function run(overrides: Partial<RunRequest> = {}, what = action()) {
  return executor.run(requestFor(what, overrides));
}

/** What another process ran the job with, for one date. */
function overridesOf(repairId: string, token: number, date: string, processor = "scores"): Overrides {
  const told = {
    PIPELINE: "nba",
    PROCESSOR: processor,
    REPAIR_ID: repairId,
    FENCING_TOKEN: token,
    DATES: date,
  };
  const env = Object.entries(told).map(([name, value]) => ({
    name: `GAP_RECONCILER_${name}`,
    value: String(value),
  }));
  return { containerOverrides: [{ env }], timeout: "60s" };
}

describe("an execution", () => {
  it("is given arguments, environment and a time limit", async () => {
    const what = action({
      container: "main",
      args: ["--from", "{{start_date}}"],
      env: { MODE: "{{processor}}" },
    });
    expect(await run({}, what)).toEqual({
      kind: "succeeded",
      logTail: expect.stringMatching(
        /^log of .*executions\/\S+: https:\/\/console\.cloud\.google\.com/,
      ) as string,
    });
    const [override] = server.ran.at(-1)?.containerOverrides ?? [];
    expect(override).toMatchObject({ name: "main", args: ["--from", "2024-01-30"] });
    expect(override?.env).toContainEqual({ name: "MODE", value: "scores" });
    expect(override?.env).toContainEqual({ name: "GAP_RECONCILER_REPAIR_ID", value: "repair-1" });
    expect(server.ran.at(-1)?.timeout).toBe("20s");
  });

  it("keeps the arguments of its job unless it is given others", async () => {
    await run();
    expect(server.ran.at(-1)?.containerOverrides[0]).not.toHaveProperty("args");
  });

  it.each([
    [65, "permanent"],
    [1, "retryable"],
  ])("is judged by the exit code %i of its task (%s)", async (exitCode, classification) => {
    server.plan(job, { kind: "fails", exitCode });
    expect(await run()).toMatchObject({
      classification,
      errorCode: `exit_${exitCode}`,
      message: expect.stringContaining(`Cloud Run execution ${job}-`) as string,
      logTail: expect.stringContaining("https://console.cloud.google.com/logs/") as string,
    });
  });

  it("fails all the same where its tasks may not be listed", async () => {
    server.plan(job, { kind: "fails", exitCode: 65 });
    server.addFault({
      call: "tasks.list",
      path: new RegExp(`/${job}/`),
      fault: { kind: "status", status: 403 },
    });
    expect(await run()).toMatchObject({ classification: "retryable", errorCode: "job_failed" });
  });

  it("may be tried again where somebody cancelled it", async () => {
    server.plan(job, { kind: "endless" });
    const before = server.calls.length;
    const running = run();
    await until("the run to be asked about", () => server.calls.slice(before).includes("executions.get"));
    server.cancelAll();
    expect(await running).toMatchObject({ classification: "retryable", errorCode: "run_cancelled" });
  });

  it("of an older run of one of the dates is cancelled first, and no other", async () => {
    server.plan(job, { kind: "endless" });
    const [cancelled, ran] = [server.cancelled(), server.ran.length];
    server.put(job, overridesOf("older", 1_600_000_000_000_000, "2024-02-01"));
    server.put(job, overridesOf("other-date", 1_600_000_000_000_001, "2024-03-01"));
    server.put(job, overridesOf("other-repair", 1_600_000_000_000_002, "2024-02-01", "grades"));
    const controller = new AbortController();
    const running = run({ signal: controller.signal });
    await until("the run to begin", () => server.ran.length > ran);
    expect(server.cancelled()).toBe(cancelled + 1);
    controller.abort();
    expect((await running).kind).toBe("cancelled");
    expect(server.cancelled()).toBe(cancelled + 2);
  });

  it("of a newer run of one of the dates stops this run", async () => {
    server.plan(job, { kind: "endless" });
    const ran = server.ran.length;
    server.put(job, overridesOf("newer", 1_800_000_000_000_000, "2024-02-01"));
    expect(await run()).toMatchObject({ classification: "fenced", errorCode: "fence_refused" });
    expect(server.ran).toHaveLength(ran);
  });

  it("is found by its idempotency key after its answer was lost, and not run again", async () => {
    const path = new RegExp(`/${job}[/:]`);
    server.addFault({ call: "jobs.run", path, times: 1, fault: { kind: "lost" } });
    const ran = server.ran.length;
    expect(await run()).toMatchObject({ kind: "succeeded" });
    expect(server.ran).toHaveLength(ran + 1);
  });

  it("is not run where a quota is used up, and no date is charged", async () => {
    server.addFault({
      call: "jobs.run",
      path: new RegExp(`/${job}:`),
      fault: { kind: "status", status: 429 },
    });
    expect(await run()).toMatchObject({ classification: "systemic", systemic: "quota" });
  });
});

describe("what is checked beforehand", () => {
  it("is found right where the job is there, may be run, and does not try again by itself", async () => {
    expect(await executor.check(requestFor(action()))).toEqual([]);
  });

  it("names each missing permission, and tells of retries that nobody counts", async () => {
    server.deny("run.jobs.runWithOverrides");
    server.shape({ containers: [{ name: "main" }, { name: "proxy" }] });
    const problems = await executor.check(requestFor(action()));
    expect(problems.map(({ level, message }) => [level, message.replace(/projects\S+/, "JOB")])).toEqual([
      ["error", "no permission run.jobs.runWithOverrides on JOB"],
      ["error", "JOB has several containers: main, proxy"],
      ["warning", "JOB tries a failed task 3 more times by itself"],
    ]);
    const named = await executor.check(requestFor(action({ container: "mian" })));
    expect(named[1]).toMatchObject({ hint: "it has main, proxy" });
  });

  it("says that there is no such job", async () => {
    server.addFault({
      call: "jobs.get",
      path: new RegExp(`/${job}$`),
      fault: { kind: "status", status: 404 },
    });
    const problems = await executor.check(requestFor(action()));
    expect(problems).toMatchObject([{ level: "error", message: expect.stringContaining("answered 404") }]);
  });
});

it("names the job before it is run, so that the ledger can tell where the run is", () => {
  const what = action({ job: "fill-{{start_date_nodash}}" });
  expect(executor.handleOf(requestFor(what))).toBe("projects/p/locations/us-west2/jobs/fill-20240130");
});
