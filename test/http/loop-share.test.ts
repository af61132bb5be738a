import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { LoopShare, type Work } from "../../src/http/loop-share.ts";

/** A clock on which only work takes time, and rests until somebody lets them end. */
function slowClock() {
  let now = 0;
  const rests: { readonly ms: number; readonly end: () => void }[] = [];
  return {
    rests,
    pass: (ms: number) => void (now += ms),
    monotonic: () => now,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        const end = () => {
          now += ms;
          resolve();
        };
        signal?.addEventListener("abort", end);
        rests.push({ ms, end });
      }),
  };
}

/** So many steps of so many milliseconds each; what happened is told. */
function* work(
  name: string,
  {
    pass,
    told,
    steps = 1,
    ms = 1,
  }: { pass: (ms: number) => void; told: string[]; steps?: number; ms?: number },
): Work<string> {
  told.push(`${name} begins`);
  for (let step = 0; step < steps; step++) {
    pass(ms);
    yield;
  }
  told.push(`${name} ends`);
  return name;
}

test("what is asked for at once is done one after the other, and has a quarter of the time", async () => {
  const clock = slowClock();
  const loop = new LoopShare(clock);
  const told: string[] = [];
  const each = { ...clock, told, steps: 4, ms: 25 };
  const done = Promise.all(["a", "b", "c"].map((name) => loop.run(work(name, each))));
  for (const name of ["a", "b"]) {
    await expect.poll(() => told.at(-1)).toBe(`${name} ends`);
    await expect.poll(() => clock.rests).toHaveLength(1);
    expect(clock.rests[0]?.ms).toBe(300);
    clock.rests.pop()?.end();
  }
  expect(await done).toEqual(["a", "b", "c"]);
  expect(told).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
});

test("long work lets everything else have its turn, short work is not interrupted", async () => {
  const clock = slowClock();
  const told: string[] = [];
  const long = new LoopShare(clock).run(work("long", { ...clock, told, steps: 3, ms: 20 }));
  setImmediate(() => told.push("others"));
  await long;
  expect(told).toEqual(["long begins", "others", "long ends"]);
  await new LoopShare(clock).run(work("short", { ...clock, told, steps: 3, ms: 2 }));
  expect(told.slice(3)).toEqual(["short begins", "short ends"]);
});

test("where too many wait the next is refused at once, and what waits is done all the same", async () => {
  const clock = slowClock();
  const loop = new LoopShare(clock);
  const told: string[] = [];
  await loop.run(work("first", { ...clock, told }));
  const waiting = Array.from({ length: 32 }, (_, index) =>
    loop.run(work(`w${index}`, { ...clock, told, ms: 0 })),
  );
  await expect(loop.run(work("one too many", { ...clock, told }))).rejects.toMatchObject({
    code: "server_busy",
  });
  clock.rests.pop()?.end();
  expect(await Promise.all(waiting)).toHaveLength(32);
  expect(told).not.toContain("one too many begins");
});

test("work that fails keeps nobody else from having its turn", async () => {
  const clock = slowClock();
  const loop = new LoopShare(clock);
  function* failing(): Work<string> {
    yield;
    throw new RangeError("no");
  }
  const failed = loop.run(failing());
  const next = loop.run(work("next", { ...clock, told: [] }));
  await expect(failed).rejects.toThrow(RangeError);
  expect(await next).toBe("next");
});

test("a server that stops does not go on with what is waited for", async () => {
  const clock = slowClock();
  const loop = new LoopShare(clock);
  const told: string[] = [];
  await loop.run(work("first", { ...clock, told }));
  const waiting = loop.run(work("second", { ...clock, told }));
  await turn();
  loop.close();
  await expect(waiting).rejects.toMatchObject({ code: "server_busy", message: "the daemon stops" });
  expect(told).toEqual(["first begins", "first ends"]);
});

test("what has waited longer than anybody waits is not begun any more, and keeps nobody else waiting", async () => {
  const clock = slowClock();
  const loop = new LoopShare(clock);
  const told: string[] = [];
  await loop.run(work("first", { ...clock, told, ms: 2_000 }));
  const early = loop.run(work("early", { ...clock, told }));
  await expect.poll(() => clock.rests).toHaveLength(1);
  clock.pass(3_000);
  const late = loop.run(work("late", { ...clock, told }));
  clock.pass(1_000);
  clock.rests.pop()?.end();
  await expect(early).rejects.toMatchObject({ code: "server_busy" });
  expect(await late).toBe("late");
  expect(told).toEqual(["first begins", "first ends", "late begins", "late ends"]);
});
