import { describe, expect, test } from "vitest";
import { type ExplainedRun, explainCell } from "../../src/core/explain.ts";
import { parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import { plan } from "../../src/core/plan.ts";
import type { AttemptRecord } from "../../src/reconcile/ports.ts";
import { renderExplanation } from "../../src/terminal/explain.ts";
import { attempt } from "../support/ledger.ts";
import { assessed, type Scene } from "../support/sight.ts";
import { golden, hasEscapes } from "./lines.ts";

const plain = { columns: 100, color: false };
const sql = "select game_date\nfrom raw.orders";

function explained(
  scene: Scene,
  name: string,
  date: string,
  attempts: readonly AttemptRecord[] = [],
  options = plain,
): string {
  const assessment = assessed(scene);
  plan(assessment, { jobsMax: 8, cellsMax: 2000, recentSlots: 0, slots: true });
  const processor = assessment.compiled.byName.get(name);
  if (processor === undefined) throw new RangeError(`there is no processor ${name}`);
  const position = toDay(parseIsoDate(date)) - assessment.grid.axis.first;
  return renderExplanation(explainCell(assessment, processor, position), attempts, sql, options);
}

function record(at: string, more: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    ...attempt("orders", "2024-01-03", at, { startedAt: Date.parse(at) - 4000 }),
    attempt: 1,
    token: 1,
    worker: "host/1/0",
    errorCode: "exit_1",
    message: "python ended with exit code 1",
    logTail: "Traceback\n\u001b[31mKeyError\u001b[0m: 'points'\n",
    dates: [parseIsoDate("2024-01-03")],
    ...more,
  };
}

