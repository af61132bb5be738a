// Goal: `npm run bigquery:local` gives a person a BigQuery to try. Method: the script as a process of its own, on a free port.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";

// It makes the example's tables before it says that it listens: seconds of work, and more where others work too.
vi.setConfig({ testTimeout: 120_000 });

const script = fileURLToPath(new URL("../../scripts/bigquery-local.ts", import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function start(...args: readonly string[]) {
  const child = spawn(process.execPath, ["--import", "@oxc-node/core/register", script, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const ended = once(child, "close");
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  return {
    child,
    async says(pattern: RegExp): Promise<string> {
      while (!pattern.test(said)) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`it ended with ${child.exitCode ?? child.signalCode} and said: ${said}`);
        await Promise.race([once(child.stdout, "data"), ended]);
      }
      return pattern.exec(said)?.[1] ?? "";
    },
    async end() {
      await ended;
      return { code: child.exitCode, said };
    },
  };
}

test("it serves the example's tables until it is stopped, and a port in use is explained", async () => {
  const local = start("--port", "0");
  const url = await local.says(/listens on (http:\/\/127\.0\.0\.1:\d+)\.[\s\S]*--once/);
  const table = `${url}/bigquery/v2/projects/nba-offline/datasets/nba_raw/tables/nbac_schedule`;
  expect(await (await fetch(table)).json()).toMatchObject({
    numRows: "300",
    location: "US",
    timePartitioning: { type: "DAY", field: "game_date" },
    requirePartitionFilter: true,
  });

  const second = start("--port", new URL(url).port);
  expect(await second.end()).toEqual({
    code: 1,
    said: expect.stringMatching(
      /^Port \d+ is in use, .* take another port: npm run bigquery:local -- --port 0\n$/,
    ),
  });
  local.child.kill("SIGINT");
  expect(await local.end()).toMatchObject({ code: 0, said: expect.stringMatching(/nothing is left\n$/) });
});

test("an option that it does not know is told how to use it", async () => {
  expect(await start("--prot", "1").end()).toEqual({
    code: 1,
    said: "usage: npm run bigquery:local [-- --port N], where 0 takes any free port\n",
  });
});
