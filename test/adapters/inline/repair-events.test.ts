import { createInlineRepairEvents } from "../../../src/adapters/inline/repair-events.ts";
import { describeRepairEventsContract } from "../../contract/repair-events.ts";

describeRepairEventsContract("of one process", () => {
  const events = createInlineRepairEvents();
  return Promise.resolve({
    one: events,
    other: events,
    ready: () => Promise.resolve(),
    cleanup: () => events.close(),
  });
});
