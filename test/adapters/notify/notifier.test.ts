// Method: a real local HTTP server; only the waits between two tries are cut short, and written down.
import { afterEach, beforeEach, expect, test } from "vitest";
import { createNotifier } from "../../../src/adapters/notify/notifier.ts";
import type { ReceiverSpec } from "../../../src/adapters/notify/receiver.ts";
import { systemClock } from "../../../src/adapters/inline/system-clock.ts";
import { parseIsoDate } from "../../../src/core/iso-date.ts";
import { type Bulletin, type News, newsKinds } from "../../../src/core/news.ts";
import type { Clock } from "../../../src/reconcile/ports.ts";
import type { Delivery, Notifier } from "../../../src/reconcile/ports/notifier.ts";
import { freePort } from "../../support/free-port.ts";
import { soon } from "../../support/repairs.ts";
import { startWebhook, type WebhookServer } from "../../support/webhook.ts";

let servers: WebhookServer[];
let notifiers: Notifier[];
let deliveries: Delivery[];
let slept: number[];
beforeEach(() => {
  [servers, notifiers, deliveries, slept] = [[], [], [], []];
});
afterEach(async () => {
  await Promise.all(notifiers.map((notifier) => notifier.close({ deadline: Promise.resolve() })));
  await Promise.all(servers.map((server) => server.close()));
});

const impatient: Clock = {
  ...systemClock,
  sleep: (ms) => {
    slept.push(ms);
    return Promise.resolve();
  },
};

async function server(...args: Parameters<typeof startWebhook>): Promise<WebhookServer> {
  const started = await startWebhook(...args);
  servers.push(started);
  return started;
}

function notifierTo(...specs: readonly Partial<ReceiverSpec>[]): Notifier {
  const plain = { format: "json", events: newsKinds, headers: {}, timeoutMs: 60_000, url: "" } as const;
  const notifier = createNotifier(
    specs.map((spec, index) => ({ ...plain, name: `receiver_${index + 1}`, ...spec })),
    {
      sender: { pipeline: "shop", target: "prod" },
      clock: impatient,
      onDelivery: (delivery) => deliveries.push(delivery),
    },
  );
  notifiers.push(notifier);
  return notifier;
}

const dates = ["2024-01-01", "2024-01-02", "2024-01-05"].map(parseIsoDate);
const quarantined: News = {
  kind: "quarantined",
  processor: "orders",
  severity: "critical",
  owner: "data-team",
  reason: "attempts_used_up",
  dates,
};
const converged: News = { kind: "converged" };

function bulletin(news: readonly News[] = [quarantined], cycleId = "cycle-7"): Bulletin {
  return { cycleId, at: Date.UTC(2024, 0, 6, 12), news };
}

test("a program is told every event of a cycle in one document", async () => {
  const { url, requests } = await server();
  const massGap: News = {
    kind: "mass_gap",
    subject: { processor: "lines", severity: "warning", owner: null },
    message: "60 of 100 cells that were complete became gaps",
  };
  notifierTo({ url, headers: { authorization: "Bearer t" } }).send(
    bulletin([quarantined, massGap, converged]),
  );
  await soon(() => expect(deliveries).toHaveLength(1));
  expect(requests[0]?.headers).toMatchObject({
    "content-type": "application/json",
    "idempotency-key": "shop/cycle-7",
    authorization: "Bearer t",
  });
  expect(requests[0]?.body).toEqual({
    schema_version: 1,
    id: "shop/cycle-7",
    pipeline: "shop",
    target: "prod",
    cycle_id: "cycle-7",
    at: "2024-01-06T12:00:00Z",
    events: [
      {
        event: "quarantined",
        text: "orders (critical, data-team): 3 dates (2024-01-01 to 2024-01-02, 2024-01-05) quarantined, all attempts are used up.",
        command: "reconcile explain orders 2024-01-01",
        processor: "orders",
        severity: "critical",
        owner: "data-team",
        reason: "attempts_used_up",
        cells: 3,
        date_runs: ["2024-01-01..2024-01-02", "2024-01-05"],
      },
      {
        event: "mass_gap",
        text: "lines (warning): mass gap, 60 of 100 cells that were complete became gaps. Nothing of it is repaired until the data is back or a person accepts it.",
        command: "reconcile status --processor lines",
        processor: "lines",
        severity: "warning",
        owner: null,
      },
      { event: "converged", text: "converged: no gap is left.", command: null },
    ],
    events_left_out: 0,
  });
});

test("Slack is told the same as text, in which nothing can call a channel", async () => {
  const { url, requests } = await server();
  notifierTo({ url, format: "slack" }).send(
    bulletin([{ ...quarantined, owner: "<!channel> & co" }, converged]),
  );
  await soon(() => expect(requests).toHaveLength(1));
  expect(requests[0]?.body).toEqual({
    text: [
      "*shop (prod)*",
      "• orders (critical, &lt;!channel&gt; &amp; co): 3 dates (2024-01-01 to 2024-01-02, 2024-01-05) quarantined, all attempts are used up. `reconcile explain orders 2024-01-01`",
      "• converged: no gap is left.",
    ].join("\n"),
  });
});

test("a receiver is told what it asked for, and nothing where nothing of that happened", async () => {
  const { url, requests } = await server();
  const notifier = notifierTo({ url, format: "slack", events: ["converged"] });
  notifier.send(bulletin([quarantined], "cycle-1"));
  notifier.send(bulletin([quarantined, converged], "cycle-2"));
  await soon(() => expect(deliveries).toHaveLength(1));
  expect(requests.map(({ body }) => body)).toEqual([{ text: "*shop (prod)*\n• converged: no gap is left." }]);
  expect(deliveries[0]?.kinds).toEqual(["converged"]);
});

