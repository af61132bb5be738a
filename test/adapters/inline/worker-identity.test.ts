import { spawn } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { isWorkerDead, workerIdentity } from "../../../src/adapters/inline/worker-identity.ts";

const [host = "", pid = "", start = ""] = workerIdentity().split("/");

async function pidOfDeadProcess(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  return child.pid ?? 0;
}

describe("the identity of a worker", () => {
  it("names host, pid and start, the same each time", () => {
    expect(host).toBe(hostname());
    expect(pid).toBe(String(process.pid));
    expect(workerIdentity()).toBe(`${host}/${pid}/${start}`);
  });

  it("is not dead while its process lives", () => {
    expect(isWorkerDead(workerIdentity())).toBe(false);
  });

  it("is dead when its process is gone", async () => {
    expect(isWorkerDead(`${host}/${await pidOfDeadProcess()}/${start}`)).toBe(true);
  });

  it("is dead when its pid belongs to a later process, where the system tells when processes started", () => {
    expect(isWorkerDead(`${host}/${pid}/${start.replace(/^\d+/, "1")}`)).toBe(process.platform === "linux");
  });

  it.each([
    ["on another host", (dead: number) => `elsewhere/${dead}/${start}`],
    ["in another boot or container", (dead: number) => `${host}/${dead}/${start}9`],
    ["written by another system", (dead: number) => `${host}/${dead}/17@x`],
  ])("is not provably dead %s", async (_where, worker) => {
    expect(isWorkerDead(worker(await pidOfDeadProcess()))).toBe(false);
  });

  it.each(["", "x", "host/notapid/1", "///"])("is not provably dead when it reads %j", (worker) => {
    expect(isWorkerDead(worker)).toBe(false);
  });
});
