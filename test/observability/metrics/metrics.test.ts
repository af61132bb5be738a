import { expect, test } from "vitest";
import type { RepairEnd } from "../../../src/core/ledger-records.ts";
import { parseIsoDate } from "../../../src/core/iso-date.ts";
import { ReconcilerError } from "../../../src/errors.ts";
import type { Clock } from "../../../src/reconcile/ports.ts";
import { attempt, instant, opened, runEnd } from "../../support/ledger.ts";
import { metricsOf, rendered, samplesOf, valueOf } from "../../support/metrics.ts";
import { dayMs, type ProcessorSketch, tableSchedule } from "../../support/pipeline.ts";
import { assessed, type Scene } from "../../support/sight.ts";

function scene(seen: string, more: Partial<Scene> = {}, a: ProcessorSketch = {}) {
  return assessed({
    processors: { a: { phase: "2", severity: "critical", owner: "data", ...a } },
    schedules: [tableSchedule()],
    dates: { default: "aaaa" },
    seen: { a: seen },
    ...more,
  });
}

const cycle = {
  cycleId: "c",
  startedAt: 0,
  finishedAt: 0,
  converged: false,
  gaps: 0,
  enqueued: 0,
  scanBytes: 0,
};
const endOf = (more: Partial<RepairEnd>): RepairEnd => ({
  ...runEnd("a", "2024-01-05T06:00Z"),
  cells: [],
  logTail: null,
  ...more,
});

test("only the process that plans tells of the grid, and takes it back with the lease", async () => {
  const assessment = scene("#.##");
  const metrics = metricsOf(assessment.grid.pipeline);
  const { listener } = metrics;
  listener.onCycle(assessment, "c0");
  const before = await rendered(metrics);
  expect(valueOf(before, "cells", { state: "missing" })).toBeUndefined();
  expect(valueOf(before, "cycles_total", { outcome: "not_leading" })).toBe(1);

  listener.onLeading(true);
  listener.onCycle(assessment, "c1");
  const leading = await rendered(metrics);
  expect(valueOf(leading, "leader")).toBe(1);
  expect(valueOf(leading, "cells", { processor: "a", phase: "2", state: "missing" })).toBe(1);
  expect(valueOf(leading, "gaps", { disposition: "ready" })).toBe(1);
  const info = { processor: "a", phase: "2", severity: "critical", owner: "data", repair: "a" };
  expect(valueOf(leading, "processor_info", info)).toBe(1);
  expect(valueOf(leading, "cycles_total", { outcome: "not_converged" })).toBe(1);

  listener.onLeading(false);
  const after = await rendered(metrics);
  expect(valueOf(after, "leader")).toBe(0);
  const ofGrid = /^(cells|gaps|converged|processor_info|breaker_open|overdue_cells)$/;
  expect(samplesOf(after).filter(({ name }) => ofGrid.test(name))).toEqual([]);
  expect(valueOf(after, "cycles_total", { outcome: "not_converged" })).toBe(1);
});

test("the gaps that a date that was given up holds up are told of a chronological processor", async () => {
  const used = [1, 2, 3].map((hour) => attempt("a", "2024-01-02", `2024-01-03T0${hour}:00Z`));
  const stopped = scene("#...", { ledger: { attempts: used } }, { chronological: true });
  const metrics = metricsOf(stopped.grid.pipeline);
  metrics.listener.onLeading(true);
  metrics.listener.onCycle(scene("####", {}, { chronological: true }), "c1");
  expect(valueOf(await rendered(metrics), "stopped_chain_gaps", { processor: "a" })).toBe(0);
  metrics.listener.onCycle(stopped, "c2");
  const text = await rendered(metrics);
  expect(valueOf(text, "stopped_chain_gaps", { processor: "a" })).toBe(2);
  expect(valueOf(text, "gaps", { processor: "a", disposition: "quarantined" })).toBe(1);
});

test("after a cycle that failed nothing is called converged until one has worked", async () => {
  const assessment = scene("####");
  const metrics = metricsOf(assessment.grid.pipeline);
  const { listener } = metrics;
  listener.onLeading(true);
  listener.onCycle(assessment, "c1");
  expect(valueOf(await rendered(metrics), "converged")).toBe(1);
  listener.onCycleFailed(new ReconcilerError("ledger_unavailable", "it is away"), "c2");
  listener.onPlanned(assessment);
  const failed = await rendered(metrics);
  expect(valueOf(failed, "converged")).toBe(0);
  expect(valueOf(failed, "cycles_total", { outcome: "failed" })).toBe(1);
  expect(valueOf(failed, "ledger_failures_total")).toBe(1);
  listener.onCycle(assessment, "c3");
  expect(valueOf(await rendered(metrics), "converged")).toBe(1);
});

