import { z } from "zod";
import type { RepairEvent, RepairEvents } from "../../reconcile/ports/repair-events.ts";
import { openConnection } from "./connection.ts";
import { isoDate, parseJson } from "./job-payload.ts";
import { limited } from "./limited.ts";
import { keyPrefix, type RedisServer } from "./server.ts";

export interface RedisRepairEventsOptions {
  readonly pipeline: string;
  readonly server: RedisServer;
}

/** Redis keeps what a slow listener has not read yet in its own memory. */
const messageBytesMax = 256 * 1024;
const callMs = 3000;
/** How soon a connection on which nothing arrives any more is noticed, as far as it is asked. */
const againMs = 5000;

const message = z.discriminatedUnion("kind", [
  z.object({ kind: z.enum(["verified", "ended"]), jobId: z.string(), body: z.unknown() }),
  z.object({ kind: z.enum(["cycle_wanted", "lease_wanted"]) }),
  z.object({
    kind: z.literal("repairs_wanted"),
    worker: z.string(),
    selection: z.object({
      processors: z.array(z.string()).nullable(),
      startDate: isoDate.nullable(),
      endDate: isoDate.nullable(),
    }),
  }),
]);

/** Events among all processes that share a pipeline's Redis, by its publish and subscribe. */
export function createRedisRepairEvents({ pipeline, server }: RedisRepairEventsOptions): RepairEvents {
  // Redis's publish and subscribe know of no databases, and in another one there is another target.
  const channel = `${keyPrefix(pipeline)}repair-events:${server.options.db ?? 0}`;
  const publisher = openConnection(server, "commands");
  // After a break the library subscribes again by itself.
  const subscriber = openConnection(server, "blocking");
  const listeners = new Set<(event: RepairEvent) => void>();
  subscriber.client.on("message", (_channel: string, text: string) => {
    const parsed = message.safeParse(parseJson(text));
    // One that another version sent in another form is as good as lost.
    if (parsed.success) for (const listener of listeners) listener(parsed.data);
  });
  // Not waited for: where the server has never been there, the library leaves it open for ever, closed or not.
  void subscriber.client.subscribe(channel).catch(() => undefined);
  // A subscriber that only listens would never notice that the other side is gone; and one that was refused, such as for its rights,
  // would be deaf until its connection broke.
  const again = setInterval(() => {
    if (subscriber.client.status === "ready")
      void subscriber.client.subscribe(channel).catch(() => undefined);
  }, againMs);
  return {
    publish: (event) =>
      limited(publisher, callMs, async () => {
        await publisher.ready();
        await publisher.client.publish(channel, textOf(event));
      }),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      clearInterval(again);
      listeners.clear();
      publisher.close();
      subscriber.close();
      return Promise.resolve();
    },
  };
}

function textOf(event: RepairEvent): string {
  const text = JSON.stringify(event);
  const isTooLarge = "body" in event && Buffer.byteLength(text) > messageBytesMax;
  return isTooLarge ? JSON.stringify({ ...event, body: null }) : text;
}
