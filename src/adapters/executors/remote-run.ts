import type { Clock } from "../../reconcile/ports.ts";
import type { RunRequest, RunResult } from "../../reconcile/ports/executor.ts";
import { redact } from "../../core/redact.ts";
import { assertNever } from "../../errors.ts";
import { ApiCallError } from "./api-call.ts";
import { type Deadline, deadlineOf } from "./deadline.ts";
import { createLogTail, type LogTail } from "./log-tail.ts";
import { type Failure, retryable } from "./run-result.ts";

/** A run in a system of its own, by what it carries. */
export interface RemoteRun {
  /** What the system knows it by. */
  readonly id: string;
  readonly repairId: string;
  readonly token: number;
  readonly dates: readonly string[];
}

export type RemoteState =
  /** `detail` says in a few words how far it is. */
  | { readonly kind: "running"; readonly detail: string }
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly failure: Failure }
  /** The other system ended it at its own time limit. */
  | { readonly kind: "timed_out"; readonly message: string }
  /** It was there and is not any more. */
  | { readonly kind: "gone" };

/**
 * One run of a repair, as another system has it. Every call may throw ApiCallError.
 */
export interface RemoteRuns {
  /** For messages: what is run, and where. */
  readonly what: string;
  /** Between two questions. */
  readonly intervalMs: number;
  /** Every run of the same repair that is not over, whichever process started it. */
  unfinished(signal: AbortSignal): Promise<readonly RemoteRun[]>;
  /** Starts the run; its id. */
  start(signal: AbortSignal): Promise<string>;
  /** The id of the run with this request's idempotency key, over or not; null where there is none. */
  find(signal: AbortSignal): Promise<string | null>;
  look(id: string, signal: AbortSignal): Promise<RemoteState>;
  /** Tells a run to end. One that is over already, or gone, is no error. */
  stop(id: string, signal: AbortSignal): Promise<void>;
  /**
   * Puts the end of its output into the log, or where to find it. Never throws: what is missing is said there.
   * @returns why it does not go on, where the other system says so
   */
  readLog(id: string, log: LogTail, signal: AbortSignal): Promise<string | null>;
}

export interface RemoteOptions {
  readonly secrets: readonly string[];
  readonly clock: Clock;
}

/** How often a started run is looked for after its answer was lost: lists may be a moment behind. */
const findTries = 3;
/**
 * A refusal may pass, as when a permission is only just granted; a run under way is not given up for one. Where nobody answers,
 * as while a control plane is upgraded, it is not given up at all before its time is over: it goes on over there and could not
 * even be told to end, and to make way for another run would be to lose its work.
 */
const refusalsMax = 3;
/** For reading the log and stopping a run that has to end: whoever waits for it is told within seconds. */
const endingMs = 3_000;
const lastLogMs = 1_200;
/** For the log of a run that ended: it is worth less than its result. */
const logMs = 10_000;
const patienceMs = 1_000;

/** A run as far as it is; what changes while it is followed stands last. */
interface Following {
  readonly runs: RemoteRuns;
  readonly request: RunRequest;
  readonly clock: Clock;
  readonly deadline: Deadline;
  readonly log: LogTail;
  /** How far it was when it was last seen. */
  last: string;
  /** `maybe` where it was asked for and no answer came. */
  started: { readonly id: string } | "no" | "maybe";
}

/**
 * Runs a repair elsewhere, from the look at what is there already to the end of the run. Whoever comes here holds the locks
 * of the dates: an older run of them is left over from a process that died or lost its lock, and is ended first; a newer one
 * means that this process is the one that lost its lock.
 */
export async function followRemoteRun(
  runs: RemoteRuns,
  request: RunRequest,
  options: RemoteOptions,
): Promise<RunResult> {
  const result = await follow(runs, request, options);
  // The other system's words are in it, and what it was given may be in those.
  return "message" in result ? { ...result, message: redact(result.message, options.secrets) } : result;
}

async function follow(runs: RemoteRuns, request: RunRequest, options: RemoteOptions): Promise<RunResult> {
  const deadline = deadlineOf(request);
  const log = createLogTail(options.secrets);
  const following: Following = {
    runs,
    request,
    clock: options.clock,
    deadline,
    log,
    last: "nothing yet",
    started: "no",
  };
  try {
    await endOlderRuns(following);
    const id = await begin(following);
    return await watch(following, id);
  } catch (error) {
    if (!(error instanceof ApiCallError)) throw error;
    if (deadline.ended() === null) return { ...error.failure, logTail: log.text() };
    return await giveUp(following);
  } finally {
    deadline.dispose();
  }
}

/** Leaves no older run of these dates behind; their log says that there was one. */
async function endOlderRuns(following: Following): Promise<void> {
  const { runs, request, deadline, log } = following;
  const told = new Set<string>();
  for (;;) {
    const others = (await runs.unfinished(deadline.signal)).filter((run) => isOther(run, request));
    const newer = others.find(({ token }) => token > request.token);
    if (newer !== undefined) {
      const message = `${newer.id} is a newer run of the same dates: the locks of this one were lost`;
      throw new ApiCallError(
        { ...retryable("fence_refused", message, null), classification: "fenced" },
        null,
        false,
      );
    }
    if (others.length === 0) return;
    for (const { id } of others.filter(({ id }) => !told.has(id))) {
      log.append(Buffer.from(`gap-reconciler: ended ${id}, an older run of the same dates\n`));
      await runs.stop(id, deadline.signal);
      told.add(id);
      following.last = `${id}, an older run of the same dates, which was told to end`;
    }
    await pause(following, Math.min(runs.intervalMs, patienceMs));
  }
}

