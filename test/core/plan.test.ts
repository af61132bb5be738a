import { describe, expect, test } from "vitest";
import type { Assessment } from "../../src/core/assessment.ts";
import { fromDay } from "../../src/core/iso-date.ts";
import { plan, type PlanLimits } from "../../src/core/plan.ts";
import { attempt, runEnd } from "../support/ledger.ts";
import { dayMs, everyDay, tableSchedule } from "../support/pipeline.ts";
import { assessed, cellAt, dispositionsOf, type Scene } from "../support/sight.ts";

const noLimits: PlanLimits = { jobsMax: Infinity, cellsMax: Infinity, recentSlots: 0, slots: false };
const limits = (more: Partial<PlanLimits>): PlanLimits => ({ ...noLimits, slots: true, ...more });

function planned(scene: Scene, how: PlanLimits = noLimits) {
  const assessment = assessed(scene);
  const jobs = plan(assessment, how);
  return { assessment, jobs, ids: jobs.map(({ id }) => id) };
}

/** The reasons of the ready gaps of a processor, in the order of the dates. */
function reasonsOf(assessment: Assessment, processor: string): readonly string[] {
  return Array.from({ length: assessment.grid.axis.length }, (_, position) =>
    cellAt(assessment, processor, fromDay(assessment.grid.axis.first + position)),
  )
    .filter(({ disposition }) => disposition !== "none")
    .map(({ disposition, reason }) => `${disposition}:${reason}`);
}

/** Long ago, so that no date is recent. */
const old = "2024-06-01T12:00Z";

describe("a job", () => {
  test("says what it repairs, for which dates, and the how-manieth attempt it is", () => {
    const { jobs } = planned({
      processors: { a: { expect: { rows: { min: 5 } } } },
      seen: { a: "#3..#" },
      ledger: {
        attempts: ["2024-01-02", "2024-01-03", "2024-01-04"].map((date) =>
          attempt("a", date, "2024-01-05T00:00Z", { batchDates: 31 }),
        ),
      },
    });
    expect(jobs.map(({ days, ...job }) => ({ ...job, days: days.map(fromDay) }))).toEqual([
      {
        id: "a/2024-01-02..2024-01-04/2",
        repairUnit: 0,
        days: ["2024-01-02", "2024-01-03", "2024-01-04"],
        startDate: "2024-01-02",
        endDate: "2024-01-04",
        attempt: 2,
        reason: "1 partial, 2 missing",
      },
    ]);
  });

  test("repairs a gap and nothing that is complete, exempt, pending or unknown", () => {
    const { ids } = planned({
      processors: { a: { bootstrapDays: 2 }, blind: {} },
      seen: { a: ".....", blind: null },
      now: "2024-01-05T05:00Z",
    });
    expect(ids).toEqual(["a/2024-01-03..2024-01-03/1"]);
  });

  test("that probes a quarantined date says so", () => {
    const attempts = [1, 2, 3].map((hour) =>
      attempt("a", "2024-01-02", `2024-01-08T0${hour}:00Z`, { inputs: { up: "1//" } }),
    );
    const { jobs, ids } = planned({
      processors: { up: {}, a: { needs: ["up"] } },
      seen: { up: "###", a: "..." },
      schedules: [tableSchedule()],
      dates: { default: "aaa" },
      ledger: { attempts },
      now: "2024-01-09T12:00Z",
    });
    expect(ids).toEqual([
      "a/2024-01-03..2024-01-03/1",
      "a/2024-01-02..2024-01-02/4",
      "a/2024-01-01..2024-01-01/1",
    ]);
    expect(jobs[1]?.reason).toBe("1 missing; inputs changed, one probe");
  });
});

