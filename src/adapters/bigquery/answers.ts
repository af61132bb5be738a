import { z } from "zod";

/** What is read of the answers of the API; whatever else they carry is left alone. */

const count = z.string().regex(/^-?\d+$/);

const field = z.object({
  name: z.string(),
  type: z.string(),
  mode: z.string().optional(),
  defaultValueExpression: z.string().optional(),
});

const errorProto = z.object({ reason: z.string().optional(), message: z.string().optional() });

/** What the client library rejects with. */
export const clientError = z.object({ code: z.unknown(), errors: z.array(errorProto).optional() });

const schema = z.object({ fields: z.array(field).optional() });

export const jobAnswer = z.object({
  jobReference: z.object({ jobId: z.string().optional(), location: z.string().optional() }).optional(),
  configuration: z.object({ labels: z.record(z.string(), z.string()).optional() }).optional(),
  status: z.object({ state: z.string(), errorResult: errorProto.optional() }),
  statistics: z
    .object({
      rowLevelSecurityStatistics: z.object({ rowLevelSecurityApplied: z.boolean().optional() }).optional(),
      dataMaskingStatistics: z.object({ dataMaskingApplied: z.boolean().optional() }).optional(),
      sessionInfo: z.object({ sessionId: z.string() }).optional(),
      query: z
        .object({
          totalBytesBilled: count.optional(),
          totalBytesProcessed: count.optional(),
          referencedTables: z
            .array(z.object({ projectId: z.string(), datasetId: z.string(), tableId: z.string() }))
            .optional(),
          numDmlAffectedRows: count.optional(),
          schema: schema.optional(),
        })
        .optional(),
    })
    .optional(),
});

/** Rows are read where they are used: there may be hundreds of thousands. */
export const resultsAnswer = z.object({
  jobComplete: z.boolean(),
  schema: schema.optional(),
  rows: z.array(z.unknown()).optional(),
  totalRows: count.optional(),
  pageToken: z.string().optional(),
});

export const tableAnswer = z.object({
  type: z.string().optional(),
  schema: schema.optional(),
  timePartitioning: z
    .object({ type: z.string(), field: z.string().optional(), expirationMs: count.optional() })
    .optional(),
  rangePartitioning: z
    .object({ field: z.string(), range: z.object({ start: count, end: count, interval: count }) })
    .optional(),
  creationTime: count.optional(),
  lastModifiedTime: count.optional(),
  numRows: count.optional(),
  streamingBuffer: z.object({ oldestEntryTime: count.optional() }).optional(),
});

export const tablesAnswer = z.object({
  tables: z.array(z.object({ tableReference: z.object({ tableId: z.string() }) })).optional(),
});

export const datasetsAnswer = z.object({
  datasets: z.array(z.object({ datasetReference: z.object({ datasetId: z.string() }) })).optional(),
});

/** To a call for its effect alone. */
export const anyAnswer = z.object({});

export type Field = z.infer<typeof field>;
export type JobAnswer = z.infer<typeof jobAnswer>;
export type TableAnswer = z.infer<typeof tableAnswer>;

/** The name of a type as GoogleSQL writes it; the API answers with older ones. */
export function typeName({ type, mode }: Field): string {
  const name = { INTEGER: "INT64", FLOAT: "FLOAT64", BOOLEAN: "BOOL", RECORD: "STRUCT" }[type] ?? type;
  return mode === "REPEATED" ? `ARRAY<${name}>` : name;
}
