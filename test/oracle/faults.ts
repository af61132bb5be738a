import { fromDay } from "../../src/core/iso-date.ts";
import { pipelineYaml } from "./pipeline-yaml.ts";
import type { Round } from "./run.ts";
import type { Event, OracleWorld } from "./world.ts";

/** What the product promised and did not keep, in words. */
export function faultsOf(rounds: readonly Round[]): string[] {
  return rounds.flatMap(({ converged, wrong, worse, falselyStale, planOnly, runOnly }, index) => [
    ...said(index, "converged with wrong rows", wrong),
    ...said(index, "wrote fewer right rows than there were", worse),
    ...said(index, "reported cells as stale that its own repairs made", falselyStale),
    ...said(index, "planned and not repaired", converged ? planOnly : []),
    ...said(index, "repaired and not planned", converged ? runOnly : []),
  ]);
}

function said(round: number, what: string, cells: readonly string[]): string[] {
  return cells.length === 0 ? [] : [`run ${round + 1} ${what}: ${cells.join(", ")}`];
}

/** The pipeline, what happened to it, and what came of it, for a person who looks for the fault. */
export function describeWorld(world: OracleWorld, rounds: readonly Round[]): string {
  const phases = world.phases.map((events, index) => {
    const round = rounds[index];
    const end = round === undefined ? "" : endOf(round);
    return `before run ${index + 1}:\n${events.map((event) => `  ${eventText(event)}\n`).join("")}${end}`;
  });
  return `--- seed ${world.seed}: npm run oracle -- --seed ${world.seed}
${pipelineYaml(world)}${phases.join("")}${faultsOf(rounds).join("\n")}\n`;
}

function endOf({ converged, repairs, gaps, staleCells }: Round): string {
  const state = converged ? "converged" : `not converged: ${gaps.join(", ")}`;
  const stale = staleCells.length === 0 ? "" : `; reported stale: ${staleCells.join(", ")}`;
  return `  → ${repairs} repairs, ${state}${stale}\n`;
}

function eventText(event: Event): string {
  const dated = Object.entries(event).map(([key, value]: [string, unknown]) => {
    if (key === "kind") return String(value);
    if (Array.isArray(value)) return `${key} ${value.map((day) => fromDay(Number(day))).join(" ")}`;
    return key === "day" || key === "to" ? `${key} ${fromDay(Number(value))}` : `${key} ${String(value)}`;
  });
  return dated.join(" ");
}