describe("the order", () => {
  test("puts dates whose source expires soon first, the oldest of them before all", () => {
    const { ids } = planned({
      processors: {
        a: { repair: { maxDatesPerJob: 1 } },
        expiring: { sourceRetentionMs: 12 * dayMs, repair: { maxDatesPerJob: 1 } },
      },
      seen: { a: ".", expiring: "..#####." },
      now: "2024-01-09T12:00Z",
    });
    // 2024-01-08 lives until the 20th, which is not soon.
    expect(ids.slice(0, 3)).toEqual([
      "expiring/2024-01-01..2024-01-01/1",
      "expiring/2024-01-02..2024-01-02/1",
      "a/2024-01-08..2024-01-08/1",
    ]);
  });

  test("puts recent dates before the backlog, whatever its priority", () => {
    const { ids } = planned({
      processors: { backlog: { priority: 9 }, today: {} },
      seen: { backlog: `..${"#".repeat(28)}`, today: `${"#".repeat(29)}.` },
    });
    expect(ids).toEqual(["today/2024-01-30..2024-01-30/1", "backlog/2024-01-01..2024-01-02/1"]);
  });

  test("puts what somebody waits for before the backlog, and behind recent dates", () => {
    const scene: Scene = {
      processors: { backlog: { priority: 9 }, awaited: {}, today: {} },
      seen: { backlog: `..${"#".repeat(28)}`, awaited: `.#.${"#".repeat(27)}`, today: `${"#".repeat(29)}.` },
    };
    const wanted = [{ processors: new Set([1]), from: 2, to: 9 }];
    expect(planned({ ...scene, policy: { wanted } }).ids).toEqual([
      "today/2024-01-30..2024-01-30/1",
      "awaited/2024-01-03..2024-01-03/1",
      "backlog/2024-01-01..2024-01-02/1",
      "awaited/2024-01-01..2024-01-01/1",
    ]);
  });

  test("within a class goes by priority, then by the work that waits downstream, then newest first", () => {
    const scene = (priority: number): Scene => ({
      processors: {
        leaf: { priority },
        root: { repair: { maxDatesPerJob: 1 } },
        down: { needs: ["root"] },
      },
      seen: { leaf: ".", root: "..", down: ".." },
      now: old,
      last: "2024-06-01",
      schedules: [{ ...tableSchedule(), startDate: null }],
      dates: { default: "aa" },
    });
    expect(planned(scene(0)).ids).toEqual([
      "root/2024-01-02..2024-01-02/1",
      "root/2024-01-01..2024-01-01/1",
      "leaf/2024-01-01..2024-01-02/1",
    ]);
    expect(planned(scene(1)).ids[0]).toBe("leaf/2024-01-01..2024-01-02/1");
  });

  test("is the same however often it is asked", () => {
    const scene: Scene = {
      processors: { a: {}, b: {}, c: { needs: ["a"] } },
      seen: { a: "#..#..", b: ".....#", c: "......" },
    };
    expect(JSON.stringify(planned(scene).jobs)).toBe(JSON.stringify(planned(scene).jobs));
  });
});

describe("a cap puts off the rest and says which it was", () => {
  const one = { repair: { maxDatesPerJob: 1, concurrency: 9 } };

  test("jobs outstanding, those in flight included", () => {
    const { ids, assessment } = planned(
      { processors: { a: one }, seen: { a: "...." }, inFlight: [{ repair: "a", dates: ["2024-01-04"] }] },
      limits({ jobsMax: 3 }),
    );
    expect(ids).toEqual(["a/2024-01-03..2024-01-03/1", "a/2024-01-02..2024-01-02/1"]);
    expect(reasonsOf(assessment, "a")).toEqual(["ready:jobs_max", "ready:next", "ready:next", "running:"]);
  });

  test("slots that only recent dates may take", () => {
    const scene: Scene = {
      processors: { a: { repair: { maxDatesPerJob: 1, concurrency: 9 } } },
      seen: { a: `..${"#".repeat(28)}` },
    };
    expect(planned(scene, limits({ jobsMax: 2, recentSlots: 1 })).ids).toHaveLength(1);
    const recent = { ...scene, seen: { a: `${"#".repeat(28)}..` } };
    expect(planned(recent, limits({ jobsMax: 2, recentSlots: 1 })).ids).toHaveLength(2);
  });

  test("concurrency of the repair", () => {
    const { ids, assessment } = planned(
      { processors: { a: { repair: { maxDatesPerJob: 1, concurrency: 2 } } }, seen: { a: "..." } },
      limits({}),
    );
    expect(ids).toHaveLength(2);
    expect(reasonsOf(assessment, "a")).toEqual(["ready:concurrency", "ready:next", "ready:next"]);
  });

  test("slots of a pool that several share", () => {
    const heavy = { repair: { maxDatesPerJob: 1, concurrency: 9, pool: "heavy" } };
    const scene: Scene = {
      processors: { a: heavy, b: heavy },
      pools: [{ name: "heavy", slots: 1 }],
      seen: { a: ".", b: "." },
    };
    const { ids, assessment } = planned(scene, limits({}));
    expect(ids).toHaveLength(1);
    expect([...reasonsOf(assessment, "a"), ...reasonsOf(assessment, "b")].toSorted()).toEqual([
      "ready:next",
      "ready:pool",
    ]);
    const running = { ...scene, inFlight: [{ repair: "a", dates: ["2024-01-01"] }] };
    expect(planned(running, limits({})).ids).toEqual([]);
  });

  test("a warehouse that is one file: a command has it to itself", () => {
    const command = {
      kind: "command",
      argv: ["load"],
      cwd: "/",
      env: {},
      exitCodes: { retryable: [], permanent: [] },
    } as const;
    const scene: Scene = {
      processors: { load: { priority: 1, repair: { ...one.repair, action: command } }, sum: one },
      seen: { load: "..", sum: ".." },
    };
    const first = planned(scene, limits({}));
    expect(first.ids).toEqual(["load/2024-01-02..2024-01-02/1"]);
    expect(reasonsOf(first.assessment, "load")).toEqual(["ready:warehouse_file", "ready:next"]);
    expect(reasonsOf(first.assessment, "sum")).toEqual(["ready:warehouse_file", "ready:warehouse_file"]);
    // It waits for the statement that runs, and no other one passes it meanwhile.
    const summing = { ...scene, inFlight: [{ repair: "sum", dates: ["2024-01-01"] }] };
    expect(planned(summing, limits({})).ids).toEqual([]);
    const calm = { ...summing, seen: { load: "##", sum: ".." } };
    expect(planned(calm, limits({})).ids).toEqual(["sum/2024-01-02..2024-01-02/1"]);
    const many = { ...scene, limits: { jobsMax: 8, cellsPerCycleMax: 2000, commandsMax: Infinity } };
    expect(planned(many, limits({})).ids).toHaveLength(4);
  });

  test("cells per cycle, but one job always goes, or a large one would wait for ever", () => {
    const scene: Scene = { processors: { a: {}, b: {} }, seen: { a: "....", b: "...." } };
    const { jobs, assessment } = planned(scene, limits({ cellsMax: 3 }));
    expect(jobs.map(({ days }) => days.length)).toEqual([4]);
    expect(reasonsOf(assessment, "b")).toEqual(Array.from({ length: 4 }, () => "ready:cells_per_cycle_max"));
    expect(planned(scene, limits({ cellsMax: 8 })).jobs).toHaveLength(2);
  });

  test("starts in 24 hours: the rest is held", () => {
    const { ids, assessment } = planned(
      {
        processors: { a: one },
        seen: { a: "..." },
        budgets: { scanBytesPerCycle: null, scanBytesPerDay: null, repairsPerDay: 7 },
        ledger: { startsLast24h: 5 },
      },
      limits({}),
    );
    expect(ids).toHaveLength(2);
    expect(reasonsOf(assessment, "a")).toEqual(["held:budget", "ready:next", "ready:next"]);
  });

  test("a half-open circuit lets one date probe and holds the rest", () => {
    const recentEnds = [runEnd("a", "2024-01-05T00:00Z", { systemic: "quota" })];
    const scene: Scene = { processors: { a: {} }, seen: { a: "...." }, ledger: { recentEnds } };
    const { ids, assessment } = planned(scene);
    expect(ids).toEqual(["a/2024-01-04..2024-01-04/1"]);
    expect(reasonsOf(assessment, "a")).toEqual([
      "held:circuit",
      "held:circuit",
      "held:circuit",
      "ready:next",
    ]);
    const probing = { ...scene, inFlight: [{ repair: "a", dates: ["2024-01-04"] }] };
    expect(planned(probing).ids).toEqual([]);
  });
});

