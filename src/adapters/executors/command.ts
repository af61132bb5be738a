import type { CommandAction } from "../../core/repair-action.ts";
import { renderTemplate } from "../../core/template.ts";
import { assertNever, messageOf } from "../../errors.ts";
import { redact } from "../../core/redact.ts";
import type { Warehouse } from "../../reconcile/ports.ts";
import type { RunRequest, RunResult } from "../../reconcile/ports/executor.ts";
import { judgeExitCode } from "./exit-code.ts";
import { createLogTail } from "./log-tail.ts";
import { renderValues } from "./render.ts";
import { permanent, retryable, systemic } from "./run-result.ts";
import { runSupervised, type SupervisedEnd } from "./supervised.ts";
import { childVariables, variablesOf } from "./variables.ts";

export interface CommandOptions {
  readonly warehouse: Pick<Warehouse, "released">;
  readonly secrets: readonly string[];
  /** Between SIGTERM and SIGKILL, when a run has to end. */
  readonly graceMs: number;
}

/**
 * Runs `argv` without a shell while the warehouse file is released. The wait for the file counts: the run is over a few
 * seconds after `timeoutMs` in any case.
 */
export async function runCommand(
  options: CommandOptions,
  action: CommandAction,
  request: RunRequest,
): Promise<RunResult> {
  const deadline = performance.now() + request.timeoutMs;
  const variables = variablesOf(request);
  const argv = action.argv.map((argument) => renderTemplate(argument, variables));
  const env = childEnvironment(action, request);
  const program = redact(argv[0] ?? "", options.secrets);
  return inTurn(options.warehouse, request, async () => {
    const log = createLogTail(options.secrets);
    const end = await runSupervised({
      argv,
      cwd: action.cwd,
      env,
      timeoutMs: Math.max(1, Math.round(deadline - performance.now())),
      graceMs: options.graceMs,
      signal: request.signal,
      onOutput: log.append,
    });
    return resultOf(end, { action, program, timeoutMs: request.timeoutMs, logTail: log.text() });
  });
}

/** Runs `work` with the file released, unless its turn does not come before the time limit or an abort. */
function inTurn(
  warehouse: CommandOptions["warehouse"],
  request: RunRequest,
  work: () => Promise<RunResult>,
): Promise<RunResult> {
  if (request.signal.aborted) return Promise.resolve({ kind: "cancelled", logTail: null });
  return new Promise((resolve) => {
    let result: RunResult | null = null;
    let waiting = true;
    const stopWaiting = (): void => {
      waiting = false;
      clearTimeout(timer);
      request.signal.removeEventListener("abort", onAbort);
    };
    const giveUp = (because: RunResult): void => {
      stopWaiting();
      resolve(because);
    };
    const onAbort = (): void => giveUp({ kind: "cancelled", logTail: null });
    const timer = setTimeout(
      () => giveUp(retryable("warehouse_busy", busyMessage(request), null)),
      Math.min(request.timeoutMs, 2 ** 31 - 1),
    );
    request.signal.addEventListener("abort", onAbort, { once: true });
    const turn = warehouse.released(async () => {
      if (!waiting) return;
      stopWaiting();
      result = await work();
    });
    turn.then(
      () => resolve(result ?? retryable("warehouse_busy", busyMessage(request), null)),
      (error: unknown) => {
        stopWaiting();
        // What the command did counts, even if the file could not be taken back after it.
        resolve(result ?? retryable("warehouse_not_released", messageOf(error), null));
      },
    );
  });
}

/** Nothing of this process's environment but what a program needs to find others and its user's files. */
function childEnvironment(action: CommandAction, request: RunRequest): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of ["PATH", "HOME"]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...renderValues(action.env, variablesOf(request)), ...childVariables(request) };
}

interface Context {
  readonly action: CommandAction;
  readonly program: string;
  readonly timeoutMs: number;
  readonly logTail: string | null;
}

function resultOf(end: SupervisedEnd, context: Context): RunResult {
  switch (end.kind) {
    case "exited":
      return exitResult(end, context);
    case "unstartable":
      return startFailure(end, context);
    case "unsupervised":
      return retryable("supervisor_failed", `${context.program}: ${end.message}`, context.logTail);
    default:
      return assertNever(end, "end of a command");
  }
}

function exitResult(end: Extract<SupervisedEnd, { kind: "exited" }>, context: Context): RunResult {
  const { action, program, logTail } = context;
  if (end.stopped === "asked") return { kind: "cancelled", logTail };
  if (end.stopped === "timeout") {
    const message = `${program} did not end within ${context.timeoutMs / 1000} s and was stopped`;
    return { kind: "timed_out", message, logTail };
  }
  if (end.code === 0) return { kind: "succeeded", logTail };
  if (end.code === null) {
    const memory = end.signal === "SIGKILL" ? " (out of memory?)" : "";
    const message = `${program} was ended by ${end.signal ?? "an unknown signal"} from outside${memory}`;
    return retryable(`signal_${(end.signal ?? "unknown").toLowerCase()}`, message, logTail);
  }
  return judgeExitCode(end.code, action.exitCodes, program, logTail);
}

/** No process ran, so this says nothing about the dates. */
function startFailure(end: Extract<SupervisedEnd, { kind: "unstartable" }>, context: Context): RunResult {
  const { action, program, logTail } = context;
  const where = `(working folder ${action.cwd})`;
  if (end.what === "cwd") {
    const message = `expected the working folder ${action.cwd} for ${program}, found none`;
    return systemic("executable_not_found", "cwd_not_found", message, logTail);
  }
  switch (end.errno) {
    case "ENOENT":
      return systemic(
        "executable_not_found",
        "executable_not_found",
        `expected the program ${program} in PATH or at that place ${where}, found none; a script needs its interpreter too`,
        logTail,
      );
    case "EACCES":
      return systemic(
        "executable_not_found",
        "executable_not_found",
        `${program} ${where} may not be executed: expected execute permission on the file and its folders`,
        logTail,
      );
    case "ECANCELED":
      return { kind: "cancelled", logTail };
    case "E2BIG":
      return permanent("spawn_e2big", `the arguments and environment of ${program} are too long`, logTail);
    default:
      return retryable(
        `spawn_${end.errno.toLowerCase()}`,
        `${program} ${where} could not be started: ${end.errno}`,
        logTail,
      );
  }
}

function busyMessage(request: RunRequest): string {
  return `expected the warehouse file within ${request.timeoutMs / 1000} s, but other repairs used it all that time`;
}
