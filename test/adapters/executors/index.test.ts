import { expect, test } from "vitest";
import { commandGraceMs } from "../../../src/adapters/executors/index.ts";
import { defaultLockTimes } from "../../../src/adapters/redis/held-lock.ts";

test("a command that ignores SIGTERM is killed before the lock that was lost can be another's", () => {
  const { ttlMs, giveUpMs } = defaultLockTimes;
  // For the news to arrive, and for the kernel.
  const slackMs = 1_000;
  expect(commandGraceMs + slackMs).toBeLessThanOrEqual(ttlMs - giveUpMs);
});
