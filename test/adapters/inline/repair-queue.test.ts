import { createInlineRepairQueue } from "../../../src/adapters/inline/repair-queue.ts";
import { describeRepairQueueContract } from "../../contract/repair-queue.ts";

describeRepairQueueContract("of one process", () => {
  const queue = createInlineRepairQueue({ jobsMax: 20 });
  return Promise.resolve({ one: queue, other: queue, cleanup: () => queue.close() });
});
