import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createCronTicks } from "../../../src/adapters/inline/cron-ticks.ts";

const minute = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2024, 0, 1, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
});

function counting(cron: string, timezone = "UTC") {
  let count = 0;
  const ticking = createCronTicks({ cron, timezone, jitterMs: 0 }).start(() => {
    count++;
  });
  return { ...ticking, count: () => count };
}

test("ticks when cron says, in the pipeline's zone, until it is stopped", async () => {
  const quarter = counting("*/15 * * * *");
  const six = counting("0 6 * * *", "America/New_York");
  await vi.advanceTimersByTimeAsync(60 * minute);
  expect([quarter.count(), six.count()]).toEqual([4, 0]);
  await vi.advanceTimersByTimeAsync(10 * 60 * minute);
  expect(six.count()).toBe(1);
  quarter.stop();
  six.stop();
  const before = quarter.count();
  await vi.advanceTimersByTimeAsync(120 * minute);
  expect(quarter.count()).toBe(before);
});

test("ticks all the same where the wall clock was set back, and cron waits until it has caught up", async () => {
  const ticks = counting("*/15 * * * *");
  await vi.advanceTimersByTimeAsync(15 * minute);
  expect(ticks.count()).toBe(1);
  vi.setSystemTime(Date.now() - 24 * 60 * minute);
  await vi.advanceTimersByTimeAsync(31 * minute);
  expect(ticks.count()).toBeGreaterThan(1);
  ticks.stop();
});
