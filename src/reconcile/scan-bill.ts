import type { Pipeline } from "../core/pipeline.ts";

/** What one process was billed for its looks, and what a further look may be billed for. */
export class ScanBill {
  #sinceRecord = 0;
  #inAll = 0;

  add(bytes: number): void {
    this.#sinceRecord += bytes;
    this.#inAll += bytes;
  }

  /** All bytes since the process began. */
  get inAll(): number {
    return this.#inAll;
  }

  /** Those that no record of a cycle holds yet: the cycle's own look, and the looks of the repairs before it. */
  get sinceRecord(): number {
    return this.#sinceRecord;
  }

  /** So many are on record now. */
  recorded(bytes: number): void {
    this.#sinceRecord -= bytes;
  }

  /** Those that no record holds, for another process to put on record: here they count no more. */
  take(): number {
    const bytes = this.#sinceRecord;
    this.#sinceRecord = 0;
    return bytes;
  }

  /** What a look may be billed for, where the records of the last 24 hours hold so many bytes. */
  budget({ scanBytesPerCycle, scanBytesPerDay }: Pipeline["budgets"], last24h: number): number {
    const leftToday = (scanBytesPerDay ?? Infinity) - last24h - this.#sinceRecord;
    return Math.max(0, Math.min(scanBytesPerCycle ?? Infinity, leftToday));
  }
}
