import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDuckDbWarehouse } from "../../../src/adapters/duckdb/warehouse.ts";
import { createExecutors } from "../../../src/adapters/executors/index.ts";
import type { RepairAction, SqlAction } from "../../../src/core/repair-action.ts";
import type { RunRequest } from "../../../src/reconcile/ports/executor.ts";
import { type Actions, describeExecutorContract, type Fault } from "../../contract/executor.ts";
import { queryFile } from "../../support/duckdb.ts";
import { freePort } from "../../support/free-port.ts";
import {
  httpAction,
  idleWarehouse,
  isProcessAlive,
  nodeCommand,
  processorNamed,
  realClock,
  requestFor,
} from "./fixtures.ts";

const secret = "s3cret-hunter2";
const options = { warehouse: idleWarehouse, secrets: [secret], clock: realClock, graceMs: 300 };

function isText(file: string): boolean {
  return existsSync(file) && readFileSync(file, "utf8") !== "";
}

describeExecutorContract("command", () => {
  const folder = mkdtempSync(join(tmpdir(), "executor-"));
  const [effect, running] = [join(folder, "effect"), join(folder, "running")];
  const says = `console.log("login with ${secret}");`;
  const acts = `require("fs").appendFileSync(${JSON.stringify(effect)}, process.env.GAP_RECONCILER_DATES + "\\n");`;
  const lines = () => (isText(effect) ? readFileSync(effect, "utf8").trimEnd().split("\n") : []);
  const actions: Actions = {
    success: nodeCommand(says + acts),
    refused: nodeCommand("", { argv: [join(folder, `none-${secret}`)] }),
    not_found: nodeCommand(`${says} process.exit(65)`),
    conflict: nodeCommand(`${says} process.exit(75)`),
    server_error: nodeCommand(`${says} process.exit(1)`),
    cut: nodeCommand(`${says} process.kill(process.pid, "SIGKILL")`),
    done_but_lost: nodeCommand(`${acts} process.kill(process.pid, "SIGKILL")`),
    hang: nodeCommand(
      `${says} require("fs").writeFileSync(${JSON.stringify(running)}, String(process.pid)); setInterval(() => {}, 1000)`,
    ),
  };
  const harness = {
    executor: createExecutors(options),
    secret,
    request: requestFor,
    effects: () => Promise.resolve(lines().length),
    isRunning: () => Promise.resolve(isText(running)),
    underWay: () =>
      Promise.resolve(isText(running) && isProcessAlive(Number(readFileSync(running, "utf8"))) ? 1 : 0),
    told: () => Promise.resolve(lines().at(-1)?.split(",") ?? []),
    cleanup: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
  };
  return Promise.resolve({ harness, actions });
}, ["success", "refused", "not_found", "conflict", "server_error", "cut", "done_but_lost", "hang"]);

describeExecutorContract("http", async () => {
  let effects = 0;
  let running = false;
  let told = "";
  const answers: Readonly<Partial<Record<Fault, (response: ServerResponse) => unknown>>> = {
    unauthorized: (response) => response.writeHead(401).end(secret),
    forbidden: (response) => response.writeHead(403).end(secret),
    not_found: (response) => response.writeHead(404).end(secret),
    conflict: (response) => response.writeHead(409).end(secret),
    too_many: (response) => response.writeHead(429, { "retry-after": "7" }).end(secret),
    server_error: (response) => response.writeHead(500).end(secret),
    cut: (response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write(secret, () => response.destroy());
    },
    success: (response) => {
      effects += 1;
      response.end(secret);
    },
    done_but_lost: (response) => {
      effects += 1;
      response.destroy();
    },
    hang: () => {
      running = true;
    },
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    told = searchParams.get("dates") ?? "";
    request.resume().on("end", () => answers[pathname.slice(1) as Fault]?.(response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const actions = Object.fromEntries(
    Object.keys(answers).map((fault) => [fault, httpAction(`${base}/${fault}?dates={{dates}}`)]),
  );
  const nobody = `http://user:${secret}@127.0.0.1:${await freePort()}/`;
  const harness = {
    executor: createExecutors(options),
    secret,
    request: requestFor,
    effects: () => Promise.resolve(effects),
    isRunning: () => Promise.resolve(running),
    told: () => Promise.resolve(told.split(",")),
    cleanup: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return { harness, actions: { ...actions, refused: httpAction(nobody) } };
}, [
  "success",
  "refused",
  "unauthorized",
  "forbidden",
  "not_found",
  "conflict",
  "too_many",
  "server_error",
  "cut",
  "done_but_lost",
  "hang",
]);

describeExecutorContract("sql", async () => {
  const folder = mkdtempSync(join(tmpdir(), "executor-"));
  const path = join(folder, "warehouse.duckdb");
  const query = (statement: string) => queryFile(path, statement);
  await query("create table scores (d date not null, n integer check (n > 0), note varchar)");
  const scores = processorNamed("scores");
  const warehouse = createDuckDbWarehouse({
    path,
    timezone: "UTC",
    processors: [scores],
    schedules: [],
  });
  const executor = createExecutors({ ...options, warehouse });
  const select = (text: string): SqlAction => ({
    kind: "sql",
    file: `repairs/${secret}.sql`,
    sql: text,
    publish: "if_better",
    leaveNull: [],
  });
  let asked = 0;
  const actions: Actions = {
    success: select(
      "select unnest(generate_series($start_date, $end_date, interval 1 day))::date as d, 1 as n, 'x' as note",
    ),
    not_found: select("select $start_date as d, no_such_column as n from scores"),
    server_error: select(`select $start_date as d, cast('${secret}' as integer) as n`),
    hang: select(
      "select $start_date as d, count(*)::integer + 1 as n from range(1000000) a, range(1000000) b where a.range * b.range % 7 = 3",
    ),
  };
  const harness = {
    executor,
    secret,
    request: (action: RepairAction, overrides: Partial<RunRequest>) =>
      requestFor(action, { processors: [scores], ...overrides }),
    effects: async () => Number((await query("select count(distinct note) from scores"))[0]?.[0]),
    told: async () => (await query("select d::varchar from scores order by d")).map(([date]) => String(date)),
    // Nothing outside tells how far a statement is; a moment after it was handed over it runs.
    isRunning: () => Promise.resolve((asked += 1) > 20),
    cleanup: async () => {
      await warehouse.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return { harness, actions };
}, ["success", "not_found", "server_error", "hang"]);
