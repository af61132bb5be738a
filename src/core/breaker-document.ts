import type { Assessment } from "./assessment.ts";
import { formatInstant } from "./wall-clock.ts";

export interface BreakerDocument {
  readonly kind: "mass_gap" | "schedule" | "circuit";
  readonly subject: string;
  readonly message: string;
}

/** Every breaker that holds something back: mass gaps first, then schedules, then circuits. */
export function breakersOf({ grid, breakers, facts }: Assessment): BreakerDocument[] {
  const found: BreakerDocument[] = [];
  if (breakers.overallMassGap !== null) {
    found.push({ kind: "mass_gap", subject: grid.pipeline.name, message: breakers.overallMassGap });
  }
  breakers.massGaps.forEach((message, index) => {
    const subject = grid.pipeline.processors[index]?.name ?? "";
    if (message !== null) found.push({ kind: "mass_gap", subject, message });
  });
  for (const [subject, message] of breakers.scheduleFaults)
    found.push({ kind: "schedule", subject, message });
  facts.circuits.forEach((circuit, index) => {
    const subject = grid.pipeline.repairUnits[index]?.name ?? "";
    if (circuit.state === "closed") return;
    const next = `one date probes it from ${formatInstant(circuit.probeAt)} on`;
    found.push({
      kind: "circuit",
      subject,
      message: `${circuit.state.replace("_", "-")}: ${circuit.cause}; ${next}`,
    });
  });
  return found;
}
