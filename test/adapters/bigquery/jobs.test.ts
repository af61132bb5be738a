import { afterEach, describe, expect, test, vi } from "vitest";
import { Api } from "../../../src/adapters/bigquery/api.ts";
import type { JobOptions } from "../../../src/adapters/bigquery/job-configuration.ts";
import { Jobs } from "../../../src/adapters/bigquery/jobs.ts";
import { limitsOf } from "../../../src/adapters/bigquery/limits.ts";
import { QueryError } from "../../../src/adapters/sql/query-error.ts";
import { parameter } from "../../../src/adapters/bigquery/parameters.ts";
import {
  type Answer,
  type Asked,
  doneAnswers,
  errorAnswer,
  type Scripted,
  startScripted,
} from "./scripted.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const options: JobOptions = {
  location: "EU",
  maximumBytesBilled: 20_000_000_000,
  labels: { team: "data", pipeline: "nba" },
  pipeline: "nba",
  cycle: () => "cycle-7",
};

async function start(
  answer: (asked: Asked, count: number) => Answer,
  given: JobOptions = options,
): Promise<{ jobs: Jobs; server: Scripted }> {
  const server = await startScripted(answer);
  cleanups.push(() => server.stop());
  const api = new Api({ project: "shop", apiEndpoint: server.url, retryFromMs: 5 });
  return { jobs: new Jobs(api, given), server };
}

const statement = { sql: "select 1", purpose: "profile" };
const limits = () => limitsOf(20_000);
const inserts = ({ asked }: Scripted) =>
  asked.filter(({ method, path }) => method === "POST" && path === "/jobs");
const cancels = ({ asked }: Scripted) => asked.filter(({ path }) => path.endsWith("/cancel"));

describe("a statement", () => {
  test("runs as a job whose id says who asks, with its labels, its location and its limit of bytes", async () => {
    const { jobs, server } = await start(doneAnswers());
    const parameters = [parameter("p0", "DATE", "2024-01-02")];
    const outcome = await jobs.read({ ...statement, parameters }, limits());
    expect(outcome).toMatchObject({ bytesBilled: 10_485_760, rowsChanged: 3, session: null });
    expect(outcome.rows.numbers(0)).toEqual(Float64Array.of(1));
    const [insert] = inserts(server);
    expect(insert?.body.jobReference).toMatchObject({
      location: "EU",
      jobId: expect.stringMatching(/^gap-reconciler_nba_cycle-7_profile_[0-9a-f-]{36}$/),
    });
    expect(insert?.body.configuration).toMatchObject({
      labels: { team: "data", pipeline: "nba", purpose: "profile" },
      query: {
        maximumBytesBilled: "20000000000",
        useLegacySql: false,
        parameterMode: "NAMED",
        queryParameters: parameters,
      },
    });
    const asked = server.asked.filter(({ method }) => method === "GET");
    expect(new Set(asked.map(({ query }) => query.get("location")))).toEqual(new Set(["EU"]));
    expect([jobs.takeBytesBilled(), jobs.takeBytesBilled()]).toEqual([10_485_760, 0]);
  });

  test("gives the rows of all its pages, whole numbers with all their digits", async () => {
    const { jobs } = await start(doneAnswers([["9007199254740993", "2"], [], ["3"]]));
    const { rows } = await jobs.read(statement, limits());
    expect(rows.rowCount).toBe(3);
    expect(rows.strings(0)).toEqual(["9007199254740993", "2", "3"]);
  });

  test("is waited for while its job runs", async () => {
    const done = doneAnswers();
    let polls = 0;
    const { jobs } = await start((asked) => {
      if (!asked.path.startsWith("/queries/")) return done(asked);
      polls += 1;
      return polls < 3 ? { body: { jobComplete: false } } : done(asked);
    });
    expect((await jobs.read(statement, limits())).rows.rowCount).toBe(1);
    expect(polls).toBe(3);
  });

  test("that takes too long is cancelled by its job's id", async () => {
    const done = doneAnswers();
    const { jobs, server } = await start((asked) =>
      asked.path.startsWith("/queries/") ? "hang" : done(asked),
    );
    await expect(jobs.read(statement, limitsOf(1_000))).rejects.toMatchObject({
      code: "warehouse_timeout",
      message: expect.stringContaining("1 s"),
    });
    const jobId = inserts(server)[0]?.body.jobReference?.jobId;
    expect(cancels(server).map(({ path }) => path)).toEqual([`/jobs/${jobId}/cancel`]);
  });

  test("that is called off is cancelled at once, though nobody knows yet whether it began", async () => {
    const done = doneAnswers();
    const { jobs, server } = await start((asked) => (asked.path === "/jobs" ? "hang" : done(asked)));
    const stop = new AbortController();
    const running = jobs.read(statement, limitsOf(20_000, stop.signal));
    await expect.poll(() => server.asked).toHaveLength(1);
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: "interrupted" });
    expect(cancels(server)).toHaveLength(1);
  });

  test("that cannot be cancelled says so, as it goes on and bills", async () => {
    const done = doneAnswers();
    const { jobs } = await start((asked) => {
      if (asked.path.endsWith("/cancel")) return errorAnswer(403, "accessDenied", "you may not cancel");
      return asked.path.startsWith("/queries/") ? "hang" : done(asked);
    });
    await expect(jobs.read(statement, limitsOf(1_000))).rejects.toMatchObject({
      code: "warehouse_timeout",
      message: expect.stringMatching(/could not be cancelled: you may not cancel/),
    });
  });
});

