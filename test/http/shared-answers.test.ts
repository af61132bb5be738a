import { beforeEach, expect, test } from "vitest";
import { LoopShare, type Work } from "../../src/http/loop-share.ts";
import { SharedAnswers } from "../../src/http/shared-answers.ts";
import type { LiveView } from "../../src/reconcile/ports/live-view.ts";
import { liveViewOf } from "../support/live-view.ts";

const first = liveViewOf({ processors: { raw: {} }, seen: { raw: "#" } }).view;
let [now, made] = [0, 0];
let view: LiveView;
let answers: SharedAnswers<string>;
beforeEach(() => {
  [now, made] = [0, 0];
  view = first;
  const clock = { monotonic: () => now, sleep: () => Promise.resolve() };
  answers = new SharedAnswers({ view: () => view }, new LoopShare(clock), clock);
});

function* make({ revision }: LiveView): Work<string> {
  yield;
  return `answer ${++made} of ${revision}`;
}

const ask = (key = "/") => answers.get(view, key, make);
const changed = () => (view = { ...view, revision: view.revision + 1 });

test("an answer is made once for all who ask within a second, and anew for a later one or another revision", async () => {
  expect(await Promise.all([ask(), ask(), ask()])).toEqual(Array(3).fill("answer 1 of 1"));
  now = 999;
  expect([await ask(), await ask("/?part=2")]).toEqual(["answer 1 of 1", "answer 2 of 1"]);
  now = 1_000;
  expect(await ask()).toBe("answer 3 of 1");
  changed();
  expect(await ask()).toBe("answer 4 of 2");
});

test("who waits is told what is there when the turn comes, together with those who ask after a change", async () => {
  const other = ask("/?part=2");
  const early = ask();
  changed();
  const late = ask();
  expect(await Promise.all([other, early, late])).toEqual([
    "answer 1 of 1",
    "answer 2 of 2",
    "answer 2 of 2",
  ]);
});

test("who asks after a change is never told what was begun before it", async () => {
  const [early, late] = [ask(), changed() && ask()];
  expect(await Promise.all([early, late])).toEqual(["answer 1 of 1", "answer 2 of 2"]);
  expect(await ask()).toBe("answer 2 of 2");
});

test("so many addresses at once push out the oldest, whatever somebody asks for", async () => {
  for (let address = 0; address < 100; address++) await ask(`/?part=${address}`);
  expect(await ask("/?part=99")).toBe("answer 100 of 1");
  expect(await ask("/?part=0")).toBe("answer 101 of 1");
});

test("what could not be made is made anew for who asks next", async () => {
  const failing = answers.get(view, "/", () => {
    throw new RangeError("no");
  });
  await expect(failing).rejects.toThrow(RangeError);
  expect(await ask()).toBe("answer 1 of 1");
});
