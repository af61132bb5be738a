import type { RefusedDate } from "../../core/audit.ts";
import type { IsoDate } from "../../core/iso-date.ts";
import { metricsOf } from "../../core/observation.ts";
import { tableText } from "../../core/pipeline.ts";
import { messageOf, ReconcilerError } from "../../errors.ts";
import type { ReplaceRequest, ReplaceResult } from "../../reconcile/ports.ts";
import { profileOfArm } from "../sql/profile-all.ts";
import { profileArm } from "../sql/profile-arm.ts";
import { QueryError } from "../sql/query-error.ts";
import { broken, calledOff, checkStaged, publishedDates, refusedRows } from "../sql/repair-shape.ts";
import { sessionKey, stagePurpose } from "./abandoned-sessions.ts";
import { rangeOf } from "./dates.ts";
import { FenceConflict, type Fences, type RunInSession, writeFence } from "./fence.ts";
import type { JobSession } from "./job-configuration.ts";
import type { Jobs, Outcome } from "./jobs.ts";
import { type Limits, limitsOf } from "./limits.ts";
import { Bindings, listParameter, type Parameter } from "./parameters.ts";
import { armContexts, type ProfileSource } from "./profile.ts";
import { type RepairShape, shapeRepair } from "./repair-shape.ts";
import { loadSql } from "./sql-files.ts";
import { enclose } from "./sql-text.ts";
import type { Turns } from "./turns.ts";

/** What a repair takes besides its request. */
export interface Writing {
  readonly source: ProfileSource;
  readonly fences: Fences;
  readonly turns: Turns;
}

const conflictTries = 8;
/** Of what must not be left half done: it goes on when the repair is called off. */
const endLimitMs = 30_000;

/**
 * Replaces the dates in one transaction, fence included. A transaction that BigQuery cancelled for another one is tried
 * again, and then sees the other's token.
 * @throws as `Warehouse.replaceDates` does.
 */
export async function replaceDates(writing: Writing, request: ReplaceRequest): Promise<ReplaceResult> {
  if (request.dates.length === 0) return { rowsDeleted: 0, rowsInserted: 0, refused: [] };
  const limits = limitsOf(request.timeoutMs, request.signal);
  const { source, fences, turns } = writing;
  return turns.take(tableText(request.processor.table), limits, async () => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await replaceOnce(writing, request, limits);
      } catch (error) {
        if (error instanceof QueryError) fences.forget(request.processor);
        if (!(error instanceof FenceConflict)) throw error;
        if (attempt === conflictTries) throw conflicting(request, error);
      }
      await source.api.backOff(attempt, limits);
    }
  });
}

async function replaceOnce(
  { source, fences }: Writing,
  request: ReplaceRequest,
  limits: Limits,
): Promise<ReplaceResult> {
  const { jobs } = source;
  const shape = await shapeRepair(source, request, request.dates, limits);
  const fence = await fences.make(request.processor, limits);
  const sql = loadSql("stage-rows", { query: shape.query });
  const key = sessionKey(request.repairId, request.processor);
  const staged = await jobs.writeInSession(
    { sql, parameters: shape.range, purpose: stagePurpose },
    key,
    limits,
  );
  const session = new RepairSession(jobs, sessionOf(staged), limits);
  try {
    await jobs.refuseHidden(staged, limits);
    await checkStagedRows(session, shape, request);
    const refused = await auditStaged(session, shape, request, source, limits);
    return await session.transaction(async () => {
      const isGuarded = await asConflict(() => writeFence(session.run, fence, request));
      if (!isGuarded) {
        fences.forget(request.processor);
        throw new FenceConflict(new Error("the fence has lost the row that every repair replaces"));
      }
      const written = await writeRows(session, shape, request, publishedDates(request.dates, refused));
      // Nothing is committed for one who was told to stop: the lock may be another's by now.
      if (request.signal.aborted) throw calledOff(request.processor);
      return { ...written, refused };
    });
  } finally {
    await session.end();
  }
}

async function checkStagedRows(
  session: RepairSession,
  { texts, range, dates, staged }: RepairShape,
  request: ReplaceRequest,
): Promise<void> {
  const { dateColumn, where } = request.processor;
  const replacements = {
    day: texts.day,
    owned: where === null ? "true" : enclose(where),
    source: staged.sql,
  };
  const { rows } = await renamed(
    () => session.run("check-staged-rows", replacements, [...range, dates]),
    (error) =>
      broken(
        request,
        `expected ${dateColumn} as ${texts.type}, found something else: ${messageOf(error)}`,
        `give ${dateColumn} the type that it has in the table`,
        error,
      ),
  );
  const [undated = 0, outside = 0, foreign = 0] = [0, 1, 4].map((column) => rows.numbers(column)[0] ?? 0);
  const [first = null, last = null] = [2, 3].map((column) => rows.strings(column)[0] ?? null);
  checkStaged({ undated, outside, foreign, first, last }, request);
}

