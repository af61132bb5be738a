// Goal: the rules do what their cases say with what a daemon really serves. Method: Debian's Prometheus scrapes a daemon as it is composed,
// by the files of deploy/prometheus with shorter times, while a gap is made that is given up, and healed.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { makeTempWarehouse, type TempWarehouse } from "../support/duckdb.ts";
import { freePort } from "../support/free-port.ts";
import { soon } from "../support/repairs.ts";
import { composeShop } from "../support/shop-pipeline.ts";

const patienceMs = 60_000;

test("the alert of a gap that was given up is pending, fires, and is over when the data is there; nothing else fires", async () => {
  const warehouse = await makeTempWarehouse([
    "create schema shop",
    "create table shop.days as select date '2024-01-01' + i::integer as day from range(20) as r (i)",
    "create table shop.orders as select day from shop.days where day <> date '2024-01-09'",
  ]);
  const [daemonPort, prometheusPort] = [await freePort(), await freePort()];
  const daemon = await startDaemon(warehouse, daemonPort);
  const prometheus = startPrometheus(warehouse.folder, daemonPort, prometheusPort);
  const firing = () => alertsOf(prometheusPort, 'ALERTS{alertstate="firing"}');
  try {
    const expected = ["GapReconcilerQuarantine orders", "GapReconcilerWatchdog"];
    await soon(async () => expect(await firing()).toEqual(expected), patienceMs);
    const pending = 'count_over_time(ALERTS{alertname="GapReconcilerQuarantine", alertstate="pending"}[5m])';
    expect(await alertsOf(prometheusPort, pending)).toEqual(["GapReconcilerQuarantine orders"]);

    await warehouse.write(["insert into shop.orders values ('2024-01-09')"]);
    await daemon.lookNow();
    await soon(async () => expect(await firing()).toEqual(["GapReconcilerWatchdog"]), patienceMs);
  } finally {
    prometheus.kill();
    await once(prometheus, "exit");
    await daemon.stop();
    await warehouse.remove();
  }
}, 180_000);

interface RunningDaemon {
  /** Asks for a look at everything. */
  readonly lookNow: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

async function startDaemon({ folder }: TempWarehouse, port: number): Promise<RunningDaemon> {
  const token = "correct-horse-battery";
  writeFileSync(join(folder, "token"), token);
  writeFileSync(
    join(folder, "orders.sql"),
    "select day from shop.days where false and day between $start_date and $end_date",
  );
  const app = await composeShop(
    folder,
    `http: { listen: "127.0.0.1:${port}", token_file: token }
processors:
  orders: { table: shop.orders, date_column: day, repair: { sql_file: orders.sql, max_attempts: 1 } }
`,
  );
  const end = new AbortController();
  const running = app.daemon({ role: "all", signal: end.signal, onLocked: () => undefined });
  return {
    async lookNow() {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/reconcile`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: "{}",
      });
      expect(answer.status).toBe(202);
    },
    async stop() {
      end.abort();
      await running;
      await app.close();
    },
  };
}

/** The files of the repository, with a second for each quarter of an hour. */
function startPrometheus(folder: string, daemonPort: number, port: number): ChildProcess {
  const home = join(folder, "prometheus");
  mkdirSync(home);
  const read = (name: string) =>
    readFileSync(new URL(`../../deploy/prometheus/${name}`, import.meta.url), "utf8");
  writeFileSync(join(home, "rules.yml"), read("rules.yml").replaceAll(/^( +for:) \d+m$/gm, "$1 1s"));
  const scrape = read("prometheus.yml")
    .replaceAll(/15s$/gm, "500ms")
    .replace("127.0.0.1:8080", `127.0.0.1:${daemonPort}`);
  writeFileSync(join(home, "prometheus.yml"), scrape);
  const flags = [
    "--config.file=prometheus.yml",
    "--storage.tsdb.path=data",
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  return spawn("prometheus", flags, { cwd: home, stdio: "ignore" });
}

const answer = z.object({
  data: z.object({ result: z.array(z.object({ metric: z.record(z.string(), z.string()) })) }),
});

/** The alerts that a query finds, each with its processor. */
async function alertsOf(port: number, query: string): Promise<readonly string[]> {
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
  const { data } = answer.parse(await (await fetch(url)).json());
  const names = data.result.map(({ metric }) => `${metric["alertname"]} ${metric["processor"] ?? ""}`.trim());
  return names.toSorted();
}
