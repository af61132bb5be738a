import type { CostDocument } from "../core/cost.ts";
import type { RenderOptions } from "./terminal.ts";
import { formatBytes, formatUsd } from "../presentation/numbers.ts";
import { wrap } from "./text.ts";

/** What the look was billed for, what the day was, and what the repairs are expected to be; nothing where nothing is billed. */
export function costLines(cost: CostDocument | null, options: RenderOptions): readonly string[] {
  if (cost === null) return [];
  const { scan_bytes_last_24h: day, scan_bytes_per_day: limit, forecast_bytes: forecast } = cost;
  const ofLimit = limit === null ? "" : ` of ${formatBytes(limit)}`;
  const parts = [
    `billed: ${amount(cost.scan_bytes, cost.scan_usd)} now`,
    `${formatBytes(day)}${ofLimit} (${formatUsd(cost.scan_usd_last_24h)}) in the last 24 hours`,
  ];
  if (forecast !== null)
    parts.push(`about ${amount(forecast, cost.forecast_usd ?? 0)} for what is to be repaired`);
  return wrap(parts.join("; "), options.columns);
}

function amount(bytes: number, usd: number): string {
  return `${formatBytes(bytes)} (${formatUsd(usd)})`;
}
