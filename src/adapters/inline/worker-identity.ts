import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/**
 * This process as `host/pid/start`, which no other process ever is. On Linux `start` holds the start time in clock ticks, the
 * boot and the pid namespace in which pid and ticks have their meaning; elsewhere the start as epoch seconds.
 */
export function workerIdentity(): string {
  const start = startOf(process.pid) ?? String(Math.floor(Date.now() / 1000 - process.uptime()));
  return `${hostname()}/${process.pid}/${start}`;
}

/**
 * Whether the process that an identity names is provably gone: it ran on this host (in this boot and this pid namespace)
 * and its pid is free or another process's. False where nothing can be proved.
 */
export function isWorkerDead(worker: string): boolean {
  const match = /^(.+)\/(\d+)\/([^/]+)$/.exec(worker);
  if (match === null || match[1] !== hostname()) return false;
  const [pid, start] = [Number(match[2]), match[3] ?? ""];
  if (placeOf(start) !== placeOf(startOf(process.pid) ?? "")) return false;
  if (!isPidTaken(pid)) return true;
  const current = startOf(pid);
  return current !== null && current !== start;
}

/** What has to be the same for two starts to be comparable: all behind the ticks; the empty text without /proc. */
function placeOf(start: string): string {
  return /^\d+(@.+)$/.exec(start)?.[1] ?? "";
}

function isPidTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/** `ticks@boot.namespace` of a process; null where this system does not tell, or the process is gone. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in brackets may hold anything. Behind it comes field 3; field 22 is the start, in ticks since the boot.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").slice(0, 8);
    const namespace = readlinkSync("/proc/self/ns/pid").replaceAll(/\D/g, "");
    return `${ticks}@${boot}.${namespace}`;
  } catch {
    return null;
  }
}