describe("a chronological repair", () => {
  const chronological = { chronological: true, repair: { maxDatesPerJob: 2, concurrency: 9 } };

  test("gets one job per season, the oldest dates first", () => {
    const { ids, assessment } = planned({
      processors: { a: chronological },
      schedules: [tableSchedule()],
      dates: { default: "aaaabbb" },
      seen: { a: "#......" },
    });
    expect(ids.toSorted()).toEqual(["a/2024-01-02..2024-01-03/1", "a/2024-01-05..2024-01-06/1"]);
    expect(reasonsOf(assessment, "a")).toEqual([
      "ready:next",
      "ready:next",
      "ready:chronological",
      "ready:next",
      "ready:next",
      "ready:chronological",
    ]);
  });

  test("does not jump to a later job of the season because the first one found no slot", () => {
    const { ids } = planned(
      { processors: { a: chronological }, seen: { a: "....." } },
      limits({ jobsMax: 0 }),
    );
    expect(ids).toEqual([]);
  });

  test("waits for its run in flight", () => {
    const scene: Scene = {
      processors: { a: chronological },
      seen: { a: "....." },
      inFlight: [{ repair: "a", dates: ["2024-01-01", "2024-01-02"] }],
    };
    expect(planned(scene).ids).toEqual([]);
  });
});

test("every gap has a disposition, and every ready one says why it runs or waits", () => {
  const { assessment } = planned(
    {
      processors: {
        a: { repair: { maxDatesPerJob: 1 } },
        b: { needs: ["a"] },
        shared1: { repair: { name: "both" } },
        shared2: { repair: { name: "both" }, needs: ["a"] },
      },
      seen: { a: "#..#.", b: "....#", shared1: ".....", shared2: "....." },
      inFlight: [{ repair: "b", dates: ["2024-01-04"] }],
    },
    limits({ jobsMax: 3 }),
  );
  expect(dispositionsOf(assessment, "shared1")).toBe("RbbRb.");
  for (const name of ["a", "b", "shared1", "shared2"]) {
    const unexplained = reasonsOf(assessment, name).filter((entry) => /^(ready|blocked):$/.test(entry));
    expect(unexplained).toEqual([]);
  }
});

test("schedules of their own do not confuse the dates of a plan", () => {
  const { ids } = planned({
    processors: { a: {}, weekly: { schedule: "weekly" } },
    schedules: [
      everyDay,
      { ...everyDay, name: "weekly", source: { kind: "calendar", every: "week", weekday: 7, day: "first" } },
    ],
    seen: { a: "#######.", weekly: "........" },
  });
  expect(ids.toSorted()).toEqual(["a/2024-01-08..2024-01-08/1", "weekly/2024-01-07..2024-01-07/1"]);
});
