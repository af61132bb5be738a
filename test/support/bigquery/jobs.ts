import { randomUUID } from "node:crypto";
import type { Context, Outcome, Session } from "./context.ts";
import { nothing } from "./context.ts";
import { BigQueryError } from "./errors.ts";
import type { Fault } from "./faults.ts";
import { type QueryParameter, readParameters } from "./parameters.ts";
import { run } from "./statements.ts";

/** What `jobs.query` and the `configuration.query` of `jobs.insert` have in common. */
export interface QueryBody {
  readonly query: string;
  readonly queryParameters?: readonly QueryParameter[];
  readonly useLegacySql?: boolean;
  readonly useQueryCache?: boolean;
  readonly maximumBytesBilled?: string | number;
  readonly defaultDataset?: { readonly datasetId: string };
  readonly createSession?: boolean;
  readonly connectionProperties?: readonly { readonly key: string; readonly value: string }[];
  readonly dryRun?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly location?: string;
}

/** A statement that was sent, with what it cost. */
export interface QueryStat {
  readonly jobId: string;
  readonly sql: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly statementType: string;
  readonly bytesProcessed: number;
  readonly bytesBilled: number;
  readonly cacheHit: boolean;
  readonly dryRun: boolean;
  /** The reason of its failure. */
  readonly error: string | null;
}

export interface Job {
  readonly id: string;
  readonly body: QueryBody;
  readonly createdMs: number;
  readonly sessionId: string | null;
  /** When it ended; null until then. */
  endedMs: number | null;
  outcome: Outcome;
  error: BigQueryError | null;
  /** Resolves when it is over. */
  readonly over: Promise<void>;
  cancel(): void;
  /** To be called whenever somebody asks for it: whether it has started. */
  poll(): boolean;
}

export interface Jobs {
  /** @throws BigQueryError `duplicate` for an id that was there */
  start(body: QueryBody, id: string | undefined, fault: Fault | undefined): Job;
  get(id: string): Job;
  readonly stats: QueryStat[];
}

export function newJobs(context: Context): Jobs {
  const { projectId, location } = context.warehouse;
  const jobs = new Map<string, Job>();
  const sessions = new Map<string, Session>();
  const stats: QueryStat[] = [];
  return {
    stats,
    get(id) {
      const found = jobs.get(id);
      if (found === undefined) throw new BigQueryError("notFound", `Not found: Job ${projectId}:${id}`);
      return found;
    },
    start(body, id = `job_${randomUUID()}`, fault) {
      if (jobs.has(id))
        throw new BigQueryError("duplicate", `Already Exists: Job ${projectId}:${location}.${id}`);
      if (body.useLegacySql !== false)
        throw new BigQueryError("invalid", "This server runs no legacy SQL: set useLegacySql to false");
      const session = sessionOf(sessions, body);
      const job = newJob(id, body, session, fault, (signal) =>
        runJob(context, sessions, body, session, signal),
      );
      if (body.dryRun !== true) jobs.set(id, job);
      void job.over.then(() => stats.push(statOf(job)));
      return job;
    },
  };
}

function newJob(
  id: string,
  body: QueryBody,
  session: Session | undefined,
  fault: Fault | undefined,
  work: (signal: AbortSignal) => Promise<Outcome>,
): Job {
  const abort = new AbortController();
  const stopped = new BigQueryError("stopped", "Job execution was cancelled: User requested cancellation");
  // Nobody asks for a dry run, which is answered at once.
  let pollsLeft = fault?.kind === "slow" && body.dryRun !== true ? fault.polls : 0;
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  if (pollsLeft === 0) open();
  const execute = async () => {
    try {
      await gate;
      abort.signal.throwIfAborted();
      if (fault?.kind === "job_error")
        throw new BigQueryError(fault.reason, fault.message ?? `The job failed: ${fault.reason}`);
      job.outcome = await work(abort.signal);
    } catch (error) {
      job.error = error instanceof BigQueryError ? error : unexpected(error);
    } finally {
      job.endedMs = Date.now();
    }
  };
  const job: Job = {
    id,
    body,
    createdMs: Date.now(),
    sessionId: session?.id ?? null,
    endedMs: null,
    outcome: nothing,
    error: null,
    // A turn later, when there is a job to tell what came of it.
    over: Promise.resolve().then(execute),
    cancel() {
      abort.abort(stopped);
      pollsLeft = 0;
      open();
    },
    poll() {
      if (pollsLeft === 0) return true;
      pollsLeft -= 1;
      if (pollsLeft === 0) open();
      return false;
    },
  };
  return job;
}

/** A fault of this server, not one of BigQuery: told in full. */
export function unexpected(error: unknown): BigQueryError {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new BigQueryError("notImplemented", `The test server failed: ${message}`);
}

function sessionOf(sessions: Map<string, Session>, body: QueryBody): Session | undefined {
  const id = body.connectionProperties?.find(({ key }) => key === "session_id")?.value;
  if (id === undefined) {
    if (body.createSession !== true || body.dryRun === true) return undefined;
    const session = { id: randomUUID(), transaction: null, busy: false, temporary: new Map() };
    sessions.set(session.id, session);
    return session;
  }
  const found = sessions.get(id);
  if (found === undefined) throw new BigQueryError("invalid", `Session ${id} is not found or has ended`);
  return found;
}

async function runJob(
  context: Context,
  sessions: Map<string, Session>,
  body: QueryBody,
  session: Session | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  const [call, other] =
    /^\s*call\s+bq\.abort_session\s*\(\s*(?:['"]([^'"]*)['"])?\s*\)\s*;?\s*$/i.exec(body.query) ?? [];
  if (call !== undefined) {
    const ended = other === undefined ? session : sessions.get(other);
    ended?.transaction?.rollback();
    if (ended !== undefined) sessions.delete(ended.id);
    return { ...nothing, statementType: "CALL" };
  }
  if (session?.busy === true)
    throw new BigQueryError("invalid", `Session ${session.id} runs another query: one at a time`);
  if (session !== undefined) session.busy = true;
  const { warehouse } = context;
  // Elsewhere there is nothing.
  const elsewhere =
    body.location !== undefined && body.location.toLowerCase() !== warehouse.location.toLowerCase();
  const there = { ...warehouse, location: body.location ?? "", datasets: new Map() };
  const limit = body.maximumBytesBilled;
  try {
    return await run(elsewhere ? { ...context, warehouse: there } : context, {
      sql: body.query,
      params: readParameters(body.queryParameters ?? []),
      defaultDataset: body.defaultDataset?.datasetId,
      dryRun: body.dryRun === true,
      useCache: body.useQueryCache !== false,
      maximumBytesBilled: limit === undefined ? undefined : Number(limit),
      session,
      signal,
    });
  } finally {
    if (session !== undefined) session.busy = false;
  }
}

function statOf({ id, body, outcome, error }: Job): QueryStat {
  return {
    jobId: id,
    sql: body.query,
    labels: body.labels ?? {},
    statementType: outcome.statementType,
    bytesProcessed: outcome.cost.bytesProcessed,
    bytesBilled: body.dryRun === true ? 0 : outcome.cost.bytesBilled,
    cacheHit: outcome.cacheHit,
    dryRun: body.dryRun === true,
    error: error?.reason ?? null,
  };
}
