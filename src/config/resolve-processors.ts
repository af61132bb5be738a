import type { DueTime, Processor, RepairUnit } from "../core/pipeline.ts";
import { checkName, type Loaded } from "./loaded.ts";
import { dateColumnOf } from "./resolve-date-column.ts";
import { resolveEdges } from "./resolve-edges.ts";
import { resolveExpectation, scheduleName } from "./resolve-expectation.ts";
import type { ProcessorInput } from "./schema/processor.ts";

/** The processors in file order. */
export function resolveProcessors(loaded: Loaded, units: readonly RepairUnit[]): readonly Processor[] {
  return Object.entries(loaded.document.processors).map(([name, input], index) => {
    checkProcessor(loaded, name, input);
    const unit = units.findIndex(({ processors }) => processors.includes(index));
    return {
      name,
      index,
      phase: input.phase ?? null,
      table: input.table,
      ...dateColumnOf(input),
      where: input.where ?? null,
      writtenAtColumn: input.written_at_column ?? null,
      severity: input.severity,
      owner: input.owner ?? null,
      tags: input.tags,
      schedule: resolveScheduleName(loaded, name, input),
      due: resolveDue(input),
      bootstrapDays: input.bootstrap_days,
      available: { from: input.available.from ?? null, to: input.available.to ?? null },
      sourceRetentionMs: input.source_retention ?? null,
      chronological: input.chronological || input.depends_on_past,
      dependsOnPast: input.depends_on_past,
      onPoison: input.on_poison,
      priority: input.priority,
      stale: input.stale,
      offSchedule: input.off_schedule,
      edges: resolveEdges(loaded, ["processors", name, "depends_on"], input.depends_on),
      expect: resolveExpectation(loaded, name, input),
      repairUnit: unit === -1 ? null : unit,
    };
  });
}

function resolveDue({ due }: ProcessorInput): DueTime {
  const { at: minuteOfDay, days_after: daysAfter, dates_after: datesAfter } = due;
  return datesAfter === undefined ? { daysAfter, minuteOfDay } : { datesAfter, minuteOfDay };
}

function checkProcessor(loaded: Loaded, name: string, input: ProcessorInput): void {
  const { issues, tree } = loaded;
  if (name === "schedule") {
    const hint = "`coverage.of: schedule` means the schedule";
    issues.addAtKey(tree, ["processors", name], {
      expected: "another name than schedule",
      found: name,
      hint,
    });
  }
  const { from, to } = input.available;
  if (from !== undefined && to !== undefined && to < from) {
    const path = ["processors", name, "available", "to"];
    issues.addAt(tree, path, { expected: `a date that is not before from, which is ${from}` });
  }
}

function resolveScheduleName(loaded: Loaded, name: string, input: ProcessorInput): string {
  const path = ["processors", name, "schedule"];
  const schedule = scheduleName(loaded, input);
  if (schedule !== null) {
    checkName(loaded, path, schedule, "schedule");
    return schedule;
  }
  // Where there is no schedule at all, that is the one thing to say.
  if (loaded.names.schedules.length > 0) {
    loaded.issues.addAt(loaded.tree, path, {
      expected: `one of the schedules ${loaded.names.schedules.join(", ")}`,
      hint: 'add "schedule" here or under defaults, or call one of them default',
    });
  }
  return "default";
}
