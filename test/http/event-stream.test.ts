// A watcher that stops reading must cost nothing: a real server and real sockets, with views that are as large as they get.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EventStream } from "../../src/http/event-stream.ts";
import type { LiveDaemon } from "../../src/reconcile/ports/live-view.ts";
import { blindView } from "../support/live-view.ts";

/** A daemon whose every change is a megabyte to tell. */
function changingDaemon(): LiveDaemon & { change(): void } {
  let listeners: (() => void)[] = [];
  let revision = 1;
  const degraded = { code: "redis_unavailable", hint: null, since: 0 } as const;
  return {
    standing: () => blindView,
    view: () => ({
      ...blindView,
      revision,
      degraded: { ...degraded, message: `${revision} `.repeat(500_000) },
    }),
    plan: () => ({ asOf: null, steps: [] }),
    subscribe(listener) {
      listeners.push(listener);
      return () => {
        listeners = listeners.filter((each) => each !== listener);
      };
    },
    cycleNow: () => undefined,
    heedDecisions: () => undefined,
    loopAgeMs: () => 0,
    change() {
      revision++;
      for (const listener of listeners) listener();
    },
  };
}

let live: ReturnType<typeof changingDaemon>;
let events: EventStream;
let server: Server;
let sockets: Socket[] = [];
beforeEach(async () => {
  live = changingDaemon();
  events = new EventStream({ live, instance: "one", watchersMax: 10, beatMs: 60_000, secrets: [] });
  server = createServer((_request, response) => events.add(response, undefined)).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  events.close();
  server.close();
  for (const socket of sockets) socket.destroy();
  sockets = [];
});

function watcher(): Socket {
  const address = server.address();
  const socket = connect(typeof address === "object" && address !== null ? address.port : 0, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  sockets.push(socket);
  return socket;
}

test("who comes is told how things stand now, though the others are told in a moment", async () => {
  watcher().resume();
  await expect.poll(() => events.watchers).toBe(1);
  live.change();
  let told = "";
  watcher().on("data", (chunk) => (told += chunk.toString()));
  await expect.poll(() => /"revision":(\d+)/.exec(told)?.[1]).toBe(String(live.view().revision));
});

test("a watcher that reads nothing is dropped, and the others are told all the same", async () => {
  const [reading, idle] = [watcher(), watcher()];
  let bytes = 0;
  reading.on("data", (chunk) => (bytes += chunk.length));
  idle.pause();
  await expect.poll(() => events.watchers).toBe(2);
  // Nothing more is told before the one that reads has read all: who reads late is not what this is about.
  let enough = 0;
  await expect
    .poll(
      () => {
        if (bytes >= enough) {
          enough = bytes + 900_000;
          live.change();
        }
        return events.watchers;
      },
      { timeout: 25_000 },
    )
    .toBe(1);
  await expect.poll(() => bytes).toBeGreaterThanOrEqual(enough);
  const before = bytes;
  live.change();
  await expect.poll(() => bytes).toBeGreaterThan(before + 900_000);
});
