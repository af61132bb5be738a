// Goal: what must hold of every plan, whatever the pipeline and its history. Method: small random pipelines with random
// tables are reconciled to their end by a simulated executor and a clock that jumps; each plan on the way is looked at by
// rules that are written independently of the code that plans. The seeds are fixed, so a failure repeats.
import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { assess, isConverged } from "../../src/core/assess.ts";
import type { Assessment } from "../../src/core/assessment.ts";
import { isGapCell } from "../../src/core/batches.ts";
import { cascade } from "../../src/core/cascade.ts";
import { parseDateRuns } from "../../src/core/date-runs.ts";
import { Changing, dispositionName, reasonName, State, stateName } from "../../src/core/grid.ts";
import { type Day, fromDay } from "../../src/core/iso-date.ts";
import type { Edge } from "../../src/core/pipeline.ts";
import { plan } from "../../src/core/plan.ts";
import { probeOf } from "../../src/core/probe.ts";
import { directBlockers, rootCauses } from "../../src/core/root-causes.ts";
import { seasonAt } from "../../src/core/schedule.ts";
import { arbitraryWorld } from "../support/arbitrary-world.ts";
import {
  type Ending,
  gapsOf,
  inputAtFirst,
  type Moment,
  requiredRows,
  simulate,
  type World,
} from "../support/simulation.ts";

// Hundreds of worlds each: seconds of work, and more where others work too.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const roundsMax = 3000;
const runs = { seed: 20_240_101, numRuns: 300 };

/** What must hold of a world, as it is before anything of it was run, while it is simulated. */
type Rule = (world: World) => {
  readonly atPlan?: (moment: Moment) => void;
  readonly atEnd?: (ending: Ending) => void;
};
type Rules = Readonly<Record<string, Rule>>;

