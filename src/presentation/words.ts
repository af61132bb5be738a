import type { DispositionName, ReasonName } from "../core/grid.ts";

/** What the reason adds to the disposition, in words; what is not listed says nothing more than the disposition does. */
const reasonWords: Readonly<Partial<Record<ReasonName, string>>> = {
  bootstrap: "in the first days of the season",
  availability: "outside of its availability",
  waived: "waived",
  upstream_exempt: "an upstream is exempt",
  elsewhere: "elsewhere, as the run history says",
  no_repair: "no repair is configured",
  repair_does_not_replace: "its repair does not replace what is there",
  source_expired: "its source no longer has the data",
  permanent_error: "its repair says that trying again is of no use",
  made_worse: "its repair made it worse",
  reopened: "it broke again 3 times in 7 days",
  chronological: "it waits for an earlier date of its season",
  shared_repair: "another table of its repair is not ready",
  age: "older than safety.auto_repair_max_age",
  budget: "a budget of the last 24 hours is used up",
  circuit: "the circuit of its repair is open",
  mass_gap: "too many cells became gaps at once",
  schedule: "its schedule is not believed",
  paused: "paused by a person",
  waiver_expired: "its waiver has expired",
  repair_window: "outside of its repair windows",
  precondition: "a precondition of its repair is not met",
  not_selected: "not selected",
  probe: "quarantined, one probe",
  jobs_max: "waits for a free job",
  concurrency: "waits for another run of the same repair",
  pool: "waits for a slot of its pool",
  cells_per_cycle_max: "in the next cycle",
  in_flight_overlap: "waits for a run that surrounds it",
};

export function reasonText(reason: string): string {
  return Object.entries(reasonWords).find(([name]) => name === reason)?.[1] ?? "";
}

/** `quarantined: all 3 attempts used up`, `held: paused by a person`, `ready`. */
export function dispositionText(disposition: DispositionName, reason: string, attempts: number): string {
  const name = disposition.replace("_", " ");
  if (disposition === "quarantined" && reason === "attempts_used_up") {
    return `${name}: ${attempts === 1 ? "its attempt is" : `all ${attempts} attempts are`} used up`;
  }
  const why = reasonText(reason);
  return why === "" ? name : `${name}: ${why}`;
}
