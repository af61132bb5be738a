import { createExecutors } from "../../../src/adapters/executors/index.ts";
import type { RepairAction } from "../../../src/core/repair-action.ts";
import type { Warehouse } from "../../../src/reconcile/ports.ts";
import type { RunRequest } from "../../../src/reconcile/ports/executor.ts";
import { type Expected, type Fault, describeExecutorContract } from "../../contract/executor.ts";
import { table } from "../../contract/warehouse-fixture.ts";
import type { Fault as BigQueryFault } from "../../support/bigquery/faults.ts";
import { startBigQuery } from "../../support/bigquery/server.ts";
import { freePort } from "../../support/free-port.ts";
import { pipelineOf } from "../../support/pipeline.ts";
import { openWarehouse, readRows } from "../bigquery/open.ts";
import { realClock, requestFor } from "./fixtures.ts";

const secret = "s3cret-hunter2";
const message = `login with ${secret}`;

/** What each fault is on every statement of its repair, but for the last one, which comes once. */
const faultsOfStatements: Readonly<Partial<Record<Fault, BigQueryFault>>> = {
  unauthorized: { kind: "error", reason: "authError", message },
  forbidden: { kind: "error", reason: "accessDenied", message },
  not_found: { kind: "error", reason: "notFound", message },
  too_many: { kind: "error", reason: "rateLimitExceeded", message },
  server_error: { kind: "error", reason: "backendError", message },
  hang: { kind: "hang" },
  cut: { kind: "cut" },
  done_but_lost: { kind: "lost_answer" },
};

/** A conflict is a matter of transactions here, and has tests of its own. */
const arranged: readonly Fault[] = [
  "success",
  "refused",
  "unauthorized",
  "forbidden",
  "not_found",
  "too_many",
  "server_error",
  "hang",
  "cut",
  "done_but_lost",
];

// Each was tried again several times by then, and would meet every date.
const away: Expected = { kind: "failed", classification: "systemic", systemic: "connection_refused" };

describeExecutorContract(
  "sql (BigQuery)",
  async () => {
    const server = await startBigQuery();
    server.define({
      name: "stats.scores",
      columns: { game_date: "DATE not null", note: "STRING" },
      partition: { column: "game_date" },
    });
    for (const [name, fault] of Object.entries(faultsOfStatements)) {
      const times = fault.kind === "lost_answer" ? 1 : Number.POSITIVE_INFINITY;
      server.faults.add({ sql: new RegExp(`meets ${name}`), times, fault });
    }
    const { processors } = pipelineOf({ processors: { scores: { table: table("stats.scores") } } });
    const options = { processors, schedules: [] };
    const reached = openWarehouse(server, options);
    const unreached = openWarehouse(server, {
      ...options,
      apiEndpoint: `http://127.0.0.1:${await freePort()}`,
    });
    const warehouse: Pick<Warehouse, "released" | "replaceDates"> = {
      released: (work) => reached.released(work),
      replaceDates: (request) =>
        (request.sql.includes("refused") ? unreached : reached).replaceDates(request),
    };
    const meeting = (fault: Fault): RepairAction => ({
      kind: "sql",
      file: `repairs/${secret}.sql`,
      sql: `select game_date, 'x' as note from unnest(generate_date_array(@start_date, @end_date)) as game_date /* meets ${fault} */`,
      publish: "if_better",
      leaveNull: [],
    });
    return {
      harness: {
        executor: createExecutors({ warehouse, secrets: [secret], clock: realClock }),
        secret,
        request: (action: RepairAction, overrides: Partial<RunRequest>) =>
          requestFor(action, { processors, ...overrides }),
        effects: async () =>
          Number((await readRows(server, "select count(distinct note) from stats.scores"))[0]?.[0]),
        isRunning: () => Promise.resolve(server.stats.calls.length > 0),
        told: async () =>
          (await readRows(server, "select game_date from stats.scores order by 1")).map(
            ([date]) => date ?? "",
          ),
        cleanup: () => server.stop(),
      },
      actions: Object.fromEntries(arranged.map((fault) => [fault, meeting(fault)])),
    };
  },
  arranged,
  { too_many: away, server_error: away, cut: away, done_but_lost: { kind: "succeeded" } },
);
