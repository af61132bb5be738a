import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createExecutors } from "../../../src/adapters/executors/index.ts";
import { awakeTime } from "../../support/awake-time.ts";
import { idleWarehouse, isProcessAlive, nodeCommand, realClock, requestFor, until } from "./fixtures.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "command-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const options = { warehouse: idleWarehouse, secrets: ["hunter2-secret"], clock: realClock, graceMs: 300 };
const executors = createExecutors(options);

/** A program that writes its pid, whole as soon as the file is there, and then lives for ever, deaf to SIGTERM. */
function stubborn(file: string): string {
  const [name, half] = [file, `${file}.half`].map((path) => JSON.stringify(path));
  return `process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); require("fs").writeFileSync(${half}, String(process.pid)); require("fs").renameSync(${half}, ${name});`;
}

/** A program of the shell, which is there at once where a time limit counts. */
function shell(script: string) {
  return nodeCommand("", { argv: ["sh", "-c", script] });
}

function pidIn(file: string): number {
  return Number(readFileSync(file, "utf8"));
}

function isWritten(file: string): boolean {
  return existsSync(file) && readFileSync(file, "utf8") !== "";
}

describe("the command executor", () => {
  it("hands arguments over as they are, without a shell", async () => {
    const argv = [
      process.execPath,
      "-p",
      "process.argv.slice(1).join('|')",
      "a b",
      "$HOME;`id`",
      "{{dates}}",
    ];
    const result = await executors.run(requestFor(nodeCommand("", { argv })));
    expect(result).toEqual({ kind: "succeeded", logTail: "a b|$HOME;`id`|2024-01-30,2024-02-01" });
  });

  it("gives the child PATH, HOME, what the action names and the variables of the run, and nothing else", async () => {
    process.env["LEAKED"] = "yes";
    const action = nodeCommand("console.log(JSON.stringify(process.env))", {
      env: { RANGE: "{{start_date}}/{{end_date_exclusive}}" },
    });
    const result = await executors.run(requestFor(action));
    delete process.env["LEAKED"];
    expect(JSON.parse(result.logTail ?? "")).toEqual({
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      RANGE: "2024-01-30/2024-02-02",
      GAP_RECONCILER_PIPELINE: "nba",
      GAP_RECONCILER_PROCESSOR: "scores",
      GAP_RECONCILER_START_DATE: "2024-01-30",
      GAP_RECONCILER_END_DATE: "2024-02-01",
      GAP_RECONCILER_DATES: "2024-01-30,2024-02-01",
      GAP_RECONCILER_ATTEMPT: "2",
      GAP_RECONCILER_FENCING_TOKEN: "1700000000000001",
      GAP_RECONCILER_REPAIR_ID: "repair-1",
    });
  });

  it("runs in the working folder of the action", async () => {
    const result = await executors.run(
      requestFor(nodeCommand("console.log(process.cwd())", { cwd: folder })),
    );
    expect(result.logTail).toBe(folder);
  });

  it.each([
    [75, "retryable"],
    [1, "retryable"],
    [255, "retryable"],
    [64, "permanent"],
    [65, "permanent"],
  ])("reads exit code %i as %s", async (code, classification) => {
    const result = await executors.run(requestFor(nodeCommand(`process.exit(${code})`)));
    expect(result).toMatchObject({ kind: "failed", classification, errorCode: `exit_${code}` });
  });

  it("reads a signal from outside as worth another attempt", async () => {
    const result = await executors.run(requestFor(nodeCommand("process.kill(process.pid, 'SIGKILL')")));
    expect(result).toMatchObject({
      kind: "failed",
      classification: "retryable",
      errorCode: "signal_sigkill",
    });
  });

  it("reads a program that does not exist or may not run as a fault of the system, not of the dates", async () => {
    const plain = join(folder, "plain.sh");
    writeFileSync(plain, "#!/bin/sh\n");
    chmodSync(plain, 0o644);
    const broken = join(folder, "broken.sh");
    writeFileSync(broken, "#!/no/such/interpreter\n");
    chmodSync(broken, 0o755);
    for (const program of ["no-such-program-here", plain, broken, folder]) {
      const result = await executors.run(requestFor(nodeCommand("", { argv: [program] })));
      expect(result).toMatchObject({
        kind: "failed",
        classification: "systemic",
        systemic: "executable_not_found",
        errorCode: "executable_not_found",
      });
      expect(result).toHaveProperty("message", expect.stringContaining(program));
    }
  });

  it("tells a missing working folder from a missing program", async () => {
    const result = await executors.run(requestFor(nodeCommand("", { cwd: join(folder, "none") })));
    expect(result).toMatchObject({ systemic: "executable_not_found", errorCode: "cwd_not_found" });
  });

  it("reads arguments that the system refuses as permanent", async () => {
    const argv = [process.execPath, "-e", "", "x".repeat(4 * 1024 * 1024)];
    const result = await executors.run(requestFor(nodeCommand("", { argv })));
    expect(result).toMatchObject({
      kind: "failed",
      classification: "permanent",
      errorCode: "spawn_e2big",
    });
  });

  it("keeps the end of both outputs, redacted and without terminal codes", async () => {
    // Not Node, which may write its second output before the first one is through.
    const script = String.raw`head -c 1000000 /dev/zero | tr '\0' x; printf '\n\033[31merror\033[0m: login with hunter2-secret failed\n' >&2; exit 1`;
    const result = await executors.run(requestFor(nodeCommand("", { argv: ["sh", "-c", script] })));
    expect(result.logTail).toContain("error: login with *** failed");
    expect(Buffer.byteLength(result.logTail ?? "")).toBeLessThanOrEqual(4096);
  });

  it("takes a flood of output without growing", async () => {
    const script = `
      const block = "y".repeat(1 << 20);
      let left = 300;
      const write = () => { while (left-- > 0) if (!process.stdout.write(block)) return process.stdout.once("drain", write); };
      write();`;
    const before = process.memoryUsage().rss;
    const result = await executors.run(requestFor(nodeCommand(script), { timeoutMs: 100_000 }));
    expect(result).toEqual({ kind: "succeeded", logTail: "y".repeat(4096) });
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  }, 120_000);

  it("stops a run at its time limit, though it ignores SIGTERM", async () => {
    const file = join(folder, "pid");
    const stopped = awakeTime();
    const deaf = shell(`trap "" TERM; echo $$ > ${file}; while true; do sleep 1; done`);
    const result = await executors.run(requestFor(deaf, { timeoutMs: 1_500 }));
    expect(result).toMatchObject({ kind: "timed_out" });
    expect(stopped()).toBeLessThan(6_000);
    expect(isProcessAlive(pidIn(file))).toBe(false);
  });

  it("lets a program that heeds SIGTERM clean up", async () => {
    const file = join(folder, "cleaned");
    const heeds = shell(`trap 'printf yes > ${file}; exit' TERM; while true; do sleep 1; done`);
    const patient = createExecutors({ ...options, graceMs: 20_000 });
    const result = await patient.run(requestFor(heeds, { timeoutMs: 1_500 }));
    expect(result.kind).toBe("timed_out");
    expect(readFileSync(file, "utf8")).toBe("yes");
  });

  it("cancels a run when its signal aborts, and not before the run is gone", async () => {
    const file = join(folder, "pid");
    const controller = new AbortController();
    const running = executors.run(requestFor(nodeCommand(stubborn(file)), { signal: controller.signal }));
    await until("the child to start", () => isWritten(file));
    controller.abort();
    expect(await running).toMatchObject({ kind: "cancelled" });
    expect(isProcessAlive(pidIn(file))).toBe(false);
  });

  it("starts nothing for a signal that aborted before", async () => {
    const file = join(folder, "pid");
    const signal = AbortSignal.abort();
    expect(await executors.run(requestFor(nodeCommand(stubborn(file)), { signal }))).toEqual({
      kind: "cancelled",
      logTail: null,
    });
    expect(existsSync(file)).toBe(false);
  });

  it("ends helpers that the program left behind in its group, whether it succeeded or not", async () => {
    const file = join(folder, "helper");
    const script = `
      const helper = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(stubborn(file))}], { stdio: "ignore" });
      helper.unref();
      const wait = setInterval(() => { if (require("fs").existsSync(${JSON.stringify(file)})) { clearInterval(wait); } }, 10);`;
    const result = await executors.run(requestFor(nodeCommand(script)));
    expect(result.kind).toBe("succeeded");
    expect(isProcessAlive(pidIn(file))).toBe(false);
  });

  it("does not wait for a helper that left the group and holds the output open", async () => {
    const file = join(folder, "escaped");
    const script = `
      const helper = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(stubborn(file))}], { stdio: "inherit", detached: true });
      helper.unref();
      console.log("started");
      const wait = setInterval(() => { if (require("fs").existsSync(${JSON.stringify(file)})) { clearInterval(wait); } }, 10);`;
    const result = await executors.run(requestFor(nodeCommand(script)));
    process.kill(pidIn(file), "SIGKILL");
    expect(result).toEqual({ kind: "succeeded", logTail: "started" });
  });

  it("leaves no process behind when its own process is killed with SIGKILL", async () => {
    const file = join(folder, "pid");
    const helperFile = join(folder, "helper");
    const script = `${stubborn(file)} require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(stubborn(helperFile))}], { stdio: "ignore" });`;
    const host = fileURLToPath(new URL("./command-host.ts", import.meta.url));
    const parent = spawn(process.execPath, ["--import", "@oxc-node/core/register", host, script], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    await until("both children to start", () => isWritten(file) && isWritten(helperFile));
    parent.kill("SIGKILL");
    const pids = [file, helperFile].map(pidIn);
    await until("the child and its helper to be gone", () => !pids.some(isProcessAlive));
    expect(pids.map(isProcessAlive)).toEqual([false, false]);
  });

  it("kills the group itself when the supervisor is killed with SIGKILL", async () => {
    const file = join(folder, "pid");
    const script = `require("fs").writeFileSync(${JSON.stringify(join(folder, "supervisor"))}, String(process.ppid)); ${stubborn(file)}`;
    const running = executors.run(requestFor(nodeCommand(script)));
    await until("the child to start", () => isWritten(file));
    process.kill(pidIn(join(folder, "supervisor")), "SIGKILL");
    expect(await running).toMatchObject({ kind: "failed", classification: "retryable" });
    await until("the child to be gone", () => !isProcessAlive(pidIn(file)));
  });

  it("runs only while the warehouse is released, and gives up where its turn does not come", async () => {
    let released = false;
    const warehouse = {
      ...idleWarehouse,
      released: async <T>(work: () => Promise<T>): Promise<T> => {
        released = true;
        const result = await work();
        released = false;
        return result;
      },
    };
    const running = createExecutors({ ...options, warehouse }).run(
      requestFor(nodeCommand("setTimeout(() => {}, 200)")),
    );
    expect(released).toBe(true);
    await running;
    expect(released).toBe(false);

    let late: (() => Promise<unknown>) | null = null;
    const busy = {
      ...idleWarehouse,
      released: <T>(work: () => Promise<T>): Promise<T> =>
        new Promise((resolve) => {
          late = () => work().then(resolve);
        }),
    };
    const file = join(folder, "pid");
    const result = await createExecutors({ ...options, warehouse: busy }).run(
      requestFor(nodeCommand(stubborn(file)), { timeoutMs: 200 }),
    );
    expect(result).toMatchObject({
      kind: "failed",
      classification: "retryable",
      errorCode: "warehouse_busy",
    });
    await (late as (() => Promise<unknown>) | null)?.();
    expect(existsSync(file)).toBe(false);
  });

  it("says so where the warehouse file cannot be released", async () => {
    const warehouse = {
      ...idleWarehouse,
      released: (): Promise<never> => Promise.reject(new Error("still attached")),
    };
    const result = await createExecutors({ ...options, warehouse }).run(requestFor(nodeCommand("")));
    expect(result).toMatchObject({
      kind: "failed",
      errorCode: "warehouse_not_released",
      message: "still attached",
    });
  });
});