test("a cycle's time is that from its first question, and only one that saw everything is a success", async () => {
  const assessment = scene("####");
  let now = 1000;
  const clock: Clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() };
  const metrics = metricsOf(assessment.grid.pipeline, clock);
  const { listener } = metrics;
  listener.onLeading(true);
  for (const [unknown, accepted] of [
    [0, true],
    [1, true],
    [0, false],
  ] as const) {
    listener.onCycleStarted("c");
    now += 2000;
    listener.onRecorded({ ...cycle, unknown, accepted }, []);
    listener.onCycle(assessment, "c");
  }
  const text = await rendered(metrics);
  expect(valueOf(text, "cycle_duration_seconds_sum")).toBe(6);
  expect(valueOf(text, "cycle_duration_seconds_count")).toBe(3);
  expect(valueOf(text, "last_successful_cycle_timestamp_seconds")).toBe(3);
  expect(valueOf(text, "last_completed_cycle_timestamp_seconds")).toBe(7);
});

test("what is lost beside the data is counted, and the lock servers that do not count are", async () => {
  const metrics = metricsOf(scene("####").grid.pipeline);
  const { listener } = metrics;
  const counts = async () => {
    const text = await rendered(metrics);
    return ["redis_wipes_total", "surveys_not_kept_total", "lock_servers_failing"].map((name) =>
      valueOf(text, name),
    );
  };
  expect(await counts()).toEqual([0, 0, 0]);
  listener.onWiped();
  listener.onSurveysNotKept(new ReconcilerError("write_failed", "it is away"));
  listener.onLockServer({ failing: 2 });
  expect(await counts()).toEqual([1, 1, 2]);
  listener.onLockServer({ failing: 0 });
  expect(await counts()).toEqual([1, 1, 0]);
});

test("a gap is re-opened where its cell was complete once", async () => {
  const metrics = metricsOf(scene("####").grid.pipeline);
  metrics.listener.onRecorded({ ...cycle, unknown: 0, accepted: true }, [
    opened("a", "2024-01-02", "2024-01-05T06:00Z"),
    opened("a", "2024-01-03", "2024-01-05T06:00Z", { wasComplete: true }),
  ]);
  expect(valueOf(await rendered(metrics), "reopened_gaps_total", { processor: "a" })).toBe(1);
});

test("runs are counted by outcome; a refused write is told apart, and a lost run has no duration", async () => {
  const metrics = metricsOf(scene("####").grid.pipeline);
  metrics.listener.onEnded(endOf({ outcome: "repaired" }));
  metrics.listener.onEnded(endOf({ outcome: "lost_lock", errorCode: "fence_refused" }));
  metrics.listener.onEnded(endOf({ outcome: "lost", errorCode: "lost" }));
  const text = await rendered(metrics);
  const outcomes = samplesOf(text).filter(({ name, value }) => name === "repairs_total" && value > 0);
  expect(outcomes.map(({ labels }) => labels["outcome"])).toEqual(["repaired", "lost_lock", "lost"]);
  expect(valueOf(text, "fence_refusals_total")).toBe(1);
  expect(valueOf(text, "repair_duration_seconds_count", { repair: "a" })).toBe(2);
  expect(valueOf(text, "repair_duration_seconds_sum", { repair: "a" })).toBe(20);
});

test("what keeps the processes together, consumers, jobs and notifications are counted", async () => {
  const metrics = metricsOf(scene("####").grid.pipeline);
  const { listener } = metrics;
  listener.onDegraded(new ReconcilerError("redis_unavailable", "it is away"));
  listener.onStalled();
  listener.onUnreadable();
  listener.onRunning(3);
  listener.onRepairFailed(new ReconcilerError("warehouse_unavailable", "it is away"));
  listener.onDelivery({
    receiver: "slack",
    kinds: ["quarantined", "mass_gap"],
    outcome: "failed",
    message: "503",
  });
  const text = await rendered(metrics);
  expect(valueOf(text, "coordination_degraded")).toBe(1);
  expect(valueOf(text, "stalled_consumers_total")).toBe(1);
  expect(valueOf(text, "unreadable_jobs_total")).toBe(1);
  expect(valueOf(text, "running_jobs")).toBe(3);
  expect(valueOf(text, "repairs_unrecorded_total")).toBe(1);
  expect(valueOf(text, "ledger_failures_total")).toBe(0);
  expect(valueOf(text, "notifications_total", { event: "mass_gap", outcome: "failed" })).toBe(1);
  listener.onDegraded(null);
  expect(valueOf(await rendered(metrics), "coordination_degraded")).toBe(0);
});

