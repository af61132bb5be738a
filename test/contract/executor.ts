import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import type { RepairUnit } from "../../src/core/pipeline.ts";
import type { RepairAction } from "../../src/core/repair-action.ts";
import type { Executor, RunRequest, RunResult } from "../../src/reconcile/ports/executor.ts";
import { awakeTime } from "../support/awake-time.ts";

/**
 * What a repair can do to its executor. Each kind of repair arranges those that it can meet. `hang` is silence, `endless` a run
 * that is under way somewhere else and does not end.
 */
export const faults = [
  "success",
  "refused",
  "unauthorized",
  "forbidden",
  "not_found",
  "conflict",
  "too_many",
  "server_error",
  "hang",
  "cut",
  "done_but_lost",
  "endless",
] as const;
export type Fault = (typeof faults)[number];

export interface ExecutorHarness {
  readonly executor: Executor;
  /** A value that nothing in a result may show; every failing action puts it into its output. */
  readonly secret: string;
  request(action: RepairAction, overrides: Partial<RunRequest>): RunRequest;
  /** How often the repair had its effect. */
  effects(): Promise<number>;
  /** Whether a repair is under way, for an abort in mid-run. */
  isRunning(): Promise<boolean>;
  /** How many runs go on, wherever they run; only of what can be told from here. */
  readonly underWay?: () => Promise<number>;
  /** The dates that the run which succeeded last was told. */
  told(): Promise<readonly string[]>;
  cleanup(): Promise<void>;
}

export type Actions = Readonly<Partial<Record<Fault, RepairAction>>>;

export interface Expected {
  readonly kind: RunResult["kind"];
  readonly classification?: string;
  readonly systemic?: string | null;
  readonly retryAfterMs?: number | null;
}

const failed = { kind: "failed", retryAfterMs: null } as const;

/** Long enough for a run to begin, and as long as a test has to wait for its end. */
const timeLimitMs = 700;

/** These end only when somebody ends them. */
const endsNever: readonly Fault[] = ["hang", "endless"];

const expectations: Readonly<Partial<Record<Fault, Expected>>> = {
  success: { kind: "succeeded" },
  unauthorized: { ...failed, classification: "systemic", systemic: "authentication" },
  forbidden: { ...failed, classification: "systemic", systemic: "authentication" },
  refused: { ...failed, classification: "systemic" },
  not_found: { ...failed, classification: "permanent", systemic: null },
  conflict: { ...failed, classification: "retryable", systemic: null },
  too_many: { ...failed, classification: "retryable", systemic: null, retryAfterMs: 7_000 },
  server_error: { ...failed, classification: "retryable", systemic: null },
  cut: { ...failed, classification: "retryable", systemic: null },
  // Its effect is there, and nobody can say so: it must not be called done.
  done_but_lost: { ...failed, classification: "retryable", systemic: null },
};

/** What is told in this way comes to a run of consecutive dates, to any dates, and to one. */
const shapes: readonly (readonly [shape: RepairUnit["batch"], dates: readonly string[]])[] = [
  ["range", ["2024-01-30", "2024-01-31", "2024-02-01"]],
  ["list", ["2024-01-30", "2024-02-01", "2024-02-05"]],
  ["single", ["2024-01-30"]],
];

/**
 * What every executor answers to the same faults. `make` returns the actions that cause those its kind can meet; `otherwise` is
 * where a kind rightly answers in another way.
 */
export function describeExecutorContract(
  name: string,
  make: () => Promise<{ readonly harness: ExecutorHarness; readonly actions: Actions }>,
  arranged: readonly Fault[],
  otherwise: Readonly<Partial<Record<Fault, Expected>>> = {},
): void {
  describe(`the ${name} executor, as every executor`, () => {
    let harness: ExecutorHarness;
    let actions: Actions;
    beforeEach(async () => {
      ({ harness, actions } = await make());
    });
    afterEach(() => harness.cleanup());

    const actionFor = (fault: Fault): RepairAction => {
      const action = actions[fault];
      if (action === undefined) throw new Error(`expected ${name} to arrange ${fault}`);
      return action;
    };
    const run = (fault: Fault, overrides: Partial<RunRequest> = {}): Promise<RunResult> =>
      harness.executor.run(harness.request(actionFor(fault), overrides));

    const expectedOf = (fault: Fault): Expected => {
      const expected = otherwise[fault] ?? expectations[fault];
      if (expected === undefined) throw new Error(`expected an answer to ${fault} to be told`);
      return expected;
    };
    const underWay = async (): Promise<number> => (await harness.underWay?.()) ?? 0;

    const answered = arranged.filter((fault) => !endsNever.includes(fault));
    it.each(answered)("answers %s by its type, with a word for programs and no secret", async (fault) => {
      const result = await run(fault);
      expect(result).toMatchObject(expectedOf(fault));
      expect(JSON.stringify(result)).not.toContain(harness.secret);
      expect(Buffer.byteLength(result.logTail ?? "")).toBeLessThanOrEqual(4096);
      const errorCode = result.kind === "failed" ? result.errorCode : "none";
      expect(errorCode).toMatch(/^[a-z0-9_]+$/);
      expect(await harness.effects()).toBe(fault === "success" || fault === "done_but_lost" ? 1 : 0);
      expect(await underWay()).toBe(0);
    });

    const unending = arranged.filter((fault) => endsNever.includes(fault));
    it.each(unending)("ends a run soon after its time limit (%s)", async (fault) => {
      const [began, ended] = [performance.now(), awakeTime()];
      const result = await run(fault, { timeoutMs: timeLimitMs });
      expect(result.kind).toBe("timed_out");
      expect(ended()).toBeLessThan(6_000);
      expect(performance.now() - began).toBeGreaterThan(timeLimitMs - 100);
      expect(await harness.effects()).toBe(0);
      expect(await underWay()).toBe(0);
    });

    it.each(unending)("ends a run in its midst when its lock is lost (%s)", async (fault) => {
      const controller = new AbortController();
      const running = run(fault, { timeoutMs: 60_000, signal: controller.signal });
      while (!(await harness.isRunning())) await new Promise((resolve) => setTimeout(resolve, 20));
      const ended = awakeTime();
      controller.abort();
      expect((await running).kind).toBe("cancelled");
      expect(ended()).toBeLessThan(5_000);
      expect(await underWay()).toBe(0);
    });

    it("runs nothing for a signal that aborted before", async () => {
      expect(await run("success", { signal: AbortSignal.abort() })).toEqual({
        kind: "cancelled",
        logTail: null,
      });
      expect(await harness.effects()).toBe(0);
    });

    it.each(shapes)("tells the dates of a %s", async (batch, texts) => {
      const request = harness.request(actionFor("success"), { dates: texts.map(parseIsoDate) });
      const result = await harness.executor.run({ ...request, unit: { ...request.unit, batch } });
      expect(result.kind).toBe(expectedOf("success").kind);
      expect(await harness.told()).toEqual(texts);
    });
  });
}
