import { expect, test } from "vitest";
import { firstAnswer } from "../../src/compose/first-answer.ts";
import { ReconcilerError } from "../../src/errors.ts";
import type { Clock } from "../../src/reconcile/ports.ts";

/** Time that passes where somebody sleeps, and nowhere else. */
function heldClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    monotonic: () => now,
    sleep: (ms) => {
      now += ms;
      return Promise.resolve();
    },
  };
}

const { signal } = new AbortController();

test("a server that answers after a moment is there", async () => {
  let asked = 0;
  const answer = await firstAnswer(
    () => {
      asked += 1;
      return asked < 4
        ? Promise.reject(new ReconcilerError("redis_unavailable", "not yet"))
        : Promise.resolve(7);
    },
    heldClock(),
    signal,
  );
  expect([answer, asked]).toEqual([7, 4]);
});

test("one that is away for five seconds is told as such, and another fault at once", async () => {
  const clock = heldClock();
  const away = firstAnswer(
    () => Promise.reject(new ReconcilerError("redis_unavailable", "away")),
    clock,
    signal,
  );
  await expect(away).rejects.toMatchObject({
    code: "redis_unavailable",
    hint: expect.stringContaining("start the run again"),
  });
  expect(clock.monotonic()).toBe(5_000);
  const refused = firstAnswer(
    () => Promise.reject(new ReconcilerError("redis_credentials", "no")),
    clock,
    signal,
  );
  await expect(refused).rejects.toMatchObject({ code: "redis_credentials" });
  expect(clock.monotonic()).toBe(5_000);
});
