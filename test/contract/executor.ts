import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RepairAction } from "../../src/core/pipeline.ts";
import type { Executor, RunRequest, RunResult } from "../../src/reconcile/ports.ts";

/** What a repair can do to its executor. Each kind of repair arranges those that it can meet. */
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
  cleanup(): Promise<void>;
}

export type Actions = Readonly<Partial<Record<Fault, RepairAction>>>;

interface Expected {
  readonly kind: RunResult["kind"];
  readonly classification?: string;
  readonly systemic?: string | null;
  readonly retryAfterMs?: number | null;
}

const failed = { kind: "failed", retryAfterMs: null } as const;

const expectations: Readonly<Record<Exclude<Fault, "hang" | "done_but_lost">, Expected>> = {
  success: { kind: "succeeded" },
  unauthorized: { ...failed, classification: "systemic", systemic: "authentication" },
  forbidden: { ...failed, classification: "systemic", systemic: "authentication" },
  refused: { ...failed, classification: "systemic" },
  not_found: { ...failed, classification: "permanent", systemic: null },
  conflict: { ...failed, classification: "retryable", systemic: null },
  too_many: { ...failed, classification: "retryable", systemic: null, retryAfterMs: 7_000 },
  server_error: { ...failed, classification: "retryable", systemic: null },
  cut: { ...failed, classification: "retryable", systemic: null },
};

/** What every executor answers to the same faults. `make` returns the actions that cause those its kind can meet. */
export function describeExecutorContract(
  name: string,
  make: () => Promise<{ readonly harness: ExecutorHarness; readonly actions: Actions }>,
  arranged: readonly Fault[],
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

    const answered = arranged.filter((fault) => fault !== "hang" && fault !== "done_but_lost");
    it.each(answered)("answers %s by its type, with a word for programs and no secret", async (fault) => {
      const result = await run(fault);
      expect(result).toMatchObject(expectations[fault]);
      expect(JSON.stringify(result)).not.toContain(harness.secret);
      expect(Buffer.byteLength(result.logTail ?? "")).toBeLessThanOrEqual(4096);
      const errorCode = result.kind === "failed" ? result.errorCode : "none";
      expect(errorCode).toMatch(/^[a-z0-9_]+$/);
      expect(await harness.effects()).toBe(fault === "success" ? 1 : 0);
    });

    it("ends a run that hangs soon after its time limit", async () => {
      const began = performance.now();
      const result = await run("hang", { timeoutMs: 1_500 });
      expect(result.kind).toBe("timed_out");
      expect(performance.now() - began).toBeGreaterThan(1_400);
      expect(performance.now() - began).toBeLessThan(6_000);
      expect(await harness.effects()).toBe(0);
    });

    it("ends a run in its midst when the signal aborts", async () => {
      const controller = new AbortController();
      const running = run("hang", { timeoutMs: 60_000, signal: controller.signal });
      while (!(await harness.isRunning())) await new Promise((resolve) => setTimeout(resolve, 20));
      const began = performance.now();
      controller.abort();
      expect((await running).kind).toBe("cancelled");
      expect(performance.now() - began).toBeLessThan(5_000);
    });

    it("runs nothing for a signal that aborted before", async () => {
      expect(await run("success", { signal: AbortSignal.abort() })).toEqual({
        kind: "cancelled",
        logTail: null,
      });
      expect(await harness.effects()).toBe(0);
    });

    it.each(arranged.filter((fault) => fault === "done_but_lost"))(
      "does not call a run done whose effect is there but whose answer was lost (%s)",
      async (fault) => {
        expect(await run(fault)).toMatchObject({
          kind: "failed",
          classification: "retryable",
          systemic: null,
        });
        expect(await harness.effects()).toBe(1);
      },
    );
  });
}
