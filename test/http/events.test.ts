import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { describedBy } from "./described.ts";
import { type ServedShop, serveShop } from "./served-shop.ts";

let served: ServedShop;
beforeAll(async () => {
  served = await serveShop({
    daemon: { mode: "repair" },
    http: { limits: { watchersMax: 3, beatMs: 200 } },
  });
  await served.firstLook;
});
afterAll(() => served.remove());

interface Told {
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Watcher {
  readonly status: number;
  /** All that was told, comments aside. */
  readonly told: readonly Told[];
  readonly comments: () => number;
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>;
  readonly leave: () => void;
}

const data = z.record(z.string(), z.unknown());

let watching: Watcher[] = [];
// There is room for three: one test's must not be in the next one's way, even where it fails.
afterEach(() => {
  for (const { leave } of watching) leave();
  watching = [];
});

/** Watches as soon as there is room: those who have left are noticed in their time. */
async function watch(headers: Readonly<Record<string, string>> = {}): Promise<Watcher> {
  let watcher = await triesToWatch(headers);
  await expect
    .poll(async () => (watcher = watcher.status === 200 ? watcher : await triesToWatch(headers)).status)
    .toBe(200);
  return watcher;
}

async function triesToWatch(headers: Readonly<Record<string, string>> = {}): Promise<Watcher> {
  const leaving = new AbortController();
  const answer = await fetch(`${served.url}/api/v1/events`, { headers, signal: leaving.signal });
  const told: Told[] = [];
  let comments = 0;
  const read = async () => {
    let text = "";
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const parts = `${text}${chunk}`.split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) {
        const fields = new Map(
          part.split("\n").map((line) => {
            const colon = line.indexOf(":");
            return [line.slice(0, colon), line.slice(colon + 2)] as const;
          }),
        );
        const event = fields.get("event");
        if (part.startsWith(":")) comments++;
        if (event === undefined) continue;
        told.push({
          id: fields.get("id") ?? "",
          event,
          data: data.parse(JSON.parse(fields.get("data") ?? "")),
        });
      }
    }
  };
  const ended = answer.ok ? read().catch(() => undefined) : Promise.resolve();
  const leave = () => leaving.abort();
  const watcher = { status: answer.status, told, comments: () => comments, ended, leave };
  watching.push(watcher);
  return watcher;
}

const lastOf = ({ told }: Watcher, event: string) => told.findLast((each) => each.event === event)?.data;

test("who watches is told how things stand, then each repair and what it changed, until all is whole", async () => {
  const watcher = await watch();
  await expect
    .poll(() => lastOf(watcher, "view"), { timeout: 20_000 })
    .toMatchObject({
      leading: true,
      sight: { converged: true, gaps: 0, unknown: 0, stale: false },
      running: 0,
    });
  await served.shop.warehouse.write(["delete from shop.revenue where day = date '2024-01-05'"]);
  served.tick();
  await expect
    .poll(() => lastOf(watcher, "repair_ended"), { timeout: 20_000 })
    .toMatchObject({ repair: "revenue", outcome: "repaired", cells: [{ date: "2024-01-05" }] });
  const ids = (event: string) =>
    watcher.told.filter((each) => each.event === event).map(({ data }) => data["id"]);
  expect(new Set(ids("repair_ended")).size).toBe(ids("repair_ended").length);
  // One that was over at once has no start to tell, which is -1.
  const order = watcher.told.map(({ event, data }) => `${event} ${String(data["id"])}`);
  for (const id of ids("repair_ended").map(String)) {
    expect(order.indexOf(`repair_started ${id}`)).toBeLessThan(order.indexOf(`repair_ended ${id}`));
  }
  await expect.poll(watcher.comments).toBeGreaterThan(1);
  const { check, documentOf } = await describedBy(served);
  check(lastOf(watcher, "view"), "ViewEvent");
  const { ended } = await documentOf(await served.get("/api/v1/repairs"), "Repairs");
  expect(ended).toContainEqual(lastOf(watcher, "repair_ended"));
});

test("who comes back is told what it missed, and nothing twice", async () => {
  const first = await watch();
  await expect.poll(() => first.told.length).toBeGreaterThan(0);
  const lastId = first.told.at(-1)?.id ?? "";
  first.leave();
  await served.shop.warehouse.write(["delete from shop.revenue where day = date '2024-01-06'"]);
  served.tick();
  await expect
    .poll(() => served.live.view().ended[0]?.cells, { timeout: 20_000 })
    .toMatchObject([{ date: "2024-01-06" }]);
  const back = await watch({ "last-event-id": lastId });
  await expect.poll(() => lastOf(back, "repair_ended")).toMatchObject({ cells: [{ date: "2024-01-06" }] });
  const ids = back.told.map(({ id }) => id);
  expect(ids).not.toContain(lastId);
  expect(ids).toEqual([...new Set(ids)]);
});

test.each(["another-process/7", "nonsense", `${"9".repeat(30)}`])(
  "who comes back with the id %s is told that nothing of it is known",
  async (id) => {
    const watcher = await watch({ "last-event-id": id });
    await expect.poll(() => watcher.told.slice(0, 2).map(({ event }) => event)).toEqual(["reset", "view"]);
  },
);

test("no more may watch than there is room for, and who leaves makes room", async () => {
  const first = await watch();
  await watch();
  await watch();
  expect((await triesToWatch()).status).toBe(503);
  first.leave();
  await watch();
});

test("a daemon that stops ends what is watched, and answers until then", async () => {
  const stopping = await serveShop({ shop: served.shop, daemon: { mode: "observe" } });
  await stopping.firstLook;
  const { body } = await stopping.get("/api/v1/events");
  const all = body === null ? Promise.resolve("") : new Response(body).text();
  await stopping.stop();
  expect(await all).toContain("event: view");
  await expect(stopping.get("/healthz")).rejects.toThrow("fetch failed");
});
