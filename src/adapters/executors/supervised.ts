import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../errors.ts";

const supervisor = fileURLToPath(new URL("./supervise.mjs", import.meta.url));

/** On top of what the supervisor may take by its own limits, before it counts as hung itself. */
const supervisorSlackMs = 4_000;
/** How long output may still come once the command is gone: a process that left the group may hold the pipe open for ever. */
const drainMs = 500;
const longestTimerMs = 2 ** 31 - 1;

export interface SupervisedCommand {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment of the command. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  readonly signal: AbortSignal;
  /** Standard output and error, in the order of arrival. */
  readonly onOutput: (chunk: Uint8Array) => void;
}

export type SupervisedEnd =
  | {
      readonly kind: "exited";
      readonly code: number | null;
      readonly signal: string | null;
      /** Whether it was ended at its time limit or because the signal aborted; null where it ended by itself. */
      readonly stopped: "timeout" | "asked" | null;
    }
  /** No process ran. `what` tells whether the working folder is missing. */
  | { readonly kind: "unstartable"; readonly errno: string; readonly what: "executable" | "cwd" }
  /** The supervisor itself failed; the command's group was killed if it had one. */
  | { readonly kind: "unsupervised"; readonly message: string };

type SupervisorEvent = { readonly kind: "started"; readonly pid: number } | SupervisedEnd;

/**
 * Runs a command in a process group that ends with it, at its time limit, on an abort, and when this process dies.
 * Resolves once the group is gone (or the kernel refuses to let it go), never rejects.
 */
export async function runSupervised(command: SupervisedCommand): Promise<SupervisedEnd> {
  let child: ChildProcess;
  try {
    // Detached, because a terminal's Ctrl-C would otherwise reach it before this process decided anything.
    child = spawn(process.execPath, [supervisor], {
      detached: true,
      env: {},
      stdio: ["pipe", "pipe", "pipe", "pipe"],
    });
  } catch (error) {
    return { kind: "unsupervised", message: messageOf(error) };
  }
  let group: number | null = null;
  let end: SupervisedEnd | null = null;
  const stop = (): void => void child.stdin?.end();
  const backstop = setTimeout(
    () => {
      killGroup(group);
      child.kill("SIGKILL");
    },
    Math.min(command.timeoutMs + command.graceMs + supervisorSlackMs, longestTimerMs),
  );
  try {
    const closed = closeOf(child);
    child.stdout?.on("data", (chunk: Buffer) => command.onOutput(chunk));
    child.stderr?.on("data", (chunk: Buffer) => command.onOutput(chunk));
    readEvents(child, (event) => {
      if (event.kind === "started") group = event.pid;
      else end = event;
    });
    // A write to a supervisor that is gone fails; its exit says the same.
    child.stdin?.on("error", () => {});
    child.stdin?.write(`${JSON.stringify(requestOf(command))}\n`);
    command.signal.addEventListener("abort", stop, { once: true });
    if (command.signal.aborted) stop();
    const failure = await closed;
    if (end !== null) return end;
    killGroup(group);
    return { kind: "unsupervised", message: failure };
  } finally {
    clearTimeout(backstop);
    command.signal.removeEventListener("abort", stop);
    child.stdin?.destroy();
  }
}

function requestOf({ argv, cwd, env, timeoutMs, graceMs }: SupervisedCommand): unknown {
  return { argv, cwd, env, timeoutMs, graceMs };
}

/** Resolves once the process is gone and its output read as far as it will come, with how it ended. */
function closeOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = "its supervisor ended without a word";
    child.on("error", (error) => {
      text = `its supervisor could not be started: ${messageOf(error)}`;
      if (child.pid === undefined) resolve(text);
    });
    child.on("close", () => resolve(text));
    child.on("exit", (code, signal) => {
      if (code !== 0) text = `its supervisor ended with ${signal ?? `exit code ${code}`}`;
      void sleep(drainMs, undefined, { ref: false }).then(() => {
        for (const stream of child.stdio) stream?.destroy();
      });
    });
  });
}

function readEvents(child: ChildProcess, onEvent: (event: SupervisorEvent) => void): void {
  // The fourth descriptor is a readable pipe, as asked for in the spawn.
  const pipe = child.stdio[3] as Readable;
  let text = "";
  pipe.setEncoding("utf8");
  pipe.on("error", () => {});
  pipe.on("data", (chunk: string) => {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) onEvent(eventOf(line));
  });
}

function eventOf(line: string): SupervisorEvent {
  const message: unknown = JSON.parse(line);
  const field = (name: string): unknown =>
    typeof message === "object" && message !== null ? Reflect.get(message, name) : undefined;
  const [pid, code, signal, stopped] = [field("pid"), field("code"), field("signal"), field("stopped")];
  if (field("event") === "started" && typeof pid === "number") return { kind: "started", pid };
  if (field("event") === "exited") {
    return {
      kind: "exited",
      code: typeof code === "number" ? code : null,
      signal: typeof signal === "string" ? signal : null,
      stopped: stopped === "timeout" || stopped === "asked" ? stopped : null,
    };
  }
  return {
    kind: "unstartable",
    errno: String(field("errno")),
    what: field("what") === "cwd" ? "cwd" : "executable",
  };
}

/** The last resort, where nobody is left who could do it kindly. */
function killGroup(group: number | null): void {
  if (group === null) return;
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // Already gone, which is what was wanted.
  }
}