test("a hundred processors that break at once are one message of bounded length", async () => {
  const { url, requests } = await server();
  const many = Array.from({ length: 100 }, (_, index): News => ({ ...quarantined, processor: `p${index}` }));
  const notifier = notifierTo({ url }, { url, format: "slack" });
  notifier.send(bulletin(many));
  await soon(() => expect(requests).toHaveLength(2));
  expect(JSON.stringify(requests)).toContain('"events_left_out":80');
  expect(JSON.stringify(requests)).toContain("and 80 more");
  expect(Math.max(...requests.map(({ body }) => JSON.stringify(body).length))).toBeLessThan(20_000);
});

test("what failed for a passing reason is tried again with the same id, as long as the other side asks for", async () => {
  const { url, requests } = await server((response, request) => {
    if (request === 1) response.writeHead(503, { "retry-after": "42" }).end();
    else if (request === 2) response.destroy();
    else response.writeHead(204).end();
  });
  notifierTo({ url }).send(bulletin());
  await soon(() => expect(deliveries).toHaveLength(1));
  expect(deliveries[0]).toMatchObject({ outcome: "sent", message: null });
  expect(requests.map(({ headers }) => headers["idempotency-key"])).toEqual(
    Array.from({ length: 3 }, () => "shop/cycle-7"),
  );
  expect(slept).toEqual([42_000, 5_000]);
});

test("a receiver that never takes it is given up after six tries, and told of without its URL", async () => {
  const { url, requests } = await server((response) => response.writeHead(500).end());
  notifierTo({ url, name: "ops" }).send(bulletin());
  await soon(() => expect(deliveries).toHaveLength(1));
  expect(deliveries).toEqual([
    { receiver: "ops", kinds: ["quarantined"], outcome: "failed", message: "it answered 500" },
  ]);
  expect(requests).toHaveLength(6);
  expect(slept).toEqual([1_000, 5_000, 30_000, 120_000, 300_000]);
});

test.each([
  [404, "it answered 404"],
  [302, "it answered 302, a redirect, which is not followed: write the final URL"],
])("%s is not tried again, as it would say the same", async (status, message) => {
  const { url, requests } = await server((response) => response.writeHead(status, { location: "/x" }).end());
  notifierTo({ url }).send(bulletin());
  await soon(() => expect(deliveries).toHaveLength(1));
  expect(deliveries[0]).toMatchObject({ outcome: "failed", message });
  expect(requests).toHaveLength(1);
});

test("a receiver that does not answer is given up after its timeout, and one that is not there at once", async () => {
  const { url } = await server(() => undefined);
  const gone = `http://127.0.0.1:${await freePort()}/hook`;
  notifierTo({ url, timeoutMs: 30, name: "silent" }, { url: gone, name: "gone" }).send(bulletin());
  await soon(() => expect(deliveries).toHaveLength(2));
  const messages = new Map(deliveries.map(({ receiver, message }) => [receiver, message]));
  expect(messages.get("silent")).toBe("no answer within 0.03 s");
  expect(messages.get("gone")).toMatch(/ECONNREFUSED/);
});

test("a receiver that hangs keeps nobody waiting: not the caller, and no other receiver", async () => {
  const hanging = await server(() => undefined);
  const { url, requests } = await server();
  const notifier = notifierTo({ url: hanging.url, name: "hanging" }, { url, name: "quick" });
  for (let cycle = 1; cycle <= 3; cycle++) notifier.send(bulletin([quarantined], `cycle-${cycle}`));
  await soon(() => expect(deliveries).toHaveLength(3));
  await soon(() => expect(hanging.requests).toHaveLength(1));
  expect(requests).toHaveLength(3);
  expect(deliveries.map(({ receiver }) => receiver)).toEqual(["quick", "quick", "quick"]);
});

test("a hundred bulletins wait for a receiver; the oldest goes when there are more", async () => {
  const hanging = await server(() => undefined);
  const notifier = notifierTo({ url: hanging.url });
  for (let cycle = 1; cycle <= 103; cycle++) notifier.send(bulletin([quarantined], `cycle-${cycle}`));
  expect(deliveries).toEqual(
    Array.from({ length: 2 }, () => ({
      receiver: "receiver_1",
      kinds: ["quarantined"],
      outcome: "dropped",
      message: "more than 100 waited",
    })),
  );
});

test("closing waits for what is still to be told until the deadline, and drops the rest", async () => {
  const { url, requests } = await server();
  const sent = notifierTo({ url });
  sent.send(bulletin());
  await sent.close({ deadline: new Promise(() => undefined) });
  expect(requests).toHaveLength(1);

  const hanging = await server(() => undefined);
  const stuck = notifierTo({ url: hanging.url });
  for (let cycle = 1; cycle <= 3; cycle++) stuck.send(bulletin([quarantined], `cycle-${cycle}`));
  await soon(() => expect(hanging.requests).toHaveLength(1));
  await stuck.close({ deadline: Promise.resolve() });
  stuck.send(bulletin([quarantined], "cycle-4"));
  expect(deliveries.map(({ outcome }) => outcome)).toEqual([
    "sent",
    "dropped",
    "dropped",
    "dropped",
    "dropped",
  ]);
});
