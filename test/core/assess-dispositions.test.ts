import { describe, expect, test } from "vitest";
import { attempt, baseline, closed, decision, opened, runEnd } from "../support/ledger.ts";
import { dayMs, everyDay, hourMs, type ProcessorSketch, tableSchedule } from "../support/pipeline.ts";
import { assessed, type CellView, cellAt, dispositionsOf, type Scene } from "../support/sight.ts";

const date = "2024-01-01";
const now = "2024-01-02T12:00Z";

/** The cell of `a` on 2024-01-01, which is a gap. */
function gap(more: Partial<Scene> = {}, own: ProcessorSketch = {}): CellView {
  const { processors, ...rest } = more;
  return cellAt(
    assessed({ processors: { a: own, ...processors }, seen: { a: "." }, now, ...rest }),
    "a",
    date,
  );
}

const is = (disposition: string, reason = "") => ({ disposition, reason });
const failedAt = (...hours: readonly number[]) =>
  hours.map((hour) => attempt("a", date, `2024-01-02T${String(hour).padStart(2, "0")}:00Z`));
const inFlight = (state: "queued" | "running") => [{ repair: "a", dates: [date], state }];

describe("a gap is", () => {
  test("ready when nothing stands against it", () => {
    expect(gap()).toMatchObject(is("ready"));
  });

  test("none at all where the cell is complete, exempt, pending, unknown or unexpected", () => {
    const scene: Scene = {
      processors: { a: { bootstrapDays: 1 }, unseen: {} },
      schedules: [tableSchedule()],
      dates: { default: "aa-a" },
      seen: { a: ".##.", unseen: null },
      now: "2024-01-04T12:00Z",
    };
    const found = assessed(scene);
    expect(dispositionsOf(found, "a")).toBe("....");
    expect(dispositionsOf(found, "unseen")).toBe("....");
  });

  test("running or queued when a run in flight names it", () => {
    expect(gap({ inFlight: inFlight("running") })).toMatchObject(is("running"));
    expect(gap({ inFlight: inFlight("queued") })).toMatchObject(is("queued"));
    expect(gap({ inFlight: [...inFlight("running"), ...inFlight("queued")] })).toMatchObject(is("running"));
  });

  test("unrepairable without a repair", () => {
    expect(gap({}, { repair: null })).toMatchObject(is("unrepairable", "no_repair"));
  });

  test("unrepairable where a run would add to what is there instead of replacing it", () => {
    const own = { repair: { replaces: false }, expect: { rows: { min: 5 } } };
    expect(gap({ seen: { a: "3" } }, own)).toMatchObject(is("unrepairable", "repair_does_not_replace"));
    expect(gap({ seen: { a: "." } }, own)).toMatchObject(is("ready"));
  });

  test("unrepairable once its source is gone", () => {
    const own = { sourceRetentionMs: 1.5 * dayMs };
    expect(gap({}, own)).toMatchObject(is("ready"));
    expect(gap({ now: "2024-01-02T12:01Z" }, own)).toMatchObject(is("unrepairable", "source_expired"));
  });

  test("quarantined with its cause", () => {
    const quarantined = (attempts: ReturnType<typeof failedAt>) => gap({ ledger: { attempts } });
    expect(quarantined(failedAt(1, 2, 3))).toMatchObject(is("quarantined", "attempts_used_up"));
    const permanent = attempt("a", date, "2024-01-02T01:00Z", { outcome: "failed_permanently" });
    expect(quarantined([permanent])).toMatchObject(is("quarantined", "permanent_error"));
    const worse = attempt("a", date, "2024-01-02T01:00Z", { worse: true });
    expect(quarantined([worse])).toMatchObject(is("quarantined", "made_worse"));
    const gapEvents = [1, 2, 3, 4].flatMap((hour) => [
      opened("a", date, `2024-01-02T0${hour}:00Z`),
      closed("a", date, `2024-01-02T0${hour}:30Z`),
    ]);
    expect(gap({ ledger: { gapEvents: gapEvents.slice(0, -1) } })).toMatchObject(
      is("quarantined", "reopened"),
    );
  });

  test("backing off until its time came", () => {
    const attempts = [attempt("a", date, "2024-01-02T11:59:31Z")];
    expect(gap({ ledger: { attempts } })).toMatchObject(is("backing_off", "backoff"));
    expect(gap({ ledger: { attempts }, now: "2024-01-02T12:00:01Z" })).toMatchObject(is("ready"));
    expect(gap({ ledger: { attempts }, policy: { ignoreBackoff: true } })).toMatchObject(is("ready"));
  });
});