const rules: Rules = {
  "no cell is planned before what it needs on the same date is there": (world) => ({
    atPlan: (moment) => {
      for (const { processor, day } of plannedCells(moment)) {
        for (const edge of world.pipeline.processors[processor]?.edges ?? []) {
          if (edge.mode !== "hard" || edge.window.kind !== "same_date") continue;
          expect(
            isThere(moment.assessment, world, processor, edge, day),
            `p${processor}/${fromDay(day)}`,
          ).toBe(true);
        }
      }
    },
  }),
  "every planned date has a gap, and no gap that is exempt, pending or unknown is one": (world) => ({
    atPlan: (moment) => {
      const { grid } = moment.assessment;
      for (const job of moment.jobs) {
        const unit = world.pipeline.repairUnits[job.repairUnit];
        for (const day of job.days) {
          const position = day - grid.axis.first;
          const open = (unit?.processors ?? []).filter(
            (index) => isGapCell({ grid }, index, position) || isCarried(grid, index, position),
          );
          expect(open.length).toBeGreaterThan(0);
          for (const index of open) {
            const rows = world.rows[index]?.[day - world.first];
            const isWhole =
              isCarried(grid, index, position) ||
              grid.states[index * grid.axis.length + position] === State.outdated;
            if (isWhole) expect(rows).toBe(requiredRows);
            else if (isScheduled(grid, index, position)) expect(rows).toBeLessThan(requiredRows);
            else expect(rows).toBeGreaterThan(0);
          }
        }
      }
    },
  }),
  "jobs of one repair never overlap, neither each other nor a run in flight": () => ({
    atPlan: ({ input, jobs }) => {
      const ranges = [
        ...input.inFlight.map(({ repairUnit, days }) => ({ repairUnit, days })),
        ...jobs.map(({ repairUnit, days }) => ({ repairUnit, days })),
      ];
      for (const [index, left] of ranges.entries()) {
        for (const right of ranges.slice(index + 1)) {
          if (left.repairUnit !== right.repairUnit) continue;
          const [from, to] = [left.days[0] ?? 0, left.days.at(-1) ?? 0];
          const apart = (right.days.at(-1) ?? 0) < from || (right.days[0] ?? 0) > to;
          expect(apart, `${fromDay(from)}..${fromDay(to)}`).toBe(true);
        }
      }
    },
  }),
  "jobs keep to their size, their season, their slots and pools": ({ pipeline }) => ({
    atPlan: ({ assessment, input, jobs }) => {
      const { grid } = assessment;
      const used = new Map<string, number>();
      const take = (what: string) => used.set(what, (used.get(what) ?? 0) + 1);
      for (const { repairUnit } of [...input.inFlight, ...jobs]) {
        take(`r${repairUnit}`);
        if (pipeline.repairUnits[repairUnit]?.pool === "heavy") take("heavy");
      }
      expect(input.inFlight.length + jobs.length).toBeLessThanOrEqual(5);
      expect(used.get("heavy") ?? 0).toBeLessThanOrEqual(2);
      for (const job of jobs) {
        const unit = pipeline.repairUnits[job.repairUnit];
        if (unit === undefined) throw new RangeError("a job without a repair");
        expect(used.get(`r${job.repairUnit}`) ?? 0).toBeLessThanOrEqual(unit.concurrency);
        expect(job.days.length).toBeLessThanOrEqual(unit.batch === "single" ? 1 : unit.maxDatesPerJob);
        for (const index of unit.processors) {
          const schedule = grid.schedules.get(pipeline.processors[index]?.schedule ?? "");
          if (schedule === undefined) throw new RangeError("a processor without a schedule");
          const seasons = new Set(job.days.map((day) => seasonAt(schedule, day - grid.axis.first)));
          expect(seasons.size).toBe(1);
        }
      }
    },
  }),
  "a chronological repair never leaves an open date of the season behind it": ({ pipeline }) => ({
    atPlan: ({ assessment, jobs }) => {
      const { grid } = assessment;
      for (const job of jobs) {
        for (const index of pipeline.repairUnits[job.repairUnit]?.processors ?? []) {
          const processor = pipeline.processors[index];
          if (processor?.chronological !== true) continue;
          const schedule = grid.schedules.get(processor.schedule);
          if (schedule === undefined) throw new RangeError("a processor without a schedule");
          const last = (job.days.at(-1) ?? 0) - grid.axis.first;
          const own = new Set(job.days.map((day) => day - grid.axis.first));
          for (let position = 0; position < last; position++) {
            if (seasonAt(schedule, position) !== seasonAt(schedule, last) || own.has(position)) continue;
            if (!isGapCell({ grid }, index, position) || !isGapCell({ grid }, index, last)) continue;
            expect(
              ["quarantined", "unrepairable"],
              `${job.id} leaves ${processor.name}/${position}`,
            ).toContain(view(assessment, index, position).disposition);
            expect(processor.onPoison).toBe("continue");
          }
        }
      }
    },
  }),
  "every gap says where it stands and why, and every blocked one by what": () => ({
    atPlan: ({ assessment }) => {
      for (const { processor, position } of gapCells(assessment)) {
        const { disposition, reason } = view(assessment, processor, position);
        expect(disposition).not.toBe("none");
        if (disposition !== "running" && disposition !== "queued") expect(reason, disposition).not.toBe("");
        if (disposition !== "blocked") continue;
        const at = { processor: processorAt(assessment, processor), position };
        expect(directBlockers(assessment, at).length, `${processor}/${position} ${reason}`).toBeGreaterThan(
          0,
        );
        expect(rootCauses(assessment, at).length).toBeGreaterThan(0);
      }
    },
  }),
  "no cell is tried and probed more often than it may be, unless its inputs changed": ({ pipeline }) => {
    const probes = new Map<string, number>();
    return {
      atPlan(moment) {
        for (const { processor, day, reason } of plannedCells(moment)) {
          const key = `${pipeline.processors[processor]?.name}/${fromDay(day)}`;
          if (reason !== "probe") continue;
          const { assessment } = moment;
          const at = processorAt(assessment, processor);
          const facts = assessment.facts.cellFacts(processor, day);
          if (probeOf(assessment, at, day - assessment.grid.axis.first, facts) === "inputs")
            probes.set(key, (probes.get(key) ?? 0) + 1);
        }
      },
      atEnd({ attempts }) {
        const [tries, changes] = [new Map<string, number>(), new Map<string, number>()];
        const count = (counts: Map<string, number>, key: string) =>
          counts.set(key, (counts.get(key) ?? 0) + 1);
        for (const { processor, date, stateBefore, outdates } of attempts) {
          // What is carried forward goes with the change of the date before it.
          if (stateBefore !== "complete") count(tries, `${processor}/${date}`);
          for (const [dependent, dates] of Object.entries(outdates))
            for (const day of parseDateRuns(dates)) count(changes, `${dependent}/${fromDay(day)}`);
        }
        for (const { name, repairUnit } of pipeline.processors) {
          const unit = pipeline.repairUnits[repairUnit ?? -1];
          const most = (unit?.maxAttempts ?? 0) + (unit?.probe?.max ?? 0);
          for (const [key, count] of tries) {
            if (!key.startsWith(`${name}/`)) continue;
            const allowed = most * (1 + (changes.get(key) ?? 0));
            expect(count - (probes.get(key) ?? 0), key).toBeLessThanOrEqual(allowed);
          }
        }
      },
    };
  },
  "a probe is a job of one date, of a gap without enough rows": ({ pipeline }) => ({
    atPlan(moment) {
      const { grid } = moment.assessment;
      for (const { repairUnit, days } of moment.jobs) {
        const cells = (pipeline.repairUnits[repairUnit]?.processors ?? []).flatMap((index) =>
          days.map((day) => view(moment.assessment, index, day - grid.axis.first)),
        );
        if (cells.some(({ reason }) => reason === "probe")) expect(days.length).toBe(1);
      }
    },
  }),
  "it ends, and what is left open nobody can work on": () => ({
    atEnd({ assessment }) {
      for (const { processor, position } of gapCells(assessment)) {
        const { disposition } = view(assessment, processor, position);
        expect(["quarantined", "unrepairable", "blocked"], gapsOf(assessment).join("\n")).toContain(
          disposition,
        );
        if (disposition !== "blocked") continue;
        const roots = rootCauses(assessment, { processor: processorAt(assessment, processor), position });
        for (const root of roots) {
          const at = view(assessment, root.processor.index, root.position);
          const isStuck =
            ["quarantined", "unrepairable"].includes(at.disposition) ||
            ["unknown", "exempt"].includes(at.state);
          expect(isStuck, `${root.processor.name} ${at.state} ${at.disposition} ${at.reason}`).toBe(true);
        }
      }
    },
  }),
};