describe("an explanation", () => {
  test("lists the last runs elsewhere, with what each failed with and without what drives a terminal", () => {
    const run = (hour: number, more: Partial<ExplainedRun> = {}): ExplainedRun => ({
      run_id: null,
      status: "success",
      kind: "ended",
      started_at: `2024-01-04T0${hour}:00:00Z`,
      ended_at: `2024-01-04T0${hour}:30:00Z`,
      error: null,
      ...more,
    });
    const error = "Traceback\n\u001b[31mKeyError\u001b[0m: 'points'\n";
    const runs = [
      run(7, { status: "running", kind: "running", run_id: "r7", ended_at: null }),
      run(6, { status: "FAILED", kind: "failed", run_id: "r6", error }),
      ...[5, 4, 3, 2].map((hour) => run(hour)),
    ];
    const assessment = assessed({ processors: { orders: {} }, seen: { orders: "##." } });
    const processor = assessment.compiled.byName.get("orders");
    if (processor === undefined) throw new RangeError("there is no processor orders");
    const explanation = { ...explainCell(assessment, processor, 2), run_history: { runs, failure: null } };
    const told = renderExplanation(explanation, [], sql, plain);
    expect(told).toContain(
      golden(`
runs elsewhere
    2024-01-04T07:00:00Z running (run r7)
  ✗ 2024-01-04T06:00:00Z FAILED (run r6), ended 2024-01-04T06:30:00Z
        Traceback
        KeyError: 'points'
    2024-01-04T05:00:00Z success, ended 2024-01-04T05:30:00Z
    2024-01-04T04:00:00Z success, ended 2024-01-04T04:30:00Z
    2024-01-04T03:00:00Z success, ended 2024-01-04T03:30:00Z
  … 1 earlier run; --format json has them
`),
    );
  });

  test("goes from what the cell is to what happens next", () => {
    const scene: Scene = {
      processors: {
        raw: {},
        orders: {
          phase: "2",
          needs: ["raw", { on: "raw", window: { kind: "days", days: 2, sameDate: false } }],
          expect: { rows: { min: 5 }, uniqueKeys: [["id"]] },
        },
      },
      seen: {
        raw: "#.###",
        orders: [
          {
            date: "2024-01-03",
            rows: 3,
            metrics: [2],
            firstWrite: "2024-01-04T01:00Z",
            lastWrite: "2024-01-04T02:00Z",
          },
        ],
      },
    };
    expect(explained(scene, "orders", "2024-01-03")).toBe(
      golden(`
◐ orders on 2024-01-03 (warehouse.orders, phase 2) is partial; blocked

expected
  1 unit in schedule default
  at least 5 rows
  one row per id
  due 2024-01-04T06:00:00Z

seen
  3 rows, written 2024-01-04T01:00:00Z to 2024-01-04T02:00:00Z
  by this query:
    select game_date
    from raw.orders

checks
  ✗ rows_min: expected at least 5 rows, found 3 rows
  ✗ unique:id: expected none, found 2 rows beyond the first of their key

reads
  ✓ raw: its own date
  ✗ reads raw 2024-01-01 to 2024-01-02: 1 of 2, which is not there yet
      ✗ raw 2024-01-02 missing, ready

root causes
  ✗ raw 2024-01-02 missing, ready

next
  it waits for raw 2024-01-02
`),
    );
  });

  test("tells each attempt, and the log of the last one without its escape sequences", () => {
    const attempts = ["05:00", "05:10", "05:20"].map((time) => record(`2024-01-05T${time}:04Z`));
    const scene: Scene = {
      processors: { orders: {} },
      seen: { orders: "##.#" },
      ledger: { attempts },
    };
    const text = explained(scene, "orders", "2024-01-03", attempts);
    expect(text).toContain(
      "✗ orders on 2024-01-03 (warehouse.orders) is missing; quarantined: all 3 attempts are used up\n",
    );
    expect(text).toContain(
      golden(`
  ✗ 2024-01-05T05:10:00Z attempt 1: failed after 4 s
      exit_1: python ended with exit code 1
  ✗ 2024-01-05T05:20:00Z attempt 1: failed after 4 s
      exit_1: python ended with exit code 1
      its log:
        Traceback
        KeyError: 'points'
`),
    );
    expect(text).toContain(
      "reconcile retry --processor orders --start-date 2024-01-03 --end-date 2024-01-03",
    );
  });

  test("shows the last five attempts and the end of a long log", () => {
    const logTail = Array.from({ length: 30 }, (_, index) => `line ${index}`).join("\n");
    const attempts = Array.from({ length: 8 }, (_, index) =>
      record(`2024-01-05T0${index}:00:04Z`, { logTail }),
    );
    const text = explained(
      { processors: { orders: {} }, seen: { orders: "##.#" } },
      "orders",
      "2024-01-03",
      attempts,
    );
    expect(text).toContain("… 3 earlier attempts; --format json has all of them");
    expect(text.match(/attempt 1: failed/g)).toHaveLength(5);
    expect(text).toContain("the last 12 lines of its log:\n        line 18\n");
  });

  test("says of an attempt that repaired what it changed, and of one that is not charged that it does not count", () => {
    const attempts = [
      record("2024-01-05T01:00:04Z", {
        outcome: "lost_lock",
        charged: false,
        message: null,
        errorCode: null,
        logTail: null,
      }),
      record("2024-01-05T02:00:04Z", {
        outcome: "repaired",
        charged: false,
        message: null,
        errorCode: null,
        logTail: null,
        rowsAfter: 270,
        dates: ["2024-01-03", "2024-01-04"].map(parseIsoDate),
      }),
    ];
    const text = explained(
      { processors: { orders: {} }, seen: { orders: "####" } },
      "orders",
      "2024-01-03",
      attempts,
    );
    expect(text).toContain("✗ 2024-01-05T01:00:00Z attempt 1: lost lock (not counted) after 4 s\n");
    expect(text).toContain(
      "✓ 2024-01-05T02:00:00Z attempt 1: repaired after 4 s, with 2024-01-03 to 2024-01-04 (2 dates)\n      0 rows before, 270 rows after\n",
    );
  });

  test("of what could not be observed gives the reason instead of rows and checks", () => {
    const text = explained(
      { processors: { orders: {} }, seen: { orders: null }, now: "2024-01-05T12:00Z" },
      "orders",
      "2024-01-03",
    );
    expect(text).toContain("? orders on 2024-01-03 (warehouse.orders) is unknown\n");
    expect(text).toContain("seen\n  nothing: the query failed: permission: denied\n");
    expect(text).not.toContain("checks");
  });

  test("names a waiver with owner, end and reason", () => {
    const scene: Scene = {
      processors: { orders: {} },
      seen: { orders: "##.#" },
      waivers: [
        {
          id: "w",
          processors: ["orders"],
          start: parseIsoDate("2024-01-01"),
          end: parseIsoDate("2024-01-31"),
          reason: "never scraped",
          owner: "data-team",
          expires: parseIsoDate("2027-07-01"),
          downstream: "exempt",
          source: "config",
        },
      ],
    };
    const text = explained(scene, "orders", "2024-01-03");
    expect(text).toContain("- orders on 2024-01-03 (warehouse.orders) is exempt; waived\n");
    expect(text).toContain("waivers\n  by data-team until 2027-07-01, in the config: never scraped\n");
  });

  test("has escapes only with colours", () => {
    const scene: Scene = { processors: { orders: {} }, seen: { orders: "##.#" } };
    expect(hasEscapes(explained(scene, "orders", "2024-01-03"))).toBe(false);
    expect(hasEscapes(explained(scene, "orders", "2024-01-03", [], { columns: 80, color: true }))).toBe(true);
  });
});
