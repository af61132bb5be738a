// A worker process to be killed: takes one job of the queue named on the command line, tells so, and never ends it.
import { createRedisRepairQueue } from "../../src/adapters/redis/repair-queue.ts";
import { redisServer } from "../../src/adapters/redis/server.ts";

const [url = "", pipeline = ""] = process.argv.slice(2);
const queue = createRedisRepairQueue({
  pipeline,
  server: redisServer({ url, username: null, password: null, database: null, ca: null, sentinel: null }),
  jobsMax: 20,
  listener: { onUnreadable: () => undefined, onStalled: () => undefined, onWiped: () => undefined },
});
queue.consume(
  (job) => {
    console.log(job.id);
    return new Promise(() => undefined);
  },
  { slots: 1 },
);