const rulesWhereAllWorks: Rules = {
  ...rules,
  "all is complete at the end": () => ({
    atEnd({ assessment }) {
      expect(gapsOf(assessment)).toEqual([]);
      expect(isConverged(assessment)).toBe(true);
    },
  }),
  "the dry run names exactly the cells that the run repairs, each step after what it needs": (world) => {
    const steps = cascade(inputAtFirst(world));
    return {
      atEnd({ attempts }) {
        const forecast = steps.flatMap(({ repairUnit, days }) =>
          days.map((day) => `${repairUnit}/${fromDay(day)}`),
        );
        // A cell that need not wait for all of its input is computed again when the rest comes.
        const waitsForAll = world.pipeline.processors.every(({ edges }) =>
          edges.every(
            ({ mode, minShare, minCompleteness }) =>
              mode === "hard" && minShare === 1 && minCompleteness === null,
          ),
        );
        if (waitsForAll) {
          expect(new Set(forecast).size).toBe(forecast.length);
          const waves = new Map(steps.map(({ id, wave }) => [id, wave]));
          for (const { wave, needs } of steps) {
            for (const id of needs) expect(waves.get(id)).toBeLessThan(wave);
          }
        }
        const unitOf = new Map(world.pipeline.processors.map(({ name, repairUnit }) => [name, repairUnit]));
        const done = attempts.map(({ processor, date }) => `${unitOf.get(processor)}/${date}`);
        expect([...new Set(done)].toSorted()).toEqual([...new Set(forecast)].toSorted());
      },
    };
  },
};

/** Simulates a world once for all rules; the names of those that do not hold. */
function brokenRules(world: World, checked: Rules): readonly string[] {
  const broken = new Set<string>();
  const hold = (name: string, check: () => void) => {
    if (broken.has(name)) return;
    try {
      check();
    } catch {
      broken.add(name);
    }
  };
  const watching = Object.entries(checked).map(([name, rule]) => [name, rule(world)] as const);
  const ending = simulate(world, roundsMax, (moment) => {
    for (const [name, { atPlan }] of watching) hold(name, () => atPlan?.(moment));
  });
  for (const [name, { atEnd }] of watching) hold(name, () => atEnd?.(ending));
  return [...broken];
}

/** @throws what the rule says where it does not hold of the world */
function check(rule: Rule, world: World): void {
  const { atPlan, atEnd } = rule(world);
  const ending = simulate(world, roundsMax, (moment) => atPlan?.(moment));
  atEnd?.(ending);
}

