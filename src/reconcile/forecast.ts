import type { PlannedStep } from "../core/cascade.ts";
import { addDays, type DateRange, toDay } from "../core/iso-date.ts";
import { ReconcilerError } from "../errors.ts";
import type { ReconcileContext } from "./context.ts";
import { observedWith } from "./proof.ts";

type ForecastContext = Pick<ReconcileContext, "compiled" | "warehouse">;

/**
 * The bytes that each step is expected to be billed for, by its id; what cannot be told is left out. For each repair one
 * date and the longest of its steps are asked about; the others lie on the line between them, so that a plan of thousands of
 * steps costs no more questions than it has repairs.
 */
export async function forecastSteps(
  context: ForecastContext,
  steps: readonly PlannedStep[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const unit of new Set(steps.map(({ repairUnit }) => repairUnit))) {
    const own = steps.filter(({ repairUnit }) => repairUnit === unit);
    const bytesOf = await forecastRepair(context, unit, own, signal);
    if (bytesOf === null) continue;
    for (const step of own) found.set(step.id, Math.round(bytesOf(lengthOf(step))));
  }
  return found;
}

/** Bytes by the number of calendar days that a step spans; null where nothing is billed, or it cannot be told. */
async function forecastRepair(
  { compiled, warehouse }: ForecastContext,
  unit: number,
  steps: readonly PlannedStep[],
  signal: AbortSignal | undefined,
): Promise<((days: number) => number) | null> {
  const { repairUnits, processors } = compiled.pipeline;
  const { action, processors: filled = [] } = repairUnits[unit] ?? {};
  const longest = steps.reduce((a, b) => (lengthOf(b) > lengthOf(a) ? b : a));
  const [target] = filled.flatMap((index) => processors[index] ?? []);
  if (target === undefined) return null;
  const ask = (range: DateRange) =>
    warehouse.forecast({
      processors: observedWith(
        compiled,
        filled.flatMap((index) => processors[index] ?? []),
      ),
      repair:
        action?.kind === "sql" ? { processor: target, sql: action.sql, leaveNull: action.leaveNull } : null,
      range,
      ...(signal === undefined ? {} : { signal }),
    });
  try {
    const start = longest.startDate;
    const one = await ask({ start, end: start });
    const whole =
      lengthOf(longest) === 1 ? one : await ask({ start, end: addDays(start, lengthOf(longest) - 1) });
    if (one === null || whole === null) return null;
    const perDay = lengthOf(longest) === 1 ? 0 : (whole - one) / (lengthOf(longest) - 1);
    return (days) => one + perDay * (days - 1);
  } catch (error) {
    // A forecast is not worth a failure: what keeps it from being made is told where it matters.
    if (error instanceof ReconcilerError && error.code !== "interrupted") return null;
    throw error;
  }
}

function lengthOf({ startDate, endDate }: PlannedStep): number {
  return toDay(endDate) - toDay(startDate) + 1;
}