/** Before the transaction, which others wait for: the staged rows do not change. */
async function auditStaged(
  session: RepairSession,
  { staged }: RepairShape,
  { processor, dates, audit }: ReplaceRequest,
  source: ProfileSource,
  limits: Limits,
): Promise<readonly RefusedDate[]> {
  if (audit === null) return [];
  const contextOf = await armContexts(source, [processor], limits);
  const binder = new Bindings();
  const context = { ...contextOf([rangeOf(dates)], binder), staged };
  const arms = profileArm(processor, 0, metricsOf(processor.expect).length, context);
  const { rows } = await renamed(
    () => session.run("profile", { arms }, binder.parameters),
    (error) => refusedRows(tableText(processor.table), error),
  );
  return audit(profileOfArm(rows, processor));
}

/** Dates inside the range that were not asked for are left out: another repair may be at work on them. */
async function writeRows(
  session: RepairSession,
  { texts, bounds }: RepairShape,
  request: ReplaceRequest,
  published: readonly IsoDate[],
): Promise<Omit<ReplaceResult, "refused">> {
  if (published.length === 0) return { rowsDeleted: 0, rowsInserted: 0 };
  const table = tableText(request.processor.table);
  const dates = listParameter("dates", "DATE", published);
  const deleted = await renamed(
    () => session.run("delete-dates", texts, [dates, ...bounds]),
    (error) => refusedDeletion(table, error),
  );
  const inserted = await renamed(
    () => session.run("insert-staged-rows", { ...texts, rows: "gr_staged" }, [dates]),
    (error) => refusedRows(table, error),
  );
  return { rowsDeleted: deleted.rowsChanged, rowsInserted: inserted.rowsChanged };
}

/** A session of BigQuery: what is staged and what is not yet committed belong to it alone. */
class RepairSession {
  readonly #jobs: Jobs;
  readonly #session: JobSession;
  readonly #limits: Limits;
  #isOpen = false;

  constructor(jobs: Jobs, session: JobSession, limits: Limits) {
    this.#jobs = jobs;
    this.#session = session;
    this.#limits = limits;
  }

  readonly run: RunInSession = (name, replacements, parameters) =>
    this.#statement(loadSql(name, replacements), parameters, this.#limits);

  /** Commits when `work` resolves; whatever else happens, `end` takes all of it back. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.run("begin", {}, []);
    this.#isOpen = true;
    const value = await work();
    // Not stopped half-way: nobody could tell what came of it.
    await asConflict(() => this.#statement(loadSql("commit"), [], limitsOf(endLimitMs)));
    this.#isOpen = false;
    return value;
  }

  /** @throws ReconcilerError where a transaction may still be open: it would keep others from the table */
  async end(): Promise<void> {
    const problems: unknown[] = [];
    for (const name of this.#isOpen ? ["rollback", "end-session"] : ["end-session"]) {
      try {
        await this.#statement(loadSql(name), [], limitsOf(endLimitMs));
        if (name === "rollback") this.#isOpen = false;
        else return;
      } catch (error) {
        problems.push(error);
      }
    }
    // BigQuery ends an idle session by itself within a day; without a transaction nothing of it is in anybody's way.
    if (!this.#isOpen) return;
    throw new ReconcilerError(
      "warehouse_unavailable",
      `the repair's transaction in the session ${this.#session.id} could not be taken back: ${problems.map(messageOf).join("; ")}`,
      {
        cause: new AggregateError(problems),
        hint: "nothing of it is visible; BigQuery takes it back when the session ends, and until then other repairs of the table wait",
      },
    );
  }

  #statement(sql: string, parameters: readonly Parameter[], limits: Limits): Promise<Outcome> {
    const session = this.#session;
    return this.#jobs.write({ sql, parameters, purpose: "repair", session, ifHidden: "tell" }, limits);
  }
}

function conflicting({ processor }: ReplaceRequest, cause: FenceConflict): ReconcilerError {
  const table = tableText(processor.table);
  return new ReconcilerError(
    "write_conflict",
    `the repair of ${processor.name} was cancelled ${conflictTries} times by other transactions on ${table}: ${messageOf(cause.cause)}; nothing was written`,
    {
      cause,
      hint: `look for another writer of ${table}: BigQuery lets one transaction at a time change a table's rows`,
    },
  );
}

function sessionOf({ session }: Outcome): JobSession {
  if (session !== null) return session;
  throw new ReconcilerError(
    "warehouse_unavailable",
    "expected a session of BigQuery, found none in its answer",
  );
}

/**
 * A DELETE by a condition that profiles run too fails on another transaction, or on a table that allows none: to try that
 * again at once would only be billed for the SELECT again.
 */
function refusedDeletion(table: string, error: QueryError): Error {
  const message = messageOf(error);
  if (!message.includes("not supported")) return new FenceConflict(error);
  if (!message.includes("streaming buffer")) return error;
  return new ReconcilerError(
    "write_conflict",
    `rows of these dates are in the streaming buffer of ${table}, from which BigQuery deletes none: ${message}; nothing was written`,
    {
      cause: error,
      hint: "it is tried again, and BigQuery stores such rows within 90 minutes at the most; do not stream into dates that are to be repaired",
    },
  );
}

/** A statement of ours over the fence, or a commit, fails on nothing but another transaction. */
function asConflict<T>(work: () => Promise<T>): Promise<T> {
  return renamed(work, (error) => new FenceConflict(error));
}

/** Says what it means here that a statement failed, though it was found to be right before. */
async function renamed<T>(work: () => Promise<T>, nameOf: (error: QueryError) => Error): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof QueryError && error.fault === "failed" ? nameOf(error) : error;
  }
}
