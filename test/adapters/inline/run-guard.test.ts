import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { messageOf } from "../../../src/errors.ts";
import { acquireRunGuard } from "../../../src/adapters/inline/run-guard.ts";

let folder: string;
let path: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "guard-"));
  path = join(folder, "ledger.duckdb.run");
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function holder(...rest: readonly string[]): ChildProcess {
  const script = fileURLToPath(new URL("./run-guard-holder.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "@oxc-node/core/register", script, path, ...rest], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

async function startHolder(): Promise<ChildProcess> {
  const child = holder("0", "hold");
  if (child.stdout === null) throw new Error("no output");
  await once(child.stdout, "data");
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

describe("the guard of a run", () => {
  it("can be taken again after its release, any number of times", async () => {
    for (let round = 0; round < 3; round += 1) {
      const guard = await acquireRunGuard({ path, waitMs: 0 });
      await guard.release();
      await guard.release();
    }
    expect(readdirSync(folder)).toEqual(["ledger.duckdb.run"]);
  });

  it("refuses a second run in one process and says since when the first one has it", async () => {
    const before = new Date(Date.now() - 1).toISOString();
    const guard = await acquireRunGuard({ path, waitMs: 0 });
    const refused = acquireRunGuard({ path, waitMs: 50 });
    await expect(refused).rejects.toMatchObject({ code: "run_in_progress", path });
    const since = /since (\S+Z)/.exec(await refused.then(String, messageOf))?.[1] ?? "";
    expect(Date.parse(since)).toBeGreaterThanOrEqual(Date.parse(before));
    await guard.release();
  });

  it("refuses a run while another process has it, and names that process", async () => {
    const child = await startHolder();
    await expect(acquireRunGuard({ path, waitMs: 100 })).rejects.toMatchObject({
      code: "run_in_progress",
      message: expect.stringMatching(new RegExp(`since \\d{4}-.*process ${child.pid} `)) as string,
    });
  });

  it("waits for a run that ends in time", async () => {
    const guard = await acquireRunGuard({ path, waitMs: 0 });
    const second = acquireRunGuard({ path, waitMs: 10_000 });
    await guard.release();
    await (await second).release();
    expect(readdirSync(folder)).toEqual(["ledger.duckdb.run"]);
  });

  it("stops waiting when its signal aborts", async () => {
    await startHolder();
    const controller = new AbortController();
    const waiting = acquireRunGuard({ path, waitMs: 60_000, signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: "interrupted" });
  });

  it("is free at once after its holder was killed", async () => {
    await kill(await startHolder());
    await (await acquireRunGuard({ path, waitMs: 0 })).release();
    expect(readdirSync(folder)).toEqual(["ledger.duckdb.run"]);
  });

  it("does not take the note of a killed holder for that of the next one", async () => {
    const first = await startHolder();
    const note = readFileSync(`${path}.holder`, "utf8");
    await kill(first);
    const second = await startHolder();
    writeFileSync(`${path}.holder`, note);
    const refused = await acquireRunGuard({ path, waitMs: 0 }).then(String, messageOf);
    expect(refused).toContain(`process ${second.pid} `);
    expect(refused).not.toContain("since");
  });

  it.each([["from nothing"], ["after a holder was killed"]])(
    "has one holder at a time where eight processes fight for it %s",
    async (start) => {
      if (start !== "from nothing") await kill(await startHolder());
      const mark = join(folder, "inside");
      const fighters = Array.from({ length: 8 }, () => holder("60000", mark));
      const codes = await Promise.all(
        fighters.map(async (child) => {
          const [code] = await once(child, "exit");
          return code as number;
        }),
      );
      expect(codes).toEqual(Array.from({ length: 8 }, () => 0));
      const entered = readFileSync(`${mark}.log`, "utf8").trim().split("\n");
      expect(entered.toSorted()).toEqual(fighters.map((child) => String(child.pid)).toSorted());
    },
    90_000,
  );

  it("says what is wrong with a lock file that is none, and with a folder that cannot be made", async () => {
    writeFileSync(path, "this is no lock file, it is a text of a few words".repeat(400));
    await expect(acquireRunGuard({ path, waitMs: 0 })).rejects.toMatchObject({ code: "ledger_unavailable" });
    const nowhere = join(path, "none", "ledger.run");
    await expect(acquireRunGuard({ path: nowhere, waitMs: 0 })).rejects.toMatchObject({
      code: "ledger_unavailable",
      message: expect.stringContaining(nowhere) as string,
    });
  });
});
