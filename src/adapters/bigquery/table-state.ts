import type { EpochMs } from "../../core/wall-clock.ts";
import type { TableAnswer } from "./answers.ts";

export type Partitioning = TimePartitioning | NumberPartitioning;

interface TimePartitioning {
  /** `HOUR`, `DAY`, `MONTH` or `YEAR`. */
  readonly unit: string;
  /** Null where rows are partitioned by the time of their arrival. */
  readonly field: string | null;
}

/** By ranges of whole numbers, of which a partition has the name of its first. */
export interface NumberPartitioning {
  readonly field: string;
  readonly start: number;
  /** Not included. */
  readonly end: number;
  readonly interval: number;
}

/** What tells that a table changed, as `tables.get` has it for nothing. */
export interface TableState {
  /** Of the table itself: another one of its name has another. */
  readonly created: string;
  /** Differs where its content differs; what is in the streaming buffer is in none of it. */
  readonly version: string;
  readonly modifiedMs: EpochMs;
  /** Null where it has none. */
  readonly partitioning: Partitioning | null;
  /** How long a partition lives from its begin; null if it does not expire. */
  readonly expirationMs: number | null;
  /** The arrival of the oldest row of the streaming buffer; null without one. */
  readonly bufferedSince: EpochMs | null;
}

/** Null where no metadata tells of changes: views, external tables and their like. */
export function tableState(answer: TableAnswer): TableState | null {
  const { type, creationTime, lastModifiedTime, numRows, streamingBuffer, timePartitioning } = answer;
  if (type !== "TABLE" || lastModifiedTime === undefined || numRows === undefined) return null;
  return {
    created: creationTime ?? "",
    version: `${lastModifiedTime}/${numRows}`,
    modifiedMs: Number(lastModifiedTime),
    partitioning: partitioningOf(answer),
    expirationMs: timePartitioning?.expirationMs === undefined ? null : Number(timePartitioning.expirationMs),
    // A buffer that does not say since when is taken for one of all times.
    bufferedSince: streamingBuffer === undefined ? null : Number(streamingBuffer.oldestEntryTime ?? 0),
  };
}

function partitioningOf({ timePartitioning, rangePartitioning }: TableAnswer): Partitioning | null {
  if (timePartitioning !== undefined)
    return { unit: timePartitioning.type, field: timePartitioning.field ?? null };
  if (rangePartitioning === undefined) return null;
  const { start, end, interval } = rangePartitioning.range;
  return {
    field: rangePartitioning.field,
    start: Number(start),
    end: Number(end),
    interval: Number(interval),
  };
}
