// Plays many worlds and prints each that ends wrong: `npm run oracle -- --seeds 500`. With `--seed N` it plays one and prints
// all of it; with `--shrink` a world that fails is first made as small as it can be.
import { parseArgs } from "node:util";
import { describeWorld, faultsOf } from "./faults.ts";
import { worldOf } from "./generate.ts";
import { playWorld } from "./run.ts";
import { shrink } from "./shrink.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "500" },
    from: { type: "string", default: "0" },
    seed: { type: "string" },
    shrink: { type: "boolean", default: false },
    lossy: { type: "boolean", default: false },
  },
});
const from = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const options = { lossy: values.lossy };
let [failed, converged, rounds, repairs] = [0, 0, 0, 0];
for (let seed = from; seed < from + count; seed++) {
  const world = worldOf(seed, options);
  const played = await playWorld(world);
  rounds += played.length;
  converged += played.filter((round) => round.converged).length;
  repairs += played.reduce((sum, round) => sum + round.repairs, 0);
  const faults = faultsOf(played);
  if (faults.length > 0) failed++;
  if (faults.length > 0 || values.seed !== undefined) {
    const smallest = values.shrink && faults.length > 0 ? await shrink(world) : world;
    console.log(describeWorld(smallest, await playWorld(smallest)));
  }
}
console.log(
  `${count} seeds from ${from}: ${failed} wrong; ${converged} of ${rounds} runs converged, ${repairs} repairs`,
);
process.exitCode = failed === 0 ? 0 : 1;
