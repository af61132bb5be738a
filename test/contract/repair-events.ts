import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { RepairEvent, RepairEvents } from "../../src/reconcile/ports/repair-events.ts";
import { soon } from "../support/repairs.ts";

export interface RepairEventsHarness {
  readonly one: RepairEvents;
  /** Another replica's; of an adapter for one process, the same. */
  readonly other: RepairEvents;
  /** Resolves when both hear what is published. */
  ready(): Promise<void>;
  cleanup(): Promise<void>;
}

/** What every channel of events does, whatever carries it. */
export function describeRepairEventsContract(name: string, make: () => Promise<RepairEventsHarness>): void {
  describe(`the repair events ${name}`, () => {
    let harness: RepairEventsHarness;
    beforeEach(async () => {
      harness = await make();
    });
    afterEach(() => harness.cleanup());

    const event = (jobId: string, body: unknown = null): RepairEvent => ({ kind: "ended", jobId, body });

    it("reach all who listen, in order and whole", async () => {
      const [here, there]: [RepairEvent[], RepairEvent[]] = [[], []];
      harness.one.subscribe((received) => here.push(received));
      harness.other.subscribe((received) => there.push(received));
      await harness.ready();
      const events = [event("a", { rows: 3, dates: ["2024-01-01"], word: "é" }), event("b"), event("c", [1])];
      for (const each of events) await harness.one.publish(each);
      await soon(() => expect([here, there]).toEqual([events, events]));
    });

    it("carry what processes and people want too", async () => {
      const heard: RepairEvent[] = [];
      harness.other.subscribe((received) => heard.push(received));
      await harness.ready();
      const startDate = parseIsoDate("2024-01-01");
      const wants: readonly RepairEvent[] = [
        { kind: "cycle_wanted" },
        { kind: "lease_wanted" },
        {
          kind: "repairs_wanted",
          worker: "host/1/2",
          selection: { processors: ["orders"], startDate, endDate: null },
        },
      ];
      for (const each of wants) await harness.one.publish(each);
      await soon(() => expect(heard).toEqual(wants));
    });

    it("are not told within the call that publishes them, nor to those who left", async () => {
      const [left, stayed]: [string[], string[]] = [[], []];
      const idOf = (received: RepairEvent) => ("jobId" in received ? received.jobId : received.kind);
      const leave = harness.one.subscribe((received) => left.push(idOf(received)));
      harness.one.subscribe((received) => stayed.push(idOf(received)));
      await harness.ready();
      const published = harness.one.publish(event("a"));
      expect(stayed).toEqual([]);
      await published;
      await soon(() => expect(stayed).toEqual(["a"]));
      leave();
      await harness.one.publish(event("b"));
      await soon(() => expect(stayed).toEqual(["a", "b"]));
      expect(left).toEqual(["a"]);
    });
  });
}
