// Goal: whatever goes wrong on the way to BigQuery is told for what it is, and no gap is lost, invented or closed by it. Method: the
// same broken platform each time, one fault injected into the local server, one command; what it prints is compared with what the
// undisturbed command says.
import { beforeAll, describe, expect, test } from "vitest";
import type { ResultDocument } from "../../src/core/result-document.ts";
import type { FaultRule } from "../support/bigquery/faults.ts";
import { type BigQueryPlatform, bigQueryPlatform, type Holes, someHoles } from "./platform.ts";
import { gapsOf } from "./scene.ts";

const timeoutMs = 120_000;

async function withPlatform(work: (platform: BigQueryPlatform) => Promise<void>, holes: Holes = someHoles) {
  const platform = await bigQueryPlatform(holes);
  try {
    await work(platform);
  } finally {
    await platform.remove();
  }
}

let undisturbed: ResultDocument;
beforeAll(async () => {
  await withPlatform(async (platform) => {
    undisturbed = (await platform.report("status")).document;
  });
}, timeoutMs);

interface Passing {
  readonly name: string;
  readonly rules: readonly FaultRule[];
}

/** Each goes away by itself: a command that tries again says nothing of it. */
const passing: readonly Passing[] = [
  {
    name: "a backend error",
    rules: [{ call: "jobs.insert", times: 2, fault: { kind: "error", reason: "backendError" } }],
  },
  {
    name: "a rate limit",
    rules: [{ call: "tables.get", times: 2, fault: { kind: "error", reason: "rateLimitExceeded" } }],
  },
  {
    name: "a job that fails for a passing reason",
    rules: [{ sql: /gr_arms/, fault: { kind: "job_error", reason: "jobBackendError" } }],
  },
  { name: "a connection that breaks", rules: [{ call: "jobs.getQueryResults", fault: { kind: "cut" } }] },
  { name: "an answer that is lost", rules: [{ call: "jobs.insert", fault: { kind: "lost_answer" } }] },
  {
    name: "an answer that is cut off",
    rules: [
      { call: "jobs.getQueryResults", fault: { kind: "truncate" } },
      { call: "tables.get", fault: { kind: "truncate" } },
    ],
  },
  { name: "a job that is slow", rules: [{ sql: /gr_arms/, times: 2, fault: { kind: "slow", polls: 3 } }] },
];

interface Lasting {
  readonly name: string;
  readonly rules: readonly FaultRule[];
  readonly code: string;
  readonly says: RegExp;
}

const always = 1_000;

/** Each stands against everything: the command ends with an error that says what to do. */
const lasting: readonly Lasting[] = [
  {
    name: "the right to run jobs is missing",
    rules: [
      {
        call: "jobs.insert",
        times: always,
        fault: {
          kind: "error",
          reason: "accessDenied",
          message:
            "Access Denied: Project p: User does not have bigquery.jobs.create permission in project p.",
        },
      },
    ],
    code: "warehouse_permission",
    says: /roles\/bigquery\.jobUser on the project/,
  },
  {
    name: "the quota is used up",
    rules: [{ call: "jobs.insert", times: always, fault: { kind: "error", reason: "quotaExceeded" } }],
    code: "warehouse_quota",
    says: /Quotas/,
  },
  {
    name: "the credentials are refused",
    rules: [{ times: always, fault: { kind: "error", reason: "authError" } }],
    code: "warehouse_credentials",
    says: /gcloud auth application-default login/,
  },
];

