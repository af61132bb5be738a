// Runs one command as the leader of its own process group and makes sure that the group does not outlive its parent: the
// parent holds the other end of stdin, and when that closes, for whatever reason (kill -9 too), the group is ended.
// It is a process of its own because a killed parent can do nothing any more. Plain JavaScript, so that it starts the same
// from the sources and from the build.
//
// stdin:  one line of JSON {argv, cwd, env, timeoutMs, graceMs}, then nothing; end of file means stop.
// fd 3:   one line of JSON per event: {event: "started", pid}, then one of
//         {event: "exited", code, signal, stopped: null | "timeout" | "asked"} or {event: "unstartable", errno, what}.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a group may take to go after SIGKILL before it is given up (a process that the kernel holds). */
const killedWithinMs = 2_000;
const pollMs = 50;
/** A longer timer of Node fires at once. */
const longestTimerMs = 2 ** 31 - 1;

let request = "";
let child = null;
let graceMs = 0;
let timer = null;
let exited = null;
let stopped = null;
let ending = null;
let finished = false;

// A terminal's Ctrl-C and a shutdown reach the parent, which decides; asked by itself, this process ends its command first.
for (const signal of ["SIGINT", "SIGHUP", "SIGTERM", "SIGQUIT"]) process.on(signal, () => stop("asked"));

process.stdin.setEncoding("utf8");
process.stdin.on("data", (text) => {
  request += text;
  if (child === null && request.endsWith("\n")) start(JSON.parse(request));
});
process.stdin.on("end", () => stop("asked"));
process.stdin.on("error", () => stop("asked"));

function start({ argv, cwd, env, ...limits }) {
  graceMs = limits.graceMs;
  try {
    // Both outputs into one pipe, because only that keeps their order: the error stays at the end.
    child = spawn(argv[0], argv.slice(1), { cwd, env, detached: true, stdio: ["ignore", 1, 1] });
  } catch (error) {
    finish({ event: "unstartable", errno: error.code ?? error.message, what: "executable" });
    return;
  }
  child.on("error", (error) => {
    // With a pid it did start, and what failed is only a signal that could not be sent.
    if (child.pid !== undefined) return;
    finish({
      event: "unstartable",
      errno: error.code ?? error.message,
      what: isFolder(cwd) ? "executable" : "cwd",
    });
  });
  if (child.pid === undefined) return;
  tell({ event: "started", pid: child.pid });
  timer = setTimeout(() => stop("timeout"), Math.min(limits.timeoutMs, longestTimerMs));
  child.on("exit", (code, signal) => {
    exited = { code, signal };
    void end();
  });
}

function stop(reason) {
  if (child?.pid === undefined) {
    finish({ event: "unstartable", errno: "ECANCELED", what: "executable" });
    return;
  }
  if (exited === null) stopped ??= reason;
  void end();
}

/** Ends what is left of the group, then says how the command ended. Called on its exit and on a stop, whichever is first. */
function end() {
  clearTimeout(timer);
  ending ??= endGroup(child.pid).then(async () => {
    // The group is gone, yet the exit of its leader may arrive a moment later.
    for (let waited = 0; exited === null && waited < killedWithinMs; waited += pollMs) await sleep(pollMs);
    finish({ event: "exited", code: exited?.code ?? null, signal: exited?.signal ?? null, stopped });
  });
  return ending;
}

async function endGroup(group) {
  if (await goneWithin(group, "SIGTERM", graceMs)) return;
  await goneWithin(group, "SIGKILL", killedWithinMs);
}

async function goneWithin(group, signal, limitMs) {
  if (!isAlive(group)) return true;
  try {
    process.kill(-group, signal);
  } catch {
    // It went away in between, or belongs to somebody else by now; what remains is seen below.
  }
  const deadline = performance.now() + limitMs;
  while (isAlive(group)) {
    if (performance.now() >= deadline) return false;
    await sleep(pollMs);
  }
  return true;
}

/** Whether any process of the group still runs. One that is dead but not reaped by its parent does nothing any more. */
function isAlive(group) {
  try {
    process.kill(-group, 0);
  } catch (error) {
    return error.code !== "ESRCH";
  }
  if (process.platform !== "linux") return true;
  try {
    return hasLivingMember(group);
  } catch {
    return true; // Without a look into /proc, what the signal reached counts as alive.
  }
}

function hasLivingMember(group) {
  for (const pid of processIds()) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      // The name in brackets may hold anything; behind it come the state, the parent and the process group.
      const [state, , memberOf] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(memberOf) === group && state !== "Z" && state !== "X") return true;
    } catch {
      // It ended while we looked.
    }
  }
  return false;
}

function processIds() {
  return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
}

function isFolder(path) {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function tell(message) {
  try {
    writeSync(3, `${JSON.stringify(message)}\n`);
  } catch {
    // Nobody listens any more: the parent is gone.
  }
}

/** Says the last word and lets go of everything, so that the process ends by itself. */
function finish(message) {
  if (finished) return;
  finished = true;
  tell(message);
  clearTimeout(timer);
  process.stdin.destroy();
  child?.unref();
}