function isOther(run: RemoteRun, request: RunRequest): boolean {
  return run.repairId !== request.repairId && request.dates.some((date) => run.dates.includes(date));
}

/** Starts the run, or finds it where it was started and nobody could say so. */
async function begin(following: Following): Promise<string> {
  const { runs, deadline } = following;
  following.started = "maybe";
  try {
    const id = await runs.start(deadline.signal);
    following.started = { id };
    return id;
  } catch (error) {
    if (!(error instanceof ApiCallError) || deadline.ended() !== null) throw error;
    // 409 too: a run of that name is there, and it is ours where an earlier answer was lost on its way.
    const id = error.mayHaveHappened || error.status === 409 ? await findStarted(following) : null;
    if (id === null) throw error;
    following.started = { id };
    return id;
  }
}

async function findStarted(following: Following): Promise<string | null> {
  const { runs, deadline } = following;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const id = await runs.find(deadline.signal);
      if (id !== null || attempt === findTries) return id;
    } catch (error) {
      if (!(error instanceof ApiCallError) || deadline.ended() !== null) throw error;
      if (attempt === findTries) return null;
    }
    await pause(following, Math.min(runs.intervalMs, patienceMs));
  }
}

async function watch(following: Following, id: string): Promise<RunResult> {
  const { runs, deadline, log } = following;
  let refusals = 0;
  let waitMs = runs.intervalMs;
  for (;;) {
    await pause(following, waitMs);
    if (deadline.ended() !== null || deadline.remainingMs() === 0) return giveUp(following);
    waitMs = runs.intervalMs;
    try {
      const state = await runs.look(id, deadline.signal);
      refusals = 0;
      const result = await resultOf(following, id, state);
      if (result !== null) return result;
    } catch (error) {
      if (!(error instanceof ApiCallError) || deadline.ended() !== null) throw error;
      const { failure, status } = error;
      following.last = failure.message;
      waitMs = Math.max(runs.intervalMs, failure.retryAfterMs ?? 0);
      const isRefusal = status !== null && failure.classification !== "retryable";
      refusals = isRefusal ? refusals + 1 : 0;
      if (refusals < refusalsMax) continue;
      await stopQuietly(following, id, AbortSignal.timeout(endingMs));
      return { ...failure, logTail: log.text() };
    }
  }
}

/** Null while it goes on. */
async function resultOf(following: Following, id: string, state: RemoteState): Promise<RunResult | null> {
  const { runs, deadline, log } = following;
  const readLog = async (): Promise<string | null> => {
    await runs.readLog(id, log, AbortSignal.any([deadline.signal, AbortSignal.timeout(logMs)]));
    return log.text();
  };
  switch (state.kind) {
    case "running":
      following.last = state.detail;
      return null;
    case "succeeded":
      return { kind: "succeeded", logTail: await readLog() };
    case "failed":
      return { ...state.failure, logTail: await readLog() };
    case "timed_out":
      return { kind: "timed_out", message: state.message, logTail: await readLog() };
    case "gone": {
      const message = `${runs.what}: ${id} is not there any more; somebody removed it before it ended`;
      return retryable("run_gone", message, log.text());
    }
    default:
      return assertNever(state, "state of a run");
  }
}

/** The time is over, or the run is not ours any more: it must not go on. */
async function giveUp(following: Following): Promise<RunResult> {
  const { runs, request, deadline, log } = following;
  const signal = AbortSignal.timeout(endingMs);
  const id = await startedId(following, signal);
  const reason = id === null ? null : await runs.readLog(id, log, AbortSignal.timeout(lastLogMs));
  const isStopped = id === null || (await stopQuietly(following, id, signal));
  if (!isStopped) log.append(Buffer.from(`gap-reconciler: could not tell whether ${id} has ended\n`));
  const logTail = log.text();
  if (deadline.ended() === "aborted") return { kind: "cancelled", logTail };
  const seen = reason ?? following.last;
  const message = `expected ${runs.what} to end within ${request.timeoutMs / 1000} s, found last: ${seen}`;
  return { kind: "timed_out", message, logTail };
}

async function startedId({ runs, started }: Following, signal: AbortSignal): Promise<string | null> {
  if (started === "no") return null;
  if (started !== "maybe") return started.id;
  // Where even this is not answered, the next run of these dates finds it and ends it.
  return runs.find(signal).catch(() => null);
}

/** Whether it is known to have ended. */
async function stopQuietly({ runs }: Following, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    await runs.stop(id, signal);
    for (;;) {
      if ((await runs.look(id, signal)).kind !== "running") return true;
      await new Promise((resolve) => setTimeout(resolve, Math.min(runs.intervalMs, patienceMs / 4)));
    }
  } catch (error) {
    if (error instanceof ApiCallError) return false;
    throw error;
  }
}

function pause({ clock, deadline }: Following, ms: number): Promise<void> {
  return clock.sleep(Math.min(ms, deadline.remainingMs()), deadline.signal);
}
