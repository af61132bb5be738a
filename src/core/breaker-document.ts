import type { Assessment } from "./assessment.ts";
import { fromDay, type IsoDate } from "./iso-date.ts";
import { formatInstant } from "./wall-clock.ts";

export interface BreakerDocument {
  readonly kind: "mass_gap" | "schedule" | "circuit";
  readonly subject: string;
  readonly message: string;
  /** Those whose repairs it holds, in file order. */
  readonly processors: readonly string[];
}

/** Past dates that left a schedule. */
export interface ScheduleChangeDocument {
  readonly schedule: string;
  /** Ascending. */
  readonly vanished: readonly IsoDate[];
  /** False where the change is so large that repairs wait until a person accepts it or the dates return. */
  readonly believed: boolean;
}

/** By schedule, in file order; what is believed of one and what is not stand apart. */
export function scheduleChangesOf({ breakers }: Assessment): ScheduleChangeDocument[] {
  return [...breakers.scheduleChanges].flatMap(([schedule, { believed, doubted }]) =>
    [
      { schedule, vanished: believed.map(fromDay), believed: true },
      { schedule, vanished: doubted.map(fromDay), believed: false },
    ].filter(({ vanished }) => vanished.length > 0),
  );
}

/** Every breaker that holds something back: mass gaps first, then schedules, then circuits. */
export function breakersOf({ grid, breakers, facts }: Assessment): BreakerDocument[] {
  const found: BreakerDocument[] = [];
  const all = grid.pipeline.processors;
  if (breakers.overallMassGap !== null) {
    const processors = all.map(({ name }) => name);
    found.push({
      kind: "mass_gap",
      subject: grid.pipeline.name,
      message: breakers.overallMassGap,
      processors,
    });
  }
  breakers.massGaps.forEach((message, index) => {
    const subject = all[index]?.name ?? "";
    if (message !== null) found.push({ kind: "mass_gap", subject, message, processors: [subject] });
  });
  for (const [subject, message] of breakers.scheduleFaults) {
    const processors = all.filter(({ schedule }) => schedule === subject).map(({ name }) => name);
    found.push({ kind: "schedule", subject, message, processors });
  }
  facts.circuits.forEach((circuit, index) => {
    const unit = grid.pipeline.repairUnits[index];
    const subject = unit?.name ?? "";
    if (circuit.state === "closed") return;
    const next = `one date probes it from ${formatInstant(circuit.probeAt)} on`;
    found.push({
      kind: "circuit",
      subject,
      message: `${circuit.state.replace("_", "-")}: ${circuit.cause}; ${next}`,
      processors: (unit?.processors ?? []).map((processor) => all[processor]?.name ?? ""),
    });
  });
  return found;
}
