import { describe, expect, test } from "vitest";
import { connected } from "./connect.ts";

const server = connected({ location: "us-west2" });
const at = { location: "us-west2" };
const post = (body: object) =>
  fetch(`${server.bigquery.url}/bigquery/v2/projects/test-project/queries`, {
    method: "POST",
    body: JSON.stringify({ useLegacySql: false, query: "select 1", ...body }),
  });

describe("jobs", () => {
  test("have the id that they are given, once, and their results in pages", async () => {
    const query = "select n from unnest(generate_array(1, 5)) as n order by n";
    const [job] = await server.client.createQueryJob({
      query,
      jobId: "pages",
      labels: { purpose: "x" },
      ...at,
    });
    expect(await server.reasonOf(server.client.createQueryJob({ query, jobId: "pages", ...at }))).toBe(
      "duplicate",
    );
    const [rows] = await job.getQueryResults({ maxResults: 2, autoPaginate: false });
    expect(rows).toEqual([{ n: 1 }, { n: 2 }]);
    const [rest] = await job.getQueryResults({ pageToken: "2" });
    expect(rest).toEqual([{ n: 3 }, { n: 4 }, { n: 5 }]);
    const [metadata] = await job.getMetadata();
    expect(metadata).toMatchObject({
      status: { state: "DONE" },
      configuration: { labels: { purpose: "x" } },
    });
  });

  test("are found only at their location, and see no data elsewhere", async () => {
    const [job] = await server.client.createQueryJob({ query: "select 1", ...at });
    const away = server.client.job(job.id ?? "");
    expect(await server.reasonOf(away.getMetadata())).toBe("notFound");
    await server.bigquery.run("create schema if not exists stats; create or replace table stats.t (a int)");
    const elsewhere = server.client.query({ query: "select * from stats.t", location: "EU" });
    await expect(elsewhere).rejects.toThrow("Dataset test-project:stats was not found in location EU");
  });

  test("that are slow tell so until they are asked often enough, and can be cancelled before they start", async () => {
    await server.bigquery.run(
      "create schema if not exists stats; create or replace table stats.slow (a int)",
    );
    server.bigquery.faults.add({ sql: /slow/, times: 2, fault: { kind: "slow", polls: 2 } });
    const insert = { query: "insert into stats.slow values (1)", ...at };
    const [job] = await server.client.createQueryJob(insert);
    const count = () => server.bigquery.run("select count(*) from stats.slow");
    const stateOf = async (asked: typeof job) => String((await asked.getMetadata())[0].status.state);
    expect(await stateOf(job)).toBe("RUNNING");
    expect(await count()).toEqual([["0"]]);
    expect(await stateOf(job)).toBe("RUNNING");
    await job.getQueryResults();
    expect(await stateOf(job)).toBe("DONE");
    const [other] = await server.client.createQueryJob(insert);
    await other.cancel();
    expect((await other.getMetadata())[0].status).toMatchObject({
      state: "DONE",
      errorResult: { reason: "stopped" },
    });
    expect(await count()).toEqual([["1"]]);
  });

  test("that take longer than a caller waits are not complete", async () => {
    server.bigquery.faults.add({ fault: { kind: "slow", polls: 1 } });
    const answer = (await (await post({ timeoutMs: 5 })).json()) as Record<string, unknown>;
    expect(answer).toMatchObject({ jobComplete: false, jobReference: { location: "us-west2" } });
    expect(answer).not.toHaveProperty("rows");
  });

  test("sent twice with one request id run once", async () => {
    await server.bigquery.run(
      "create schema if not exists stats; create or replace table stats.once (a int)",
    );
    server.bigquery.faults.add({ call: "jobs.query", fault: { kind: "lost_answer" } });
    const insert = { query: "insert into stats.once values (1)", requestId: "r1" };
    await expect(post(insert)).rejects.toThrow("fetch failed");
    expect(await (await post(insert)).json()).toMatchObject({ numDmlAffectedRows: "1" });
    expect(await server.bigquery.run("select count(*) from stats.once")).toEqual([["1"]]);
  });
});

describe("faults", () => {
  test.each([
    ["rateLimitExceeded", 403],
    ["quotaExceeded", 403],
    ["accessDenied", 403],
    ["billingNotEnabled", 403],
    ["responseTooLarge", 403],
    ["backendError", 503],
    ["authError", 401],
  ] as const)("refuse a call with %s", async (reason, status) => {
    server.bigquery.faults.add({ call: "jobs.query", fault: { kind: "error", reason, message: "no" } });
    const answer = await post({});
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({
      error: { code: status, message: "no", errors: [{ reason }] },
    });
    expect((await post({})).status).toBe(200);
    expect(server.bigquery.stats.calls).toEqual(["jobs.query", "jobs.query"]);
  });

  test("fail a job that was accepted", async () => {
    server.bigquery.faults.add({ sql: /7/, fault: { kind: "job_error", reason: "jobRateLimitExceeded" } });
    const [job] = await server.client.createQueryJob({ query: "select 7", ...at });
    expect(await server.reasonOf(job.getQueryResults())).toBe("jobRateLimitExceeded");
    expect(server.bigquery.stats.queries).toMatchObject([{ sql: "select 7", error: "jobRateLimitExceeded" }]);
  });

  test("cut the connection, answer half, or not at all", async () => {
    server.bigquery.faults.add({ fault: { kind: "cut" } });
    await expect(post({})).rejects.toThrow("fetch failed");
    server.bigquery.faults.add({ fault: { kind: "truncate" } });
    await expect((await post({})).json()).rejects.toThrow(SyntaxError);
    server.bigquery.faults.add({ fault: { kind: "hang" } });
    const url = `${server.bigquery.url}/bigquery/v2/projects/test-project/datasets`;
    await expect(fetch(url, { signal: AbortSignal.timeout(1_000) })).rejects.toThrow(
      "aborted due to timeout",
    );
    expect((await fetch(url)).status).toBe(200);
  });

  test("are met in the order of their rules, only where they fit", async () => {
    server.bigquery.faults.add({ call: "tables.get", fault: { kind: "error", reason: "backendError" } });
    server.bigquery.faults.add({ sql: /select 2/, times: 2, fault: { kind: "error", reason: "invalid" } });
    const statuses: number[] = [];
    for (const query of ["select 1", "select 2", "select 2", "select 2"])
      statuses.push((await post({ query })).status);
    expect(statuses).toEqual([200, 400, 400, 200]);
  });
});