test("ages, breakers, waivers and budgets are told of the grid, and what is not configured is absent", async () => {
  const expires = parseIsoDate("2024-01-20");
  const decision = {
    id: "d",
    actor: "ann",
    at: instant("2024-01-04T00:00Z"),
    reason: "gone",
    kind: "waive",
  } as const;
  const waiver = { owner: "ann", expires, downstream: "proceed" } as const;
  const assessment = scene("...#", {
    timezone: "America/New_York",
    now: "2024-01-05T12:00Z",
    budgets: { scanBytesPerCycle: null, scanBytesPerDay: null, repairsPerDay: 10 },
    ledger: {
      startsLast24h: 4,
      gapEvents: [opened("a", "2024-01-03", "2024-01-05T11:00Z")],
      recentEnds: [runEnd("a", "2024-01-05T11:59Z", { systemic: "authentication" })],
      decisions: [
        {
          ...decision,
          processors: ["a"],
          startDate: parseIsoDate("2024-01-01"),
          endDate: parseIsoDate("2024-01-01"),
          waiver,
        },
      ],
    },
  });
  const metrics = metricsOf(assessment.grid.pipeline);
  metrics.listener.onLeading(true);
  metrics.listener.onCycle(assessment, "c");
  const text = await rendered(metrics);
  expect(valueOf(text, "exempt_cells", { reason: "waived" })).toBe(1);
  expect(valueOf(text, "oldest_gap_age_seconds")).toBe(3600);
  // The 2nd was due on the 3rd at 06:00 in New York, which is 11:00.
  expect(valueOf(text, "oldest_gap_overdue_seconds")).toBe((2 * dayMs) / 1000 + 3600);
  expect(valueOf(text, "breaker_open", { kind: "circuit", subject: "a" })).toBe(1);
  expect(valueOf(text, "breaker_open", { kind: "mass_gap", subject: "a" })).toBe(0);
  expect(valueOf(text, "waiver_expiry_timestamp_seconds")).toBe(instant("2024-01-21T05:00Z") / 1000);
  expect(valueOf(text, "repair_budget_used")).toBe(4);
  expect(valueOf(text, "repair_budget_limit")).toBe(10);
  expect(valueOf(text, "scan_budget_limit_bytes")).toBeUndefined();
});

test("a queue that does not answer leaves its own series out and nothing else", async () => {
  const assessment = scene("####");
  const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() };
  const metrics = metricsOf(assessment.grid.pipeline, clock);
  metrics.listener.onLeading(true);
  metrics.listener.onCycle(assessment, "c");
  metrics.watchQueue(() => new Promise(() => undefined));
  expect(valueOf(await rendered(metrics), "queue_jobs", { state: "queued" })).toBeUndefined();
  metrics.watchQueue(() => Promise.reject(new ReconcilerError("redis_unavailable", "it is away")));
  const text = await rendered(metrics);
  expect(valueOf(text, "queue_jobs", { state: "queued" })).toBeUndefined();
  expect(valueOf(text, "converged")).toBe(1);
});

test("the number of series grows with processors and repairs, and not with dates", async () => {
  const count = async (processors: number, dates: number) => {
    const names = Array.from({ length: processors }, (_, index) => [`p${index}`, {}] as const);
    const pattern = ".".repeat(dates);
    const assessment = assessed({
      processors: Object.fromEntries(names),
      schedules: [tableSchedule()],
      dates: { default: "a".repeat(dates) },
      seen: Object.fromEntries(names.map(([name]) => [name, pattern])),
    });
    const metrics = metricsOf(assessment.grid.pipeline);
    metrics.listener.onLeading(true);
    metrics.listener.onCycle(assessment, "c");
    return samplesOf(await rendered(metrics)).length;
  };
  const [one, two] = [await count(1, 1825), await count(2, 3)];
  const each = two - one;
  // As docs/metrics.md says: 31 per processor, 24 per repair, one per schedule and 140.
  expect(each).toBe(31 + 24);
  expect(one).toBeLessThanOrEqual(31 + 24 + 1 + 140);
  expect(await count(200, 1825)).toBe(one + 199 * each);
});
