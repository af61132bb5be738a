import { type LedgerRecords, emptyLedgerRecords } from "../../core/ledger-records.ts";
import { attemptsKept } from "../../core/retry-policy.ts";
import type { Ledger } from "../../reconcile/ports.ts";
import * as json from "../sql/ledger-json.ts";
import { canonicalPath } from "./database.ts";
import { ledgerFile } from "./ledger-file.ts";
import * as rows from "./ledger-rows.ts";
import { dateParameter, type Session } from "./session.ts";
import { loadSql } from "./sql-files.ts";

export interface DuckDbLedgerOptions {
  readonly path: string;
  /** How long to wait for another process that uses the file; 10 seconds by default. */
  readonly lockWaitMs?: number;
}

const dayMs = 86_400_000;
const eventsPerCell = 10;
const endsPerRepair = 200;
const historyMax = 100;
const activityMax = 10_000;
/** A decision stands until another one overrides it, however old it is. */
const allDecisions = { since: 0n, at_most: Number.MAX_SAFE_INTEGER };

/** A ledger in a DuckDB file of its own, in which a person reads the tables and views of ledger-create.sql. */
export function createDuckDbLedger(options: DuckDbLedgerOptions): Ledger {
  const file = ledgerFile(canonicalPath(options.path), options.lockWaitMs ?? 10_000);
  return {
    create: file.create,
    read: (now) => file.read(emptyLedgerRecords, (session) => readRecords(session, now)),
    recordStart: (start) => file.write((session) => insert(session, "start", json.startRow(start))),
    recordEnd: (end) =>
      file.write(async (session) => {
        if ((await insertOnce(session, "end", json.endRow(end))) === 0) return;
        await session.run(loadSql("ledger-insert-cell-outcomes"), {
          rows: json.toJson(json.cellRows(end.cells)),
          repair_id: end.repairId,
          started_at: BigInt(Math.round(end.startedAt)),
          ended_at: BigInt(Math.round(end.endedAt)),
        });
      }),
    recordCycle: (cycle, events, baselines) =>
      file.write(async (session) => {
        if ((await insertOnce(session, "cycle", json.cycleRow(cycle))) === 0) return;
        await session.run(loadSql("ledger-insert-gap-events"), { rows: json.toJson(json.eventRows(events)) });
        await session.run(loadSql("ledger-insert-baselines"), {
          rows: json.toJson(json.baselineRows(baselines)),
        });
      }),
    recordDecision: (decision) =>
      file.write((session) => insert(session, "decision", json.decisionRow(decision))),
    decisions: () =>
      file.read([], async (session) =>
        rows.decisions(await session.run(loadSql("ledger-read-decisions"), allDecisions)),
      ),
    history: (cell) =>
      file.read([], async (session) => {
        const parameters = {
          processor: cell.processor,
          date: dateParameter(cell.date),
          at_most: historyMax,
        };
        return rows.history(await session.run(loadSql("ledger-read-history"), parameters));
      }),
    since: (instant) =>
      file.read({ gapEvents: [], ends: [], decisions: [], cycles: [] }, async (session) => {
        const parameters = { since: BigInt(Math.round(instant)), at_most: activityMax };
        const select = (what: string) => session.run(loadSql(`ledger-read-${what}`), parameters);
        return {
          gapEvents: rows.gapEvents(await select("gap-events-since")),
          ends: rows.ends(await select("ends-since"), await select("cells-since")),
          decisions: rows.decisions(await select("decisions")),
          cycles: rows.cycles(await select("cycles-since")),
        };
      }),
    close: () => Promise.resolve(),
  };
}

type Single = "start" | "end" | "cycle" | "decision";

/** Rows inserted: none where the id is known already. */
async function insertOnce(session: Session, what: Single, row: object): Promise<number> {
  return (await session.run(loadSql(`ledger-insert-${what}`), { row: json.toJson(row) })).rowsChanged;
}

async function insert(session: Session, what: Single, row: object): Promise<void> {
  await insertOnce(session, what, row);
}

async function readRecords(session: Session, now: number): Promise<LedgerRecords> {
  const dayAgo = BigInt(Math.round(now - dayMs));
  const weekAgo = BigInt(Math.round(now - 7 * dayMs));
  const select = (what: string, parameters: Parameters<Session["run"]>[1] = {}) =>
    session.run(loadSql(`ledger-read-${what}`), parameters);
  const totals = await select("totals", { since: dayAgo });
  return {
    unfinished: rows.starts(await select("unfinished")),
    attempts: rows.attempts(await select("attempts", { per_cell: attemptsKept })),
    recentEnds: rows.recentEnds(await select("recent-ends", { since: weekAgo, per_repair: endsPerRepair })),
    gapEvents: rows.gapEvents(await select("gap-events", { per_cell: eventsPerCell })),
    baselines: rows.baselines(await select("baselines", { until: dayAgo })),
    decisions: rows.decisions(await select("decisions", allDecisions)),
    lastToken: totals.numbers(0)[0] ?? 0,
    startsLast24h: totals.numbers(1)[0] ?? 0,
    scanBytesLast24h: totals.numbers(2)[0] ?? 0,
    runTimes: rows.runTimes(await select("run-times")),
  };
}
