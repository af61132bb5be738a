import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createExecutors } from "../../../src/adapters/executors/index.ts";
import { type PubsubServer, startPubsub } from "../../support/pubsub/server.ts";
import { idleWarehouse, pubsubAction, realClock, requestFor } from "./fixtures.ts";

let server: PubsubServer;
const executor = createExecutors({ warehouse: idleWarehouse, secrets: [], clock: realClock });

beforeAll(async () => {
  server = await startPubsub("hush");
});
afterAll(() => server.stop());

const textOf = (data = ""): string => Buffer.from(data, "base64").toString("utf8");

describe("a message", () => {
  it("says what the run is about, and counts as accepted: the query has to prove it", async () => {
    const result = await executor.run(requestFor(pubsubAction(server.url)));
    expect(result).toEqual({
      kind: "accepted",
      logTail: null,
      handle: "message 1 of projects/p/topics/fill",
    });
    const message = server.messages.at(-1);
    expect(message?.attributes).toEqual({
      pipeline: "nba",
      processor: "scores",
      start_date: "2024-01-30",
      end_date: "2024-02-01",
      attempt: "2",
      fencing_token: "1700000000000001",
      idempotency_key: "repair-1",
    });
    expect(JSON.parse(textOf(message?.data))).toEqual({
      ...message?.attributes,
      attempt: 2,
      season: "2023-24",
      dates: ["2024-01-30", "2024-02-01"],
    });
    expect(message).not.toHaveProperty("orderingKey");
  });

  it("holds what the config says, with templates filled in, beside what it is about", async () => {
    const what = pubsubAction(server.url, {
      topic: "fill-{{processor}}",
      data: '{"from":"{{start_date}}"}',
      attributes: { kind: "backfill", until: "{{end_date_exclusive}}" },
      orderingKey: "{{processor}}",
    });
    expect(await executor.run(requestFor(what))).toMatchObject({
      handle: expect.stringContaining("projects/p/topics/fill-scores") as string,
    });
    expect(server.messages.at(-1)).toMatchObject({
      attributes: { kind: "backfill", until: "2024-02-02", processor: "scores" },
      orderingKey: "scores",
    });
    expect(textOf(server.messages.at(-1)?.data)).toBe('{"from":"2024-01-30"}');
    expect(executor.handleOf(requestFor(what))).toBe("projects/p/topics/fill-scores");
  });
});

it("puts no more into the address of its topic than a name", () => {
  const what = pubsubAction(server.url, { topic: "fill-{{season}}" });
  expect(executor.handleOf(requestFor(what, { season: "../2024/25?x" }))).toBe(
    "projects/p/topics/fill-..%2F2024%2F25%3Fx",
  );
});

describe("what is checked beforehand", () => {
  it("is found right where the topic takes messages, and publishes none", async () => {
    const before = server.messages.length;
    expect(await executor.check(requestFor(pubsubAction(server.url)))).toEqual([]);
    expect(server.messages).toHaveLength(before);
  });

  it("names the permission, which also who may not see the topic lacks", async () => {
    server.deny();
    expect(await executor.check(requestFor(pubsubAction(server.url)))).toMatchObject([
      {
        level: "error",
        message: "no topic projects/p/topics/fill, or no permission pubsub.topics.publish on it",
        hint: expect.stringContaining("roles/pubsub.publisher") as string,
      },
    ]);
  });
});
