import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { RepairEnd } from "../../src/core/ledger-records.ts";
import type { RunProgress } from "../../src/reconcile/once-options.ts";
import { createProgress, type Progress, type ProgressOptions } from "../../src/terminal/progress.ts";
import { attempt, repairStart, runEnd } from "../support/ledger.ts";
import { assessed } from "../support/sight.ts";
import { hasEscapes, widest } from "./lines.ts";

/** A stream that keeps what was written. */
class Kept extends Writable {
  text = "";
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString("utf8");
    done();
  }
  /** What was written since the last call. */
  take(): string {
    const { text } = this;
    this.text = "";
    return text;
  }
}

let now = 0;
let stream = new Kept();
let progress: Progress | null = null;

function start(more: Partial<ProgressOptions> = {}): Progress {
  progress = createProgress(stream, {
    interactive: true,
    columns: 80,
    color: false,
    quiet: false,
    log: null,
    monotonic: () => now,
    ...more,
  });
  return progress;
}

/** Four cells that somebody can repair. */
const work = assessed({ processors: { orders: {} }, seen: { orders: "....##" } });

function repaired(date: string): RepairEnd {
  return {
    ...runEnd("orders", "2024-01-09T05:00Z", { outcome: "repaired", repairId: `orders-${date}` }),
    dates: [parseIsoDate(date)],
    logTail: null,
    cells: [attempt("orders", date, 0, { outcome: "repaired" })],
  };
}

function failed(date: string): RepairEnd {
  return {
    ...runEnd("orders", "2024-01-09T05:00Z", { repairId: `orders-${date}` }),
    dates: [parseIsoDate(date)],
    logTail: null,
    cells: [attempt("orders", date, 0)],
  };
}

/** The last thing drawn: what follows the last clearing of the screen. */
function lastFrame(text: string): string {
  return text.split("\u001b[0J").at(-1) ?? "";
}

beforeEach(() => {
  now = 0;
  stream = new Kept();
  vi.useFakeTimers();
});
afterEach(() => {
  progress?.stop();
  vi.useRealTimers();
});

describe("progress on a terminal", () => {
  test("shows cells, running jobs and the last failure, and takes it all away at the end", () => {
    const shown = start();
    shown.onPlanned(work, []);
    shown.onStarted(repairStart("orders", ["2024-01-01", "2024-01-02"], { repairId: "orders-2024-01-01" }));
    now = 61_000;
    vi.advanceTimersByTime(200);
    expect(lastFrame(stream.take())).toBe(
      `${"░".repeat(30)} 0 of 4 cells repaired\n  orders  2024-01-01 to 2024-01-02 (2 dates)  61 s\n`,
    );
    shown.onEnded(failed("2024-01-01"));
    expect(lastFrame(stream.take())).toBe(
      `${"░".repeat(30)} 0 of 4 cells repaired\n  1 failure, the last: orders 2024-01-01: failed (exit_1)\n`,
    );
    shown.stop();
    // Two lines up and everything below cleared: the cursor stands where it stood before the first one.
    expect(stream.take()).toBe("\u001b[1G\u001b[2A\u001b[0J");
  });

  test("fills its bar and tells the time left by its own pace", () => {
    const shown = start();
    shown.onPlanned(work, []);
    for (const date of ["2024-01-01", "2024-01-02", "2024-01-03"]) {
      now += 60_000;
      shown.onEnded(repaired(date));
    }
    expect(lastFrame(stream.take())).toBe(
      `${"█".repeat(23)}${"░".repeat(7)} 3 of 4 cells repaired, about 60 s left\n`,
    );
  });

  test("says until when it waits, and leaves a log line above itself", () => {
    const shown = start();
    shown.onPlanned(work, []);
    shown.onWaiting(Date.parse("2024-01-09T05:00Z"));
    stream.take();
    shown.writeAbove("a log line\n");
    const text = stream.take();
    expect(text.startsWith("\u001b[1G\u001b[2A\u001b[0Ja log line\n")).toBe(true);
    expect(lastFrame(text)).toContain("  waiting until 2024-01-09T05:00:00Z\n");
    shown.onWaiting(null);
    expect(lastFrame(stream.take())).toContain("  waiting for what runs elsewhere\n");
  });

  test.each([20, 40, 80])("never draws a line that would wrap in %d columns", (columns) => {
    const shown = start({ columns });
    shown.onPlanned(work, []);
    shown.onStarted(repairStart("a_repair_with_a_very_long_name_indeed", ["2024-01-01", "2024-01-05"]));
    shown.onEnded(failed("2024-01-02"));
    expect(widest(lastFrame(stream.take()))).toBeLessThan(Math.max(columns, 21));
  });

  test("gives way to what is said of a stop and goes on below it", () => {
    const stop = new AbortController();
    const shown = start({ signal: stop.signal });
    shown.onPlanned(work, []);
    stream.take();
    stop.abort();
    expect(stream.take()).toBe("\u001b[1G\u001b[1A\u001b[0J");
    vi.advanceTimersByTime(200);
    expect(stream.take()).toBe(`${"░".repeat(30)} 0 of 4 cells repaired\n`);
  });

  test("draws nothing after it was stopped", () => {
    const shown = start();
    shown.onPlanned(work, []);
    shown.stop();
    shown.stop();
    stream.take();
    vi.advanceTimersByTime(60_000);
    shown.onEnded(repaired("2024-01-01"));
    shown.writeAbove("after\n");
    expect(stream.take()).toBe("after\n");
  });
});

describe("progress elsewhere", () => {
  test("is a line every ten seconds at most, and none for a short run", () => {
    const shown = start({ interactive: false });
    shown.onPlanned(work, []);
    shown.onStarted(repairStart("orders", ["2024-01-01"]));
    expect(stream.take()).toBe("");
    now = 10_000;
    vi.advanceTimersByTime(10_000);
    expect(stream.take()).toBe("0 of 4 cells repaired, 1 job running\n");
    shown.onEnded(repaired("2024-01-01"));
    expect(stream.take()).toBe("");
    now = 20_000;
    shown.onEnded(failed("2024-01-02"));
    const text = stream.take();
    expect(text).toBe("1 of 4 cells repaired, 1 job running, 1 failure\n");
    expect(hasEscapes(text)).toBe(false);
  });

  test("is for the log what would be a line, where programs read it", () => {
    const logged: RunProgress[] = [];
    const shown = start({ interactive: false, log: (progress) => logged.push(progress) });
    shown.onPlanned(work, []);
    shown.onStarted(repairStart("orders", ["2024-01-01"]));
    now = 10_000;
    vi.advanceTimersByTime(10_000);
    for (const date of ["2024-01-01", "2024-01-02", "2024-01-03"]) {
      now += 10_000;
      shown.onEnded(repaired(date));
    }
    expect(stream.take()).toBe("");
    expect(logged.at(0)).toEqual({ repaired: 0, total: 4, running: 1, failures: 0, secondsLeft: null });
    expect(logged.at(-1)).toMatchObject({ repaired: 3, total: 4, failures: 0, secondsLeft: 40 / 3 });
  });

  test("is nothing when quiet, on a terminal too", () => {
    for (const interactive of [true, false]) {
      const shown = start({ interactive, quiet: true });
      shown.onPlanned(work, []);
      now += 20_000;
      vi.advanceTimersByTime(20_000);
      shown.stop();
      expect(stream.take()).toBe("");
    }
  });
});
