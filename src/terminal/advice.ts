import type { GapDocument } from "../core/gap-document.ts";
import type { ResultDocument } from "../core/result-document.ts";

/** What to do next: a command, and what it is good for. */
export interface Advice {
  readonly command: string;
  readonly purpose: string;
}

type Rule = (gap: GapDocument) => boolean;

const held =
  (...reasons: readonly string[]): Rule =>
  ({ disposition, reason }) =>
    disposition === "held" && reasons.includes(reason);

/** Its repair works, and the date has no rows all the same: late data, or nothing to write. */
const isLateOrEmpty: Rule = ({ disposition, quarantine }) =>
  disposition === "quarantined" &&
  quarantine?.cause === "attempts_used_up" &&
  quarantine.wrote_no_rows > 0 &&
  quarantine.wrote_too_little + quarantine.failed === 0;

const isBroken: Rule = (gap) => gap.disposition === "quarantined" && !isLateOrEmpty(gap);

/** The first gap that a rule fits stands for all of its kind. */
const rules: readonly { readonly fits: Rule; readonly advise: (gap: GapDocument) => Advice }[] = [
  {
    fits: isBroken,
    advise: ({ processor, date, quarantine }) => ({
      command: `reconcile explain ${processor} ${date}`,
      purpose: `why its repair does not work${codeText(quarantine?.last_error?.code)}, with the log of each attempt`,
    }),
  },
  {
    fits: isLateOrEmpty,
    advise: ({ processor, date, quarantine }) => ({
      command: `reconcile explain ${processor} ${date}`,
      purpose: `its repair works and wrote no rows: the data may be late${probeText(quarantine?.next_probe_at)}, or there is nothing to write`,
    }),
  },
  {
    fits: isBroken,
    advise: ({ processor }) => ({
      command: `reconcile retry --processor ${processor}`,
      purpose: "once that is mended: new attempts",
    }),
  },
  {
    fits: ({ disposition }) => disposition === "unrepairable",
    advise: ({ processor, date }) => ({
      command: `reconcile waive --processor ${processor} --start-date ${date} --end-date ${date} --reason …`,
      purpose: "if it cannot be filled; otherwise configure a repair",
    }),
  },
  {
    fits: held("mass_gap"),
    advise: ({ processor }) => ({
      command: `reconcile accept --processor ${processor} --reason …`,
      purpose: "only if the data really is gone: repairs then go on",
    }),
  },
  {
    fits: held("circuit"),
    advise: ({ processor }) => ({
      command: `reconcile release --processor ${processor} --reason …`,
      purpose: "once its repair works again; otherwise one date probes it later",
    }),
  },
  {
    fits: held("paused"),
    advise: ({ processor }) => ({
      command: `reconcile resume --processor ${processor}`,
      purpose: "lets its repairs go on",
    }),
  },
  {
    fits: held("age"),
    advise: ({ date }) => ({ command: `reconcile --once --start-date ${date}`, purpose: "repairs any age" }),
  },
  {
    fits: held("waiver_expired"),
    advise: ({ processor, date }) => ({
      command: `reconcile explain ${processor} ${date}`,
      purpose: "which waiver expired; renew it with waive, or take it back with unwaive",
    }),
  },
  {
    fits: ({ disposition }) => disposition === "ready" || disposition === "backing_off",
    advise: () => ({ command: "reconcile --once", purpose: "repairs what is ready and waits out backoff" }),
  },
  {
    fits: ({ disposition }) => disposition === "blocked",
    advise: ({ processor, date }) => ({
      command: `reconcile explain ${processor} ${date}`,
      purpose: "what one of the cells waits for",
    }),
  },
];

function codeText(code: string | undefined): string {
  return code === undefined ? "" : ` (${code})`;
}

function probeText(at: string | null | undefined): string {
  return at === null || at === undefined ? "" : ` (probed again at ${at})`;
}

const adviceMax = 4;

/** No gap has to be held for it: a schedule that lost dates can make everything look complete. */
function acceptSchedule({ breakers }: Pick<ResultDocument, "breakers">, schedule: string): Advice {
  const fault = breakers.find(({ kind, subject }) => kind === "schedule" && subject === schedule);
  return {
    command: `reconcile accept --processor ${fault?.processors[0] ?? ""} --reason …`,
    purpose: `only if these dates really left the schedule ${schedule}: nothing is expected on them any more`,
  };
}

/**
 * At most four things to do, those that a person has to decide first.
 * @param pipelineFlags what each command is to be given beside, as in `RenderOptions`
 */
export function adviceOf(
  document: Pick<ResultDocument, "gaps" | "unknown" | "breakers" | "schedule_changes" | "stale_cells">,
  pipelineFlags = "",
): readonly Advice[] {
  const found: Advice[] = [];
  if (document.unknown.length > 0) {
    found.push({
      command: "reconcile validate --connect",
      purpose: "checks every table and column of the config",
    });
  }
  for (const { schedule, believed } of document.schedule_changes) {
    if (!believed) found.push(acceptSchedule(document, schedule));
  }
  if (document.stale_cells > 0) {
    found.push({
      command: "reconcile rebuild --stale --reason …",
      purpose: "computes again what was computed before its input changed",
    });
  }
  const blockedOnly = document.gaps.every(({ disposition }) => disposition === "blocked");
  for (const { fits, advise } of rules) {
    const gap = document.gaps.find(fits);
    if (gap === undefined || (gap.disposition === "blocked" && !blockedOnly)) continue;
    found.push(advise(gap));
  }
  return found
    .slice(0, adviceMax)
    .map(({ command, purpose }) => ({ command: command + pipelineFlags, purpose }));
}
