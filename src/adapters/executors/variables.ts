import { addDays, type IsoDate } from "../../core/iso-date.ts";
import type { TemplateVariables } from "../../core/template.ts";
import { ReconcilerError } from "../../errors.ts";
import type { Launch } from "../../reconcile/ports/executor.ts";

/** What a run's templates may name. */
export function variablesOf(request: Launch): TemplateVariables {
  const { start, end } = rangeOf(request);
  return {
    start_date: start,
    end_date: end,
    end_date_exclusive: addDays(end, 1),
    start_date_nodash: start.replaceAll("-", ""),
    dates: request.dates.join(","),
    season: request.season ?? "",
    processor: processorOf(request),
    attempt: String(request.attempt),
    fencing_token: String(request.token),
    idempotency_key: request.repairId,
  };
}

/** What every child process is told, whatever its arguments. */
export function childVariables(request: Launch): Readonly<Record<string, string>> {
  const { start, end } = rangeOf(request);
  return {
    GAP_RECONCILER_PIPELINE: request.pipeline,
    GAP_RECONCILER_PROCESSOR: processorOf(request),
    GAP_RECONCILER_START_DATE: start,
    GAP_RECONCILER_END_DATE: end,
    GAP_RECONCILER_DATES: request.dates.join(","),
    GAP_RECONCILER_ATTEMPT: String(request.attempt),
    GAP_RECONCILER_FENCING_TOKEN: String(request.token),
    GAP_RECONCILER_REPAIR_ID: request.repairId,
  };
}

/** The first and the last date of a run; both ends included. */
function rangeOf(request: Launch): { readonly start: IsoDate; readonly end: IsoDate } {
  const [start, end] = [request.dates.at(0), request.dates.at(-1)];
  if (start === undefined || end === undefined) {
    throw new ReconcilerError("internal", `expected a date to repair with ${request.unit.name}, found none`);
  }
  return { start, end };
}

function processorOf(request: Launch): string {
  return request.processors[0]?.name ?? request.unit.name;
}
