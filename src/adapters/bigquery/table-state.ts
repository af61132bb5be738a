import type { EpochMs } from "../../core/wall-clock.ts";
import type { TableAnswer } from "./answers.ts";

export interface Partitioning {
  /** `HOUR`, `DAY`, `MONTH` or `YEAR`. */
  readonly unit: string;
  /** Null where rows are partitioned by the time of their arrival. */
  readonly field: string | null;
}

/** What tells that a table changed, as `tables.get` has it for nothing. */
export interface TableState {
  /** Of the table itself: another one of its name has another. */
  readonly created: string;
  /** Differs where its content differs; what is in the streaming buffer is in none of it. */
  readonly version: string;
  readonly modifiedMs: EpochMs;
  /** Null where it has none, or by ranges of numbers. */
  readonly partitioning: Partitioning | null;
  /** The arrival of the oldest row of the streaming buffer; null without one. */
  readonly bufferedSince: EpochMs | null;
}

/** Null where no metadata tells of changes: views, external tables and their like. */
export function tableState(answer: TableAnswer): TableState | null {
  const { type, creationTime, lastModifiedTime, numRows, timePartitioning, streamingBuffer } = answer;
  if (type !== "TABLE" || lastModifiedTime === undefined || numRows === undefined) return null;
  return {
    created: creationTime ?? "",
    version: `${lastModifiedTime}/${numRows}`,
    modifiedMs: Number(lastModifiedTime),
    partitioning:
      timePartitioning === undefined
        ? null
        : { unit: timePartitioning.type, field: timePartitioning.field ?? null },
    // A buffer that does not say since when is taken for one of all times.
    bufferedSince: streamingBuffer === undefined ? null : Number(streamingBuffer.oldestEntryTime ?? 0),
  };
}