describe.each([
  ["where every repair works", false, rulesWhereAllWorks],
  ["where much goes wrong", true, rules],
] as const)("in every pipeline, %s,", (_, trouble, checked) => {
  const worlds = arbitraryWorld({ trouble });
  const broken = new Set<string>();
  beforeAll(() => {
    for (const world of fc.sample(worlds, runs))
      for (const name of brokenRules(world, checked)) broken.add(name);
  });

  test.each(Object.keys(checked))("%s", (name) => {
    const rule = checked[name];
    // Of a rule that does not hold the smallest world is looked for.
    if (broken.has(name) && rule !== undefined)
      fc.assert(
        fc.property(worlds, (world) => check(rule, world)),
        runs,
      );
    expect(broken).not.toContain(name);
  });

  test("the same input gives the same plan, byte by byte", () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const once = () => {
          const assessment = assess(inputAtFirst(world));
          const jobs = plan(assessment, { jobsMax: 5, cellsMax: 40, recentSlots: 1, slots: true });
          const { states, dispositions, reasons, degraded } = assessment.grid;
          return JSON.stringify([jobs, [...states], [...dispositions], [...reasons], [...degraded]]);
        };
        expect(once()).toBe(once());
      }),
      runs,
    );
  });

  test("a dry run begins with what a real run would plan without caps", () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const input = inputAtFirst(world);
        const jobs = plan(assess(input), {
          jobsMax: Infinity,
          cellsMax: Infinity,
          recentSlots: 0,
          slots: false,
        });
        const first = cascade(input).filter(({ wave }) => wave === 1);
        expect(first.map(({ wave, needs, forecastSeconds, ...job }) => job)).toEqual(jobs);
      }),
      runs,
    );
  });
});

interface PlannedCell {
  readonly processor: number;
  readonly day: Day;
  readonly reason: string;
}

/** The gaps that the jobs of a plan are for. */
function plannedCells({ assessment, jobs }: Moment): readonly PlannedCell[] {
  const { grid } = assessment;
  return jobs.flatMap(({ repairUnit, days }) =>
    (grid.pipeline.repairUnits[repairUnit]?.processors ?? []).flatMap((processor) =>
      days
        .filter((day) => isGapCell({ grid }, processor, day - grid.axis.first))
        .map((day) => ({
          processor,
          day,
          reason: view(assessment, processor, day - grid.axis.first).reason,
        })),
    ),
  );
}

function gapCells({
  grid,
}: Assessment): readonly { readonly processor: number; readonly position: number }[] {
  return grid.pipeline.processors.flatMap(({ index }) =>
    Array.from({ length: grid.axis.length }, (_, position) => ({ processor: index, position })).filter(
      ({ position }) => isGapCell({ grid }, index, position),
    ),
  );
}

function view({ grid }: Assessment, processor: number, position: number) {
  const cell = processor * grid.axis.length + position;
  return {
    state: stateName(grid.states[cell] ?? 0),
    disposition: dispositionName(grid.dispositions[cell] ?? 0),
    reason: reasonName(grid.reasons[cell] ?? 0),
  };
}

function processorAt({ grid }: Assessment, index: number) {
  const processor = grid.pipeline.processors[index];
  if (processor === undefined) throw new RangeError(`there is no processor ${index}`);
  return processor;
}

/** By the rows of the world itself: one of the upstreams is whole enough, not scheduled, waived to proceed, or filled by the same run. */
/** Whether the job of the date before computes the cell again too. */
function isCarried(grid: Assessment["grid"], processor: number, position: number): boolean {
  return grid.changing[processor * grid.axis.length + position] === Changing.carried;
}

function isScheduled(grid: Assessment["grid"], processor: number, position: number): boolean {
  const { schedule = "" } = grid.pipeline.processors[processor] ?? {};
  return grid.schedules.get(schedule)?.scheduled[position] === 1;
}

function isThere({ grid }: Assessment, world: World, processor: number, edge: Edge, day: Day): boolean {
  const position = day - grid.axis.first;
  const own = world.pipeline.processors[processor];
  // What is to be emptied needs nothing, but that no upstream gives it the same rows again.
  const isOff = !isScheduled(grid, processor, position);
  return edge.anyOf[isOff ? "every" : "some"]((name) => {
    const upstream = world.pipeline.processors.find((entry) => entry.name === name);
    if (upstream === undefined) return false;
    if (!isScheduled(grid, upstream.index, position)) {
      const isTogether = upstream.repairUnit !== null && upstream.repairUnit === own?.repairUnit;
      return isTogether || !isGapCell({ grid }, upstream.index, position);
    }
    if (isOff) return true;
    const state = grid.states[upstream.index * grid.axis.length + position];
    if (state === State.unknown) return false;
    if (
      upstream.repairUnit !== null &&
      upstream.repairUnit === world.pipeline.processors[processor]?.repairUnit
    )
      return true;
    const rows = world.rows[upstream.index]?.[day - world.first] ?? 0;
    if (rows >= requiredRows * (edge.minCompleteness ?? 1)) return true;
    const proceeds = world.pipeline.waivers.some(
      ({ downstream, processors, start, end }) =>
        downstream === "proceed" && processors.includes(name) && fromDay(day) >= start && fromDay(day) <= end,
    );
    return state === State.exempt && (rows > 0 || proceeds);
  });
}
