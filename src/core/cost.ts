import type { Assessment } from "./assessment.ts";

/** What asking the warehouse costs, in bytes that are billed and in US dollars of on-demand queries. */
export interface CostDocument {
  /** Of this look, or of this whole run. */
  readonly scan_bytes: number;
  readonly scan_usd: number;
  /** Of the runs on record that looked in the last 24 hours, and of this one. */
  readonly scan_bytes_last_24h: number;
  readonly scan_usd_last_24h: number;
  readonly scan_bytes_per_cycle: number | null;
  readonly scan_bytes_per_day: number | null;
  /** Of everything that is planned; null where nothing was forecast. */
  readonly forecast_bytes: number | null;
  readonly forecast_usd: number | null;
  readonly price_per_tib_usd: number;
}

export interface CostInput {
  readonly scanBytes: number;
  readonly pricePerTibUsd: number;
  readonly forecastBytes: number | null;
}

const tib = 2 ** 40;

export function costDocument({ compiled, facts }: Assessment, input: CostInput): CostDocument {
  const { scanBytes, pricePerTibUsd, forecastBytes } = input;
  const { scanBytesPerCycle, scanBytesPerDay } = compiled.pipeline.budgets;
  const usd = (bytes: number) => Math.round((bytes / tib) * pricePerTibUsd * 1e6) / 1e6;
  return {
    scan_bytes: scanBytes,
    scan_usd: usd(scanBytes),
    scan_bytes_last_24h: facts.scanBytesLast24h,
    scan_usd_last_24h: usd(facts.scanBytesLast24h),
    scan_bytes_per_cycle: scanBytesPerCycle,
    scan_bytes_per_day: scanBytesPerDay,
    forecast_bytes: forecastBytes,
    forecast_usd: forecastBytes === null ? null : usd(forecastBytes),
    price_per_tib_usd: pricePerTibUsd,
  };
}
