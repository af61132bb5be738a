// A process that runs a command through the executor, to be killed by a test.
import { createExecutors } from "../../../src/adapters/executors/index.ts";
import { idleWarehouse, nodeCommand, realClock, requestFor } from "./fixtures.ts";

const executors = createExecutors({
  warehouse: idleWarehouse,
  secrets: [],
  clock: realClock,
  graceMs: 300,
});
await executors.run(requestFor(nodeCommand(process.argv[2] ?? "")));