describe("an answer that is lost", () => {
  test("is asked for once more where there is none at all, and no longer: others wait to hear of it", async () => {
    const server = await startScripted(() => "hang");
    cleanups.push(() => server.stop());
    const api = new Api({ project: "shop", apiEndpoint: server.url, retryFromMs: 5, callLimitMs: 50 });
    await expect(new Jobs(api, options).read(statement, limits())).rejects.toMatchObject({
      code: "warehouse_unavailable",
      message: "BigQuery does not answer: no answer within 0.05 s",
    });
    expect(inserts(server)).toHaveLength(2);
  });

  test.each(["cut", "drop"] as const)("(%s) is asked for again, and the job runs once", async (fault) => {
    const done = doneAnswers();
    const { jobs, server } = await start((asked, count) => {
      if (asked.path === "/jobs" && count === 1) return fault;
      // The first call made the job, though its answer was lost.
      if (asked.path === "/jobs") return errorAnswer(409, "duplicate", "Already Exists: Job");
      return done(asked);
    });
    expect((await jobs.write(statement, limits())).rowsChanged).toBe(3);
    const ids = inserts(server).map(({ body }) => body.jobReference?.jobId);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  test("is found where BigQuery says that its job is, where the config names no location", async () => {
    const done = doneAnswers();
    const { jobs, server } = await start(
      (asked, count) => {
        if (asked.path !== "/jobs") return done(asked);
        const id = asked.body.jobReference?.jobId;
        return count === 1
          ? "drop"
          : errorAnswer(409, "duplicate", `Already Exists: Job example.com:shop:us-west2.${id}`);
      },
      { ...options, location: null },
    );
    expect((await jobs.write(statement, limits())).rowsChanged).toBe(3);
    const found = server.asked.find(({ path }) => path.startsWith("/jobs/"));
    expect(found?.query.get("location")).toBe("us-west2");
  });

  test("every time, is an error that can be caught, and leaves the process alive", async () => {
    const { jobs, server } = await start(() => "cut");
    await expect(jobs.read(statement, limits())).rejects.toMatchObject({
      code: "warehouse_unavailable",
      message: expect.stringContaining("cut off"),
    });
    expect(server.asked.length).toBe(5);
  });

  test("where nobody listens is an outage, not a fault of the statement", async () => {
    const { jobs, server } = await start(doneAnswers());
    await server.stop();
    await expect(jobs.read(statement, limits())).rejects.toMatchObject({
      code: "warehouse_unavailable",
      hint: expect.stringContaining("warehouse.api_endpoint"),
    });
  });
});

describe("a failure", () => {
  const jobDenied =
    "Access Denied: Project shop: User does not have bigquery.jobs.create permission in project shop.";
  const dataDenied =
    "Access Denied: Table shop:raw.games: User does not have bigquery.tables.getData permission.";

  test.each([
    [400, "invalidQuery", "Syntax error", "warehouse_query_failed", "failed", null],
    [404, "notFound", "Not found: Table shop:raw.gamez", "warehouse_query_failed", "not_found", "location"],
    [
      403,
      "accessDenied",
      jobDenied,
      "warehouse_permission",
      "permission",
      "roles/bigquery.jobUser on the project",
    ],
    [
      403,
      "accessDenied",
      dataDenied,
      "warehouse_permission",
      "permission",
      "roles/bigquery.dataViewer on the dataset",
    ],
    [403, "accessDenied", "Access Denied", "warehouse_permission", "permission", "roles/bigquery.jobUser"],
    [
      400,
      "bytesBilledLimitExceeded",
      "Query exceeded limit for bytes billed",
      "warehouse_budget",
      "budget",
      "maximum_bytes_billed",
    ],
    [400, "resourcesExceeded", "Resources exceeded", "warehouse_query_failed", "failed", null],
    [403, "quotaExceeded", "Quota exceeded: 200 TiB", "warehouse_quota", undefined, "Quotas"],
    [403, "billingNotEnabled", "Billing has not been enabled", "warehouse_quota", undefined, "billing"],
    [401, "authError", "Invalid Credentials", "warehouse_credentials", undefined, "gcloud auth"],
  ])("%i %s is named by its reason: %s", async (status, reason, message, code, fault, hint) => {
    const { jobs, server } = await start(() => errorAnswer(status, reason, message));
    const failing = jobs.read(statement, limits());
    await expect(failing).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    const error: unknown = await failing.catch((thrown: unknown) => thrown);
    expect(error instanceof QueryError ? error.fault : undefined).toBe(fault);
    await expect(failing).rejects.toMatchObject({
      hint: hint === null ? null : expect.stringContaining(hint),
    });
    // The same again would fail the same.
    expect(server.asked).toHaveLength(1);
  });

  test.each([
    [503, "backendError"],
    [500, "internalError"],
    [403, "rateLimitExceeded"],
    [429, "jobRateLimitExceeded"],
    [502, ""],
  ])("%i %s passes: it is tried again", async (status, reason) => {
    const done = doneAnswers();
    const { jobs } = await start((asked, count) =>
      count <= 2 ? errorAnswer(status, reason, "not now") : done(asked),
    );
    expect((await jobs.read(statement, limits())).rows.rowCount).toBe(1);
  });

  test("of a job that passes is met with another job, but only where the statement reads", async () => {
    const done = doneAnswers();
    const failedJob = (asked: Asked) => ({
      body: {
        jobReference: asked.body.jobReference,
        status: { state: "DONE", errorResult: { reason: "jobBackendError", message: "lost a worker" } },
      },
    });
    const { jobs, server } = await start((asked, count) => (count === 1 ? failedJob(asked) : done(asked)));
    expect((await jobs.read(statement, limits())).rows.rowCount).toBe(1);
    const ids = inserts(server).map(({ body }) => body.jobReference?.jobId);
    expect(new Set(ids).size).toBe(2);

    const { jobs: writing, server: other } = await start(failedJob);
    await expect(writing.write(statement, limits())).rejects.toMatchObject({ code: "warehouse_unavailable" });
    expect(inserts(other)).toHaveLength(1);
  });

  test("found by a dry run is of the statement itself", async () => {
    const { jobs, server } = await start(() => errorAnswer(400, "invalidQuery", "Unrecognized name: scroe"));
    await expect(jobs.analyze(statement, limits())).rejects.toMatchObject({ fault: "invalid" });
    expect(inserts(server)[0]?.body.configuration).toMatchObject({ dryRun: true });
  });
});

test("missing credentials are explained before anything is sent", async () => {
  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json");
  const { server } = await start(doneAnswers());
  const api = new Api({
    project: "shop",
    apiEndpoint: server.url.replace("http:", "https:"),
    retryFromMs: 5,
  });
  await expect(new Jobs(api, options).read(statement, limits())).rejects.toMatchObject({
    code: "warehouse_credentials",
    message: expect.stringContaining("/nowhere/key.json"),
    hint: expect.stringContaining("gcloud auth application-default login"),
  });
  expect(server.asked).toEqual([]);
});