describe.concurrent("a fault on the way to BigQuery", () => {
  test.each(passing)(
    "that passes is waited out: $name",
    ({ rules }) =>
      withPlatform(async ({ server, report }) => {
        for (const rule of rules) server.faults.add(rule);
        const seen = await report("status");
        expect(seen.code).toBe(0);
        expect(seen.document.counts).toEqual(undisturbed.counts);
        expect(gapsOf(seen.document)).toEqual(gapsOf(undisturbed));
        expect(seen.document.unknown).toEqual([]);
      }),
    timeoutMs,
  );

  test.each(lasting)(
    "that lasts is an error, not an empty warehouse: $name",
    ({ rules, code, says }) =>
      withPlatform(async ({ server, run }) => {
        expect(await run("validate", "--create")).toMatchObject({ code: 0 });
        for (const rule of rules) server.faults.add(rule);
        const failed = await run("--once", "--format", "json");
        expect(failed.code).toBe(1);
        expect(failed.json()).toMatchObject({ error: { code } });
        expect(failed.stdout).toMatch(says);
        expect(failed.stderr).not.toMatch(/^\s+at /m);
        server.faults.clear();
        expect(await server.run("select count(*) from reconciler.open_gaps")).toEqual([["0"]]);
      }),
    timeoutMs,
  );

  test(
    "of one table makes that table unknown, and nothing is opened or closed for it",
    () =>
      withPlatform(async ({ server, report, run }) => {
        expect(await run("validate", "--create")).toMatchObject({ code: 0 });
        // The gaps are put on record first, so that there is something that could be closed wrongly.
        await report("--once", "--single-pass", "--processor", "scores");
        const open =
          "select processor, count(*) from reconciler.open_gaps group by processor order by processor";
        const before = await server.run(open);
        server.deny("nba.factors");
        const seen = await report("--once", "--processor", "factors", "--processor", "predictions");
        expect(seen.code).toBe(1);
        expect(seen.document.converged).toBe(false);
        expect(
          seen.document.unknown.every(
            ({ processor, code }) => processor === "factors" && code === "permission",
          ),
        ).toBe(true);
        expect(seen.document.unknown[0]?.message).toMatch(/roles\/bigquery\.dataViewer/);
        const predictions = ({ gaps }: ResultDocument) =>
          gaps.flatMap(({ processor, date, state }) =>
            processor === "predictions" ? [`${date} ${state}`] : [],
          );
        expect(predictions(seen.document)).toEqual(predictions(undisturbed));
        expect(new Set(seen.document.gaps.map(({ disposition }) => disposition))).toEqual(
          new Set(["blocked"]),
        );
        expect(await server.run(open)).toEqual(before);
        server.deny("nba.factors", false);
        expect(gapsOf((await report("status")).document)).toEqual(gapsOf(undisturbed));
      }),
    timeoutMs,
  );

  test(
    "that never answers ends at the time limit, and the job is cancelled",
    () =>
      withPlatform(async ({ server, report, configure }) => {
        // All others have to be answered within it, also where others keep the machine busy.
        await configure({ warehouse: ", query_timeout: 15s" });
        server.faults.add({ sql: /gr_arms/, times: always, fault: { kind: "slow", polls: 1_000_000 } });
        const seen = await report("status");
        expect(seen.code).toBe(0);
        expect(new Set(seen.document.unknown.map(({ code }) => code))).toEqual(new Set(["timeout"]));
        expect(seen.document.gaps).toEqual([]);
        expect(seen.document.converged).toBe(false);
        expect(server.stats.calls).toContain("jobs.cancel");
      }),
    timeoutMs,
  );

  test(
    "by a table that is too large for maximum_bytes_billed is told with what to raise",
    () =>
      withPlatform(async ({ report, configure }) => {
        await configure({ warehouse: ", maximum_bytes_billed: 15MB" });
        const seen = await report("status");
        // Coverage makes a query of two tables of them, and BigQuery charges 10 MB for each.
        const unknown = new Set(seen.document.unknown.map(({ processor, code }) => `${processor} ${code}`));
        expect(unknown).toEqual(new Set(["scores budget", "summary budget"]));
        expect(seen.document.unknown[0]?.message).toMatch(/raise warehouse\.maximum_bytes_billed/);
        const others = ({ gaps }: ResultDocument) =>
          gaps.flatMap(({ processor, date, state }) =>
            ["scores", "summary"].includes(processor) ? [] : [`${processor} ${date} ${state}`],
          );
        expect(others(seen.document)).toEqual(others(undisturbed));
      }),
    timeoutMs,
  );
});
