// A process that takes the run guard, proves that it is alone, and lets it go again; or holds it until it is killed.
// Arguments: lock file, wait in ms, "hold" or the file in which it leaves its mark while it holds the guard.
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { acquireRunGuard } from "../../../src/adapters/inline/run-guard.ts";

const [path = "", waitMs = "0", mark = "hold"] = process.argv.slice(2);
const guard = await acquireRunGuard({ path, waitMs: Number(waitMs) });
if (mark === "hold") {
  process.stdout.write("held\n");
  await sleep(600_000);
}
try {
  // Fails where another one is inside.
  writeFileSync(mark, "", { flag: "wx" });
  await sleep(20);
  rmSync(mark);
  appendFileSync(`${mark}.log`, `${process.pid}\n`);
} finally {
  await guard.release();
}
