const numbers = new Intl.NumberFormat("en-US");

/** A whole number with its thousands apart. */
export function formatCount(value: number): string {
  return numbers.format(value);
}

/** `1 cell`, `1,234 cells`. */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(value)} ${value === 1 ? noun : plural}`;
}

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `0 B`, `30 MiB`, `1.2 GiB`: three figures at most. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), byteUnits.length - 1);
  const value = bytes / 2 ** (10 * power);
  return `${value < 10 && power > 0 ? Number(value.toFixed(1)) : Math.round(value)} ${byteUnits[power] ?? ""}`;
}

/** `$0`, `less than $0.01`, `$12.40`. */
export function formatUsd(usd: number): string {
  if (usd === 0) return "$0";
  return usd < 0.01 ? "less than $0.01" : `$${usd.toFixed(2)}`;
}

/** Seconds as a person says them: `0.4 s`, `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10 && !Number.isInteger(seconds)) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const [hours, restMinutes] = [Math.floor(minutes / 60), minutes % 60];
  if (hours < 48) return restMinutes === 0 ? `${hours} h` : `${hours} h ${restMinutes} min`;
  const [days, restHours] = [Math.floor(hours / 24), hours % 24];
  return restHours === 0 ? `${days} d` : `${days} d ${restHours} h`;
}

/** Dates ascending, as `2024-01-05` or `2024-01-05 to 2024-02-01 (12 dates)`. */
export function formatDates(dates: readonly string[]): string {
  const [first = "", last = first] = [dates[0], dates.at(-1)];
  if (dates.length <= 1) return first;
  return `${first} to ${last} (${formatCount(dates.length)} dates)`;
}