const noBudgets = { scanBytesPerCycle: null, scanBytesPerDay: null, repairsPerDay: null };

describe("a gap is held", () => {
  test.each<[string, Partial<Scene>, ProcessorSketch?]>([
    ["age", { policy: { maxAgeMs: 1.4 * dayMs } }],
    ["budget", { budgets: { ...noBudgets, repairsPerDay: 5 }, ledger: { startsLast24h: 5 } }],
    ["budget", { budgets: { ...noBudgets, scanBytesPerDay: 9 }, ledger: { scanBytesLast24h: 9 } }],
    ["circuit", { ledger: { recentEnds: [runEnd("a", "2024-01-02T11:50Z", { systemic: "quota" })] } }],
    ["paused", { ledger: { decisions: [decision("pause", { processors: ["a"] })] } }],
    [
      "waiver_expired",
      { ledger: { decisions: [decision("waive", { processors: ["a"], expires: "2024-01-01" })] } },
    ],
    ["repair_window", {}, { repair: { windows: [{ startMinute: 721, endMinute: 800 }] } }],
    ["precondition", { unmet: { a: "select false" } }],
    ["not_selected", { selection: { processors: [] } }],
    ["not_selected", { selection: { start: "2024-01-02" } }],
  ])("for its reason: %s", (reason, scene, own) => {
    expect(gap(scene, own)).toMatchObject(is("held", reason));
  });

  test("for its age, unless somebody waits for it", () => {
    const wanted = (processor: number, from: number, to: number) =>
      gap({ policy: { maxAgeMs: 1, wanted: [{ processors: new Set([processor]), from, to }] } });
    expect(wanted(0, 0, 0)).toMatchObject(is("ready"));
    expect(wanted(0, 1, 9)).toMatchObject(is("held", "age"));
    expect(wanted(1, 0, 0)).toMatchObject(is("held", "age"));
  });

  test("by a mass gap of its own processor, and of all together, until a person accepts it", () => {
    const rules = { maxShare: 0.2, cellsMin: 1 };
    const scene: Partial<Scene> = {
      safety: {
        autoRepairMaxAgeMs: null,
        massGap: rules,
        scheduleChange: { maxShare: 0.01, datesMin: 3 },
        circuitBreaker: { failures: 5, coolOffMs: 1 },
      },
      processors: { b: {} },
      seen: { a: ".", b: "#" },
      ledger: {
        baselines: [baseline("processor", "a", date), baseline("processor", "b", "2024-01-01..2024-01-31")],
      },
    };
    expect(gap(scene)).toMatchObject(is("held", "mass_gap"));
    const accepted = [decision("accept", { at: "2024-01-02T00:00Z", processors: ["a"] })];
    expect(gap({ ...scene, ledger: { ...scene.ledger, decisions: accepted } })).toMatchObject(is("ready"));
  });

  test("by a schedule that lost dates, and only on that schedule", () => {
    const found = assessed({
      processors: { a: { schedule: "games" }, b: {} },
      schedules: [tableSchedule("games"), everyDay],
      dates: { games: "aa" },
      seen: { a: "..", b: ".." },
      ledger: { baselines: [baseline("schedule", "games", "2023-12-28..2024-01-02")] },
    });
    expect(cellAt(found, "a", date)).toMatchObject(is("held", "schedule"));
    expect(cellAt(found, "b", date)).toMatchObject(is("ready"));
  });

  test("outside the times of day of its repair, start included, end not, over midnight too", () => {
    const at = (time: string, startMinute: number, endMinute: number) =>
      gap({ now: `2024-01-02T${time}Z` }, { repair: { windows: [{ startMinute, endMinute }] } }).disposition;
    expect(["11:59", "12:00", "12:59", "13:00"].map((time) => at(time, 720, 780))).toEqual([
      "held",
      "ready",
      "ready",
      "held",
    ]);
    expect(["22:59", "23:00", "06:30", "07:00"].map((time) => at(time, 1380, 420))).toEqual([
      "held",
      "ready",
      "ready",
      "held",
    ]);
  });
});

