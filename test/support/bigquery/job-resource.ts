import type { Outcome } from "./context.ts";
import type { Job } from "./jobs.ts";
import { toParameterType, toSchemaField } from "./types.ts";
import { toWire } from "./values.ts";
import type { Warehouse } from "./warehouse.ts";

export interface Page {
  readonly maxResults: number | undefined;
  /** The index of the first row. */
  readonly pageToken: number;
  readonly int64Timestamps: boolean;
}

function referenceOf({ projectId, location }: Warehouse, { id }: Job) {
  return { projectId, jobId: id, location };
}

/** What `jobs.query` and `jobs.getQueryResults` answer. */
export function resultResource(kind: string, warehouse: Warehouse, job: Job, page: Page): object {
  const reference = { kind, jobReference: referenceOf(warehouse, job) };
  const session = job.sessionId === null ? {} : { sessionInfo: { sessionId: job.sessionId } };
  if (job.endedMs === null) return { ...reference, jobComplete: false, ...session };
  const { outcome } = job;
  const end = Math.min(outcome.rows.length, page.pageToken + (page.maxResults ?? outcome.rows.length));
  const isResult = outcome.columns.length > 0;
  return {
    ...reference,
    ...(isResult ? { schema: { fields: outcome.columns.map(toSchemaField) } } : {}),
    ...(outcome.dml === null ? { totalRows: String(outcome.rows.length) } : {}),
    ...(isResult ? { rows: rowsOf(outcome, page, end) } : {}),
    ...(end < outcome.rows.length ? { pageToken: String(end) } : {}),
    ...bytesOf(outcome, false),
    ...(outcome.protection.rows ? {} : { totalBytesBilled: String(outcome.cost.bytesBilled) }),
    location: warehouse.location,
    jobComplete: true,
    cacheHit: outcome.cacheHit,
    statementType: outcome.statementType,
    ...dmlOf(outcome),
    ...session,
  };
}

function rowsOf({ rows, columns }: Outcome, { pageToken, int64Timestamps }: Page, end: number): object[] {
  return rows.slice(pageToken, end).map((row) => ({
    f: columns.map(({ type }, index) => ({ v: toWire(type, row[index] ?? {}, int64Timestamps) })),
  }));
}

function dmlOf({ dml }: Outcome): object {
  if (dml === null) return {};
  return {
    numDmlAffectedRows: String(dml.inserted + dml.updated + dml.deleted),
    dmlStats: {
      insertedRowCount: String(dml.inserted),
      updatedRowCount: String(dml.updated),
      deletedRowCount: String(dml.deleted),
    },
  };
}

/** A job as `jobs.get` and `jobs.insert` answer it. */
export function jobResource(warehouse: Warehouse, job: Job): object {
  const { body, error, endedMs, createdMs, outcome, sessionId } = job;
  const { dryRun, labels, location: _, ...query } = body;
  const status =
    endedMs === null
      ? { state: "RUNNING" }
      : {
          state: "DONE",
          ...(error === null ? {} : { errorResult: error.toProto(), errors: [error.toProto()] }),
        };
  const reference = referenceOf(warehouse, job);
  return {
    kind: "bigquery#job",
    id: `${reference.projectId}:${reference.location}.${reference.jobId}`,
    // A dry run leaves no job behind.
    jobReference:
      dryRun === true ? { projectId: reference.projectId, location: reference.location } : reference,
    configuration: {
      jobType: "QUERY",
      query,
      ...(labels === undefined ? {} : { labels }),
      dryRun: dryRun === true,
    },
    status,
    statistics: {
      creationTime: String(createdMs),
      startTime: String(createdMs),
      ...(endedMs === null ? {} : { endTime: String(endedMs) }),
      ...bytesOf(outcome, dryRun === true),
      ...(outcome.protection.rows ? { rowLevelSecurityStatistics: { rowLevelSecurityApplied: true } } : {}),
      ...(outcome.protection.masked ? { dataMaskingStatistics: { dataMaskingApplied: true } } : {}),
      ...(sessionId === null ? {} : { sessionInfo: { sessionId } }),
      query: endedMs === null ? {} : statisticsOf(warehouse, outcome, dryRun === true),
    },
  };
}

/** BigQuery hides the bytes of what row access policies protect. */
function bytesOf({ cost, protection }: Outcome, dryRun: boolean): object {
  return protection.rows && !dryRun ? {} : { totalBytesProcessed: String(cost.bytesProcessed) };
}

function statisticsOf({ projectId }: Warehouse, outcome: Outcome, dryRun: boolean): object {
  const { cost, columns, ddl, undeclared } = outcome;
  return {
    statementType: outcome.statementType,
    ...bytesOf(outcome, dryRun),
    ...(dryRun
      ? { totalBytesBilled: "0" }
      : outcome.protection.rows
        ? {}
        : { totalBytesBilled: String(cost.bytesBilled) }),
    cacheHit: outcome.cacheHit,
    // BigQuery's list is not complete where there are more.
    referencedTables: cost.tables.slice(0, 50).map(({ dataset, name }) => ({
      projectId,
      datasetId: dataset,
      tableId: name,
    })),
    ...(dryRun
      ? { schema: { fields: columns.map(toSchemaField) }, totalBytesProcessedAccuracy: "PRECISE" }
      : {}),
    ...(undeclared.length === 0
      ? {}
      : {
          undeclaredQueryParameters: undeclared.map(({ name, type }) => ({
            name,
            parameterType: toParameterType(type),
          })),
        }),
    ...dmlOf(outcome),
    ...(ddl === null
      ? {}
      : {
          ddlOperationPerformed: ddl.operation,
          ...(ddl.table === null
            ? { ddlTargetDataset: { projectId, datasetId: ddl.dataset } }
            : { ddlTargetTable: { projectId, datasetId: ddl.dataset, tableId: ddl.table } }),
        }),
  };
}
