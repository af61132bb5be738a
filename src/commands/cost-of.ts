import type { Config } from "../config/config.ts";
import type { Assessment } from "../core/assessment.ts";
import { type CostDocument, costDocument } from "../core/cost.ts";

/** What a command's looks cost; null where the warehouse bills nothing. */
export function costOf(
  { storage }: Config,
  assessment: Assessment,
  scanBytes: number,
  forecast?: ReadonlyMap<string, number>,
): CostDocument | null {
  if (storage.type === "duckdb") return null;
  const { pricePerTibUsd } = storage;
  const bytes = [...(forecast?.values() ?? [])];
  const forecastBytes = bytes.length === 0 ? null : bytes.reduce((sum, value) => sum + value, 0);
  return costDocument(assessment, { scanBytes, pricePerTibUsd, forecastBytes });
}