describe("the first disposition that applies is", () => {
  // Each row adds what would make the gap the next one; together they name the first.
  const all: Partial<Scene> = {
    processors: { up: {} },
    seen: { a: ".", up: "." },
    ledger: { attempts: failedAt(1, 2, 3) },
    policy: { maxAgeMs: 1 },
  };
  const blockedBy: ProcessorSketch = { needs: ["up"] };

  test("running before everything", () => {
    const own: ProcessorSketch = { ...blockedBy, sourceRetentionMs: 1 };
    expect(gap(all, own)).toMatchObject(is("unrepairable", "source_expired"));
    expect(gap({ ...all, inFlight: inFlight("running") }, own)).toMatchObject(is("running"));
  });

  test("unrepairable before quarantined", () => {
    expect(gap(all, { ...blockedBy, repair: null })).toMatchObject(is("unrepairable", "no_repair"));
  });

  test("quarantined before blocked", () => {
    expect(gap(all, blockedBy)).toMatchObject(is("quarantined", "attempts_used_up"));
  });

  test("blocked before held", () => {
    expect(gap({ ...all, ledger: {} }, blockedBy)).toMatchObject(is("blocked", "upstream"));
  });

  test("held before backing off", () => {
    const ledger = { attempts: [attempt("a", date, "2024-01-02T11:59:59Z")] };
    expect(gap({ ...all, ledger })).toMatchObject(is("held", "age"));
    expect(gap({ ...all, ledger, policy: {} })).toMatchObject(is("backing_off", "backoff"));
  });
});

describe("a quarantined cell is probed", () => {
  const withInputs = (inputs: Readonly<Record<string, string>>) =>
    [1, 2, 3].map((hour) => attempt("a", date, `2024-01-02T0${hour}:00Z`, { inputs }));
  const scene = (attempts: ReturnType<typeof withInputs>, more: Partial<Scene> = {}): Partial<Scene> => ({
    processors: { up: {} },
    seen: { a: ".", up: "#" },
    ledger: { attempts },
    ...more,
  });
  const own: ProcessorSketch = { needs: ["up"] };

  test("when the content of its own-date inputs changed since its last attempt", () => {
    expect(gap(scene(withInputs({ up: "10//" })), own)).toMatchObject(is("quarantined", "attempts_used_up"));
    expect(gap(scene(withInputs({ up: "9//" })), own)).toMatchObject(is("ready", "probe"));
  });

  test("not when nothing is on record to compare with, or the input cannot be seen", () => {
    expect(gap(scene(withInputs({})), own).disposition).toBe("quarantined");
    const unseen = scene(withInputs({ up: "9//" }), { seen: { a: ".", up: null } });
    expect(gap(unseen, own).disposition).toBe("quarantined");
  });

  test("without waiting for backoff, but not while it is held or blocked", () => {
    const fresh = [...withInputs({ up: "9//" })].map((entry, index) => ({
      ...entry,
      endedAt: Date.parse(now) - 1000 * (3 - index),
    }));
    expect(gap(scene(fresh), own)).toMatchObject(is("ready", "probe"));
    expect(gap(scene(fresh, { policy: { maxAgeMs: 1 } }), own)).toMatchObject(is("held", "age"));
    expect(gap(scene(withInputs({ up: "9//" }), { seen: { a: ".", up: "." } }), own)).toMatchObject(
      is("blocked", "upstream"),
    );
  });

  test("again only after an hour", () => {
    const probe = attempt("a", date, "2024-01-02T11:30Z", { inputs: { up: "8//" } });
    const attempts = [...withInputs({ up: "9//" }), probe];
    expect(gap(scene(attempts), own).disposition).toBe("quarantined");
    expect(gap(scene(attempts, { now: "2024-01-02T12:30Z" }), own)).toMatchObject(is("ready", "probe"));
  });

  test("when it re-opened too often and its inputs are not what the last repair read", () => {
    const gapEvents = [1, 2, 3, 4].flatMap((hour) => [
      opened("a", date, `2024-01-02T0${hour}:00Z`),
      closed("a", date, `2024-01-02T0${hour}:30Z`),
    ]);
    const reopened = (inputs: Readonly<Record<string, string>>): Partial<Scene> => ({
      processors: { up: {} },
      seen: { a: ".", up: "#" },
      ledger: {
        gapEvents: gapEvents.slice(0, -1),
        attempts: [attempt("a", date, "2024-01-02T03:29Z", { outcome: "repaired", inputs })],
      },
    });
    expect(gap(reopened({ up: "10//" }), own)).toMatchObject(is("quarantined", "reopened"));
    expect(gap(reopened({ up: "9//" }), own)).toMatchObject(is("ready", "probe"));
  });
});

