import { readFileSync } from "node:fs";
import type { Processor } from "../../../src/core/pipeline.ts";
import type {
  CloudRunJobAction,
  CommandAction,
  HttpAction,
  KubernetesJobAction,
  PubsubAction,
  RepairAction,
} from "../../../src/core/repair-action.ts";
import { parseIsoDate } from "../../../src/core/iso-date.ts";
import type { Clock } from "../../../src/reconcile/ports.ts";
import type { RunRequest } from "../../../src/reconcile/ports/executor.ts";
import { datedBy } from "../../support/pipeline.ts";

/** A processor with nothing special about it. */
export function processorNamed(name: string): Processor {
  return {
    name,
    index: 0,
    phase: null,
    table: { parts: [name] },
    ...datedBy("d"),
    where: null,
    writtenAtColumn: null,
    severity: "warning",
    owner: null,
    tags: [],
    schedule: "default",
    due: { daysAfter: 0, minuteOfDay: 0 },
    bootstrapDays: 0,
    available: { from: null, to: null },
    sourceRetentionMs: null,
    chronological: false,
    dependsOnPast: false,
    onPoison: "stop",
    priority: 0,
    stale: "ignore",
    offSchedule: "report",
    edges: [],
    expect: {
      rows: {
        min: 1,
        max: null,
        perUnit: null,
        maxPerUnit: null,
        perEntity: null,
        when: null,
        completionLog: null,
      },
      coverage: null,
      uniqueKeys: [],
      notNull: [],
      checks: [],
      measures: [],
      quality: null,
      hash: "e",
    },
    repairUnit: 0,
  };
}

export function requestFor(action: RepairAction, overrides: Partial<RunRequest> = {}): RunRequest {
  return {
    repairId: "repair-1",
    audit: null,
    unit: {
      name: "scores",
      processors: [0],
      action,
      replaces: true,
      saysReplaces: true,
      batch: "range",
      maxAttempts: 3,
      backoffMs: [1_000],
      probe: null,
      timeoutMs: 60_000,
      timeoutPerDateMs: 60_000,
      maxDatesPerJob: 31,
      concurrency: 1,
      pool: null,
      windows: [],
      preconditions: [],
      hash: "r",
    },
    action,
    processors: [processorNamed("scores")],
    pipeline: "nba",
    dates: [parseIsoDate("2024-01-30"), parseIsoDate("2024-02-01")],
    season: "2023-24",
    attempt: 2,
    token: 1_700_000_000_000_001,
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    ...overrides,
  };
}

/** Runs a script of Node with the given arguments behind it. */
export function nodeCommand(script: string, overrides: Partial<CommandAction> = {}): CommandAction {
  return {
    kind: "command",
    argv: [process.execPath, "-e", script],
    cwd: process.cwd(),
    env: {},
    exitCodes: { retryable: [75], permanent: [64, 65] },
    ...overrides,
  };
}

export function httpAction(url: string, overrides: Partial<HttpAction> = {}): HttpAction {
  return {
    kind: "http",
    method: "POST",
    url,
    headers: {},
    body: null,
    acceptedStatuses: [],
    poll: null,
    ...overrides,
  };
}

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done, { once: true });
      if (signal?.aborted === true) done();
    }),
};

export function kubernetesAction(overrides: Partial<KubernetesJobAction> = {}): KubernetesJobAction {
  return {
    kind: "kubernetes_job",
    cluster: null,
    namespace: "data",
    template: {
      spec: { containers: [{ name: "fill", image: "fill:1", args: ["--from={{start_date}}"] }] },
    },
    env: {},
    exitCodes: { retryable: [75], permanent: [64, 65] },
    intervalMs: 15,
    ttlAfterFinishedMs: 3_600_000,
    ...overrides,
  };
}

export function cloudRunAction(
  apiEndpoint: string,
  overrides: Partial<CloudRunJobAction> = {},
): CloudRunJobAction {
  return {
    kind: "cloud_run_job",
    project: "p",
    location: "us-west2",
    job: "fill",
    container: null,
    args: null,
    env: {},
    exitCodes: { retryable: [75], permanent: [64, 65] },
    intervalMs: 15,
    apiEndpoint,
    ...overrides,
  };
}

export function pubsubAction(apiEndpoint: string, overrides: Partial<PubsubAction> = {}): PubsubAction {
  return {
    kind: "pubsub",
    project: "p",
    topic: "fill",
    data: null,
    attributes: {},
    orderingKey: null,
    apiEndpoint,
    ...overrides,
  };
}

/** A warehouse that holds no file and is never asked to replace anything. */
export const idleWarehouse = {
  released: <T>(work: () => Promise<T>): Promise<T> => work(),
  replaceDates: (): Promise<never> => Promise.reject(new Error("nothing to replace here")),
};

export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch {
    return false;
  }
}

/** Dead, only not yet asked about by its parent. */
function isZombie(pid: number): boolean {
  if (process.platform !== "linux") return false;
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
}

/** Waits until the condition holds; fails loudly where it does not within the limit. */
export async function until(what: string, condition: () => boolean, limitMs = 25_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`expected ${what} within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
