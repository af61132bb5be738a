// Does what the Dockerfile says without a container engine, starts what came out of it, and prints what it weighs:
// npm run image:replay. Its figures are those of this machine.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withIdleDaemon } from "../test/support/image/idle-daemon.ts";
import { productionSizes } from "../test/support/image/production-size.ts";
import { replayImage } from "../test/support/image/replay.ts";

const mebibyte = 2 ** 20;
const shownPackages = 15;
const quietMs = 2000;

const image = replayImage();
try {
  for (const { what, seconds } of image.done) console.log(`${seconds.toFixed(1).padStart(6)} s  ${what}`);
  const sizes = productionSizes(join(image.root, "app"));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(`\nThe production tree, ${megabytes(total)} in ${sizes.length} packages and folders:`);
  for (const { name, bytes } of sizes.slice(0, shownPackages)) console.log(`${megabytes(bytes)}  ${name}`);
  await withIdleDaemon(image, async (daemon) => {
    console.log(`\nstart to an answer of /healthz        ${Math.round(daemon.healthyMs)} ms`);
    // What the first look left behind is over.
    await sleep(quietMs);
    console.log(`memory when idle                     ${megabytes(daemon.residentBytes()).trim()}`);
    const { code, ms } = await daemon.stop();
    console.log(`SIGTERM to exit code ${code}               ${Math.round(ms)} ms`);
  });
} finally {
  image.remove();
}

function megabytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1).padStart(6)} MiB`;
}
