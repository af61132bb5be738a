import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type Described, describedBy } from "./described.ts";
import { type ServedShop, serveShop, token } from "./served-shop.ts";

let served: ServedShop;
let documentOf: Described["documentOf"];
beforeAll(async () => {
  served = await serveShop();
  await served.firstLook;
  ({ documentOf } = await describedBy(served));
});
afterAll(() => served.remove());

const waiver = {
  processors: ["orders"],
  start_date: "2024-01-03",
  end_date: "2024-01-03",
  actor: "ann",
  reason: "the till was broken <script>alert(1)</script>",
  expires: "2999-12-31",
};
const result = z.object({
  effect: z.string(),
  touched: z.array(z.unknown()),
  decision: z.object({ id: z.string() }).catchall(z.unknown()).nullable(),
});
const resultOf = async (answer: Response) => result.parse(await documentOf(answer, "Decision"));
const decisions = () => served.app.context.ledger.decisions();

/** Resolves when the daemon shows the decision. */
async function shown(id: string): Promise<void> {
  await expect.poll(() => served.live.view().decisions.map((decision) => decision.id)).toContain(id);
}

test("a dry run says what a waiver would do, in the words of the command, and keeps nothing", async () => {
  const answer = await served.post("/api/v1/waivers", { ...waiver, dry_run: true });
  expect(answer.status).toBe(200);
  expect(await documentOf(answer, "Decision")).toMatchObject({
    dry_run: true,
    effect: expect.stringContaining("up to and with 2999-12-31"),
    touched: [{ processor: "orders", dates: ["2024-01-03"] }],
    decision: null,
  });
  expect(await decisions()).toEqual([]);
});

test("a waiver is kept once however often its key comes, here or in another process, and the daemon heeds it", async () => {
  const headers = { authorization: `Bearer ${token}`, "idempotency-key": "waiver-1" };
  const sent = async () => resultOf(await served.post("/api/v1/waivers", waiver, headers));
  const [one, two] = await Promise.all([sent(), sent()]);
  expect(two).toEqual(one);
  expect(await decisions()).toMatchObject([
    { id: one.decision?.id, actor: "ann", kind: "waive", reason: waiver.reason, processors: ["orders"] },
  ]);
  await shown(one.decision?.id ?? "");

  const other = await serveShop({ shop: served.shop });
  await other.firstLook;
  const again = await resultOf(await other.post("/api/v1/waivers", waiver, headers));
  expect(again).toMatchObject({ decision: one.decision, touched: [] });
  const different = await other.post("/api/v1/waivers", { ...waiver, reason: "another one" }, headers);
  expect([different.status, await different.json()]).toMatchObject([409, { code: "idempotency_conflict" }]);
  await other.stop();
  expect(await decisions()).toHaveLength(1);

  const mistaken = await served.post("/api/v1/pause", { all: true, actor: "ann", reason: "x" }, headers);
  expect(mistaken.status).toBe(409);
});

test("what was decided shows in the grid and can be taken back", async () => {
  const letters = async () => {
    const { processors } = z
      .object({ processors: z.array(z.object({ processor: z.string(), states: z.string() })) })
      .parse(await (await served.get("/api/v1/grid?start_date=2024-01-03&end_date=2024-01-03")).json());
    return processors.map(({ states }) => states).join("");
  };
  await expect.poll(letters).toBe("ee");
  const back = await served.post("/api/v1/unwaive", {
    processors: ["orders"],
    start_date: "2024-01-03",
    actor: "ann",
  });
  expect(back.status).toBe(200);
  await expect.poll(letters).toBe("mm");
});

test.each([
  ["nothing is selected", "pause", { actor: "ann", reason: "x" }, "request_invalid"],
  [
    "all and a selection",
    "pause",
    { actor: "ann", reason: "x", all: true, processors: ["orders"] },
    "request_invalid",
  ],
  ["a processor that there is not", "retry", { actor: "ann", processors: ["nobody"] }, "request_invalid"],
  ["no actor", "retry", { processors: ["orders"] }, "request_invalid"],
  ["no reason where one is needed", "pause", { actor: "ann", all: true }, "request_invalid"],
  [
    "a reason with an escape sequence",
    "pause",
    { actor: "ann", all: true, reason: "\u001b[2J" },
    "request_invalid",
  ],
  ["a key of no schema", "pause", { actor: "ann", all: true, reason: "x", force: true }, "request_invalid"],
  ["a date that does not exist", "retry", { actor: "ann", start_date: "2024-02-30" }, "request_invalid"],
  ["a waiver without an end", "waivers", { ...waiver, end_date: undefined }, "usage"],
  ["nothing to release", "release", { actor: "ann", all: true, reason: "x" }, "usage"],
  ["no body at all", "retry", undefined, "request_invalid"],
])("a request is refused, and nothing kept, for %s", async (_why, path, body, code) => {
  const before = await decisions();
  const answer = await served.post(`/api/v1/${path}`, body);
  expect([answer.status, await documentOf(answer, "Problem")]).toMatchObject([400, { code }]);
  expect(await decisions()).toEqual(before);
});

const all = { actor: "ann", all: true, reason: "x" };
test.each([
  [{ ...all, reason: undefined }, "body.reason: expected text, found nothing"],
  [{ ...all, reason: "" }, 'body.reason: expected at least 1 character, found ""'],
  [
    { ...all, reason: "\u001b[2J" },
    String.raw`body.reason: expected a text without control characters, found "\u001b[2J"`,
  ],
  [{ ...all, all: "yes" }, 'body.all: expected true or false, found "yes"'],
  [{ ...all, processors: [] }, "body.processors: expected at least 1 item, found an empty list"],
  [{ ...all, processors: ["orders", 7] }, "body.processors.1: expected text, found 7"],
  [
    { ...all, start_date: "2024-02-30" },
    'body.start_date: expected a date that exists, as YYYY-MM-DD, found "2024-02-30"',
  ],
  [
    { ...all, force: true },
    'body.force: expected no key but processors, phases, start_date, end_date, all, actor, dry_run, reason, found the unknown key "force"',
  ],
  [["orders"], "body: expected an object, found a list"],
])("what is wrong with %j is told as what was expected and what was found", async (body, message) => {
  const problem = await documentOf(await served.post("/api/v1/pause", body), "Problem");
  expect(problem).toMatchObject({ code: "request_invalid", detail: message });
});

test("a cycle begins when somebody asks for one, and not by a dry run", async () => {
  const looked = served.looked();
  const dry = await served.post("/api/v1/reconcile", { dry_run: true });
  expect([dry.status, await dry.json()]).toMatchObject([200, { dry_run: true }]);
  const answer = await served.post("/api/v1/reconcile", {});
  expect([answer.status, await documentOf(answer, "Cycle")]).toMatchObject([202, { dry_run: false }]);
  await looked;
});

test("without a token in the config there is no action, whatever is sent", async () => {
  const open = await serveShop({ shop: served.shop, http: { token: null } });
  await open.firstLook;
  for (const path of ["waivers", "reconcile"]) {
    const answer = await open.post(`/api/v1/${path}`, waiver);
    expect([answer.status, await answer.json()]).toMatchObject([404, { code: "actions_off" }]);
  }
  await open.stop();
});
