import type { PlannedStep } from "./cascade.ts";
import { fromDay, type IsoDate } from "./iso-date.ts";
import type { RepairEnd } from "./ledger-records.ts";
import type { Pipeline } from "./pipeline.ts";
import { formatInstant } from "./wall-clock.ts";

export interface StepDocument {
  readonly id: string;
  readonly wave: number;
  readonly repair: string;
  readonly processors: readonly string[];
  readonly start_date: IsoDate;
  readonly end_date: IsoDate;
  readonly dates: readonly IsoDate[];
  readonly reason: string;
  readonly needs: readonly string[];
  readonly forecast_bytes: number | null;
  readonly forecast_seconds: number | null;
}

/** How a repair ended, its cells aside. */
export interface EndDocument {
  readonly id: string;
  readonly repair: string;
  /** What it was to fill, whichever cells have an outcome; none where its start is not on record, and the same for the dates. */
  readonly processors: readonly string[];
  readonly dates: readonly IsoDate[];
  readonly attempt: number;
  readonly started_at: string;
  readonly ended_at: string;
  readonly outcome: string;
  readonly error_code: string | null;
  readonly message: string | null;
}

export interface RepairDocument extends EndDocument {
  readonly cells: readonly { readonly processor: string; readonly date: IsoDate; readonly outcome: string }[];
}

/** @param forecastBytes null where nobody knows */
export function stepDocument(
  { grid }: { readonly grid: { readonly pipeline: Pipeline } },
  step: PlannedStep,
  forecastBytes: number | null,
): StepDocument {
  const unit = grid.pipeline.repairUnits[step.repairUnit];
  return {
    id: step.id,
    wave: step.wave,
    repair: unit?.name ?? "",
    processors: (unit?.processors ?? []).map((index) => grid.pipeline.processors[index]?.name ?? ""),
    start_date: step.startDate,
    end_date: step.endDate,
    dates: step.days.map(fromDay),
    reason: step.reason,
    needs: step.needs,
    forecast_bytes: forecastBytes,
    forecast_seconds: step.forecastSeconds,
  };
}

export function repairDocument(end: RepairEnd): RepairDocument {
  return {
    ...endDocument(end),
    cells: end.cells.map(({ processor, date, outcome }) => ({ processor, date, outcome })),
  };
}

export function endDocument(end: Omit<RepairEnd, "logTail" | "cells">): EndDocument {
  return {
    id: end.repairId,
    repair: end.repair,
    processors: end.processors,
    dates: end.dates,
    attempt: end.attempt,
    started_at: formatInstant(end.startedAt),
    ended_at: formatInstant(end.endedAt),
    outcome: end.outcome,
    error_code: end.errorCode,
    message: end.message,
  };
}
