// The daemon as it is shipped, asked over HTTP while it works, and stopped while somebody watches.
import { createServer } from "node:http";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { z } from "zod";
import { type CliProcess, startReconcile } from "../support/cli.ts";
import { duckDbPlatform, someHoles } from "./platform.ts";

const timeoutMs = 120_000;

/** Where the daemon says that it listens. */
async function listeningAt({ child }: CliProcess): Promise<string> {
  if (child.stderr === null) throw new Error("expected its log");
  const log = z.object({ msg: z.string(), url: z.string().optional() });
  for await (const line of createInterface({ input: child.stderr })) {
    const { msg, url } = log.parse(JSON.parse(line));
    if (msg === "http server listens" && url !== undefined) {
      child.stderr.resume();
      return url;
    }
  }
  throw new Error("the daemon ended before it listened");
}

test(
  "a daemon serves page, grid and events while it repairs, takes a decision, and ends with its watchers on SIGTERM",
  async () => {
    const platform = await duckDbPlatform(someHoles);
    await writeFile(join(platform.folder, "token.txt"), "correct-horse-battery\n");
    const more = 'daemon: { cron: "0 4 1 1 *" }\nhttp: { listen: "127.0.0.1:0", token_file: token.txt }\n';
    await platform.configure({ more });
    const daemon = startReconcile(["daemon"], { cwd: platform.folder });
    const url = await listeningAt(daemon);
    const grid = async (): Promise<unknown> => (await fetch(`${url}/api/v1/grid`)).json();
    await expect.poll(grid, { timeout: 60_000 }).toMatchObject({ converged: true });
    expect(await (await fetch(url)).text()).toContain("Converged");
    // What was seen shows at once, and is measured when it is planned by.
    await expect
      .poll(async () => (await fetch(`${url}/metrics`)).text(), { timeout: 60_000 })
      .toMatch(/gap_reconciler_converged\{.*\} 1/);
    const refused = await fetch(`${url}/api/v1/pause`, { method: "POST" });
    expect(refused.status).toBe(401);
    const paused = await fetch(`${url}/api/v1/pause`, {
      method: "POST",
      headers: { authorization: "Bearer correct-horse-battery", "content-type": "application/json" },
      body: JSON.stringify({ processors: ["summary"], actor: "ann", reason: "maintenance" }),
    });
    expect(paused.status).toBe(200);

    const watching = (await fetch(`${url}/api/v1/events`)).text();
    daemon.child.kill("SIGTERM");
    expect(await watching).toContain("event: view");
    expect(await daemon.ended).toMatchObject({ code: 0, signal: null });
    await platform.remove();
  },
  timeoutMs,
);

test(
  "a daemon whose port is taken says so, and ends with 1 before it has begun anything",
  async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const platform = await duckDbPlatform(someHoles);
    await platform.configure({ more: `http: { listen: "127.0.0.1:${port}" }\n` });
    const { code, stderr } = await platform.run("daemon", "--quiet");
    expect(code).toBe(1);
    expect(stderr).toContain(
      `expected 127.0.0.1:${port} to be free, found that another process listens there`,
    );
    expect(stderr).toContain("http.listen");
    other.close();
    await platform.remove();
  },
  timeoutMs,
);
