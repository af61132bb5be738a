import type { LivePlan, LiveView } from "../../src/reconcile/ports/live-view.ts";
import { parseIsoDate } from "../../src/core/iso-date.ts";
import { attempt, decision, instant, repairStart } from "../support/ledger.ts";
import { liveViewOf } from "../support/live-view.ts";
import { dayMs, tableSchedule } from "../support/pipeline.ts";
import type { Scene } from "../support/sight.ts";

/** What a daemon knows at one moment of a run. */
export interface Moment {
  readonly view: LiveView;
  readonly plan: LivePlan;
}

/** Two seasons of 170 dates with a summer between, and a third that has begun. */
const dates = `${"a".repeat(170)}${"-".repeat(120)}${"b".repeat(170)}${"-".repeat(120)}${"c".repeat(40)}`;
const start = "2022-10-18";
/** The day after the last of the dates. */
const now = "2024-06-29T12:00:00.851Z";

/** Rows on every date, but for some holes, each from one offset to another, both included. */
function seen(...holes: readonly (readonly [from: number, to: number])[]): string {
  return Array.from(dates, (day, at) =>
    day === "-" || holes.some(([from, to]) => at >= from && at <= to) ? "." : "#",
  ).join("");
}

const script = `<script>document.title = "owned"</script>`;

function sceneOf(holes: Scene["seen"], more: Partial<Scene> = {}): Scene {
  return {
    name: "nba-props",
    start,
    now,
    schedules: [tableSchedule()],
    dates: { default: dates },
    processors: {
      nbac_boxscores: { phase: "raw" },
      odds_props: { phase: "raw" },
      player_game_summary: { phase: "analytics", needs: ["nbac_boxscores"], expect: { rows: { min: 5 } } },
      ml_feature_store: { phase: "precompute", needs: ["player_game_summary"], bootstrapDays: 14 },
      predictions: { phase: "predictions", needs: ["ml_feature_store", "odds_props"] },
    },
    ...(holes === undefined ? {} : { seen: holes }),
    ...more,
  };
}

/** Twenty-six days of summaries are missing, and all that is made from them; one table cannot be read; one date gave up. */
export function before(): Moment {
  const waived = decision("waive", {
    processors: ["nbac_boxscores"],
    start: "2022-10-18",
    end: "2022-10-18",
  });
  const decisions = [{ ...waived, reason: script }];
  const scene = sceneOf(
    {
      nbac_boxscores: seen(),
      odds_props: null,
      player_game_summary: seen([300, 325]).replace(/^(.{330})#/, "$13"),
      ml_feature_store: seen([300, 330]),
      predictions: seen([300, 330], [580, 615]),
    },
    {
      ledger: {
        attempts: [1, 2, 3].map((day) =>
          attempt("player_game_summary", dateOf(325), `2024-06-2${day}T10:00Z`),
        ),
        decisions,
      },
    },
  );
  return liveViewOf(scene, { ...kept([[0, 131]]), decisions, pipeline: "nba-props", target: "local" });
}

/** The summaries of one week are back, one batch runs and another waits. */
export function during(): Moment {
  const batch = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, offset) => dateOf(from + offset));
  const scene = sceneOf(
    {
      nbac_boxscores: seen(),
      odds_props: seen(),
      player_game_summary: seen([307, 325]),
      ml_feature_store: seen([303, 330]),
      predictions: seen([300, 330]),
    },
    {
      inFlight: [
        { repair: "player_game_summary", dates: batch(307, 313) },
        { repair: "player_game_summary", dates: batch(314, 320), state: "queued" },
      ],
    },
  );
  const at = instant(now);
  return liveViewOf(scene, {
    ...kept([
      [0, 131],
      [1, 110],
    ]),
    pipeline: "nba-props",
    target: "local",
    revision: 2,
    running: [
      repairStart("player_game_summary", batch(307, 313), {
        startedAt: at - 40_000,
        deadlineAt: at + 3_560_000,
      }),
    ],
    queued: [
      {
        id: "q1",
        repair: "player_game_summary",
        dates: batch(314, 320).map(parseIsoDate),
        attempt: 1,
        reason: "7 missing",
        cycleId: "c",
        epoch: 1,
        state: "queued",
        queuedAt: at - 30_000,
      },
    ],
    ended: [
      {
        repairId: "e1",
        repair: "player_game_summary",
        processors: ["player_game_summary"],
        dates: batch(300, 302).map(parseIsoDate),
        attempt: 1,
        startedAt: at - 200_000,
        endedAt: at - 90_000,
        outcome: "failed",
        systemic: null,
        errorCode: "exit_75",
        message: `the source answered 503 ${script}`,
        cells: [],
      },
    ],
  });
}

export function after(): Moment {
  const all = ["nbac_boxscores", "odds_props", "player_game_summary", "ml_feature_store", "predictions"];
  return liveViewOf(sceneOf(Object.fromEntries(all.map((name) => [name, seen()]))), {
    ...kept([
      [0, 131],
      [1, 110],
      [2, 64],
      [3, 20],
      [4, 0],
    ]),
    pipeline: "nba-props",
    target: "local",
    revision: 3,
  });
}

/** What was converged half an hour ago, when the warehouse was last reached. */
export function stale(): Moment {
  const { view, plan } = after();
  if (view.sight === null) throw new RangeError("the moment has no sight");
  const since = view.sight.assessment.now;
  return {
    plan,
    view: {
      ...view,
      revision: 4,
      sight: { ...view.sight, isStale: true, ageMs: 1_800_000 },
      cycleFailure: {
        code: "warehouse_unavailable",
        message: "connection refused",
        hint: "is it running?",
        since,
      },
    },
  };
}

function kept(points: readonly (readonly [hours: number, gaps: number])[]): Pick<LiveView, "history"> {
  const first = instant(now) - dayMs;
  return {
    history: points.map(([hours, gaps]) => ({
      at: first + hours * 4 * 3_600_000,
      gaps,
      unknown: 0,
      converged: gaps === 0,
    })),
  };
}

function dateOf(offset: number): string {
  return new Date(Date.parse(start) + offset * dayMs).toISOString().slice(0, 10);
}