describe("a quarantined cell is probed by the clock", () => {
  const tried = [1, 2, 3].map((hour) => attempt("a", date, `2024-01-02T0${hour}:00Z`));
  const probed = { repair: { probe: { afterMs: 9 * hourMs, max: 2 } } };
  const at = (time: string, more: Partial<Scene> = {}, attempts = tried): Partial<Scene> => ({
    seen: { a: "." },
    ledger: { attempts },
    now: `2024-01-0${time}`,
    ...more,
  });

  test("when its time has come, and not before", () => {
    expect(gap(at("2T11:59Z"), probed)).toMatchObject(is("quarantined", "attempts_used_up"));
    expect(gap(at("2T12:00Z"), probed)).toMatchObject(is("ready", "probe"));
    const again = [...tried, attempt("a", date, "2024-01-02T13:00Z")];
    expect(gap(at("3T06:59Z", {}, again), probed).disposition).toBe("quarantined");
    expect(gap(at("3T07:00Z", {}, again), probed)).toMatchObject(is("ready", "probe"));
    const used = [...again, attempt("a", date, "2024-01-03T07:00Z")];
    expect(gap(at("9T12:00Z", {}, used), probed).disposition).toBe("quarantined");
  });

  test("with too few rows too, but not with rows that break a check", () => {
    const checked = { ...probed, expect: { rows: { min: 2 }, checks: [{ name: "c", sql: "c" }] } };
    const seen = (rows: number, violations: number) => ({
      seen: { a: [{ date, rows, metrics: [violations] }] },
    });
    expect(gap(at("2T12:00Z", seen(1, 0)), checked)).toMatchObject(is("ready", "probe"));
    expect(gap(at("2T12:00Z", seen(2, 1)), checked)).toMatchObject(is("quarantined", "attempts_used_up"));
  });

  test("within the caps: not while it is held, or blocked", () => {
    expect(gap(at("2T12:00Z", { policy: { maxAgeMs: 1 } }), probed)).toMatchObject(is("held", "age"));
    const blocked = at("2T12:00Z", { processors: { up: {} } });
    expect(gap(blocked, { ...probed, needs: ["up"] })).toMatchObject(is("blocked", "upstream"));
  });
});

describe("a chronological processor", () => {
  const failed = (day: string) => [1, 2, 3].map((hour) => attempt("a", day, `2024-01-08T0${hour}:00Z`));

  /** The dispositions of `a`, seasons by letter. */
  function row(seen: string, more: Partial<Scene> = {}, own: ProcessorSketch = {}, seasons?: string): string {
    return dispositionsOf(
      assessed({
        processors: { a: { chronological: true, ...own }, ...more.processors },
        schedules: [tableSchedule()],
        dates: { default: seasons ?? "a".repeat(seen.length) },
        seen: { a: seen },
        now: "2024-01-09T12:00Z",
        ...more,
      }),
      "a",
    ).slice(0, seen.length);
  }

  test("takes all its open dates when nothing stops them", () => {
    expect(row("#..#.")).toBe(".RR.R");
  });

  test("stops behind a quarantined date, in that season alone", () => {
    const ledger = { attempts: failed("2024-01-02") };
    expect(row("......", { ledger }, {}, "aaabbb")).toBe("RxbRRR");
    const blocked = assessed({
      processors: { a: { chronological: true } },
      seen: { a: "..." },
      ledger,
      now: "2024-01-09T12:00Z",
    });
    expect(cellAt(blocked, "a", "2024-01-03")).toMatchObject(is("blocked", "chronological"));
  });

  test("goes on behind poison where it may, but not behind what is running or waits", () => {
    const own: ProcessorSketch = { onPoison: "continue" };
    expect(row("....", { ledger: { attempts: failed("2024-01-02") } }, own)).toBe("RxRR");
    const running = [{ repair: "a", dates: ["2024-01-02"] }];
    expect(row("....", { inFlight: running }, own)).toBe("Rrbb");
    const backingOff = { attempts: [attempt("a", "2024-01-02", "2024-01-09T11:59:59Z")] };
    expect(row("....", { ledger: backingOff }, own)).toBe("Robb");
  });

  test("stops behind a blocked and behind a held date", () => {
    const upstream: Partial<Scene> = {
      processors: { up: {}, a: { chronological: true, needs: ["up"] } },
      seen: { up: "#.##", a: "...." },
    };
    expect(row("....", upstream)).toBe("Rbbb");
    const ledger = { decisions: [decision("pause", { start: "2024-01-02", end: "2024-01-02" })] };
    expect(row("....", { ledger })).toBe("Rhbb");
  });

  test("is never stopped by a complete, exempt or waived date", () => {
    const decisions = [decision("waive", { processors: ["a"], start: "2024-01-02", end: "2024-01-03" })];
    expect(row(".....", { ledger: { decisions } })).toBe("R..RR");
    expect(row(".....", {}, { bootstrapDays: 2 })).toBe("..RRR");
  });
});
