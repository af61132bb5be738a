import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type CliProcess, startReconcile } from "../support/cli.ts";
import { leagueFiles, leagueHead, processors, wholeLeague } from "./league.ts";
import { type Scene, withScene } from "./scene.ts";

const timeoutMs = 120_000;
const nights = ["2024-01-02", "2024-01-31"] as const;

/** A league whose summaries, and all that was computed from them, have lost some nights. */
function broken(daemon: string) {
  const tables = ["player_game_summary", "player_composite_factors", "ml_feature_store_v2"];
  return {
    pipeline: `daemon: { cron: "0 4 1 1 *", shutdown_grace: 5s${daemon} }\n${leagueHead}${[
      processors.boxscores,
      processors.player_game_summary,
      processors.upcoming_player_game_context,
      processors.player_composite_factors,
      processors.ml_feature_store_v2,
    ].join("")}`,
    files: leagueFiles,
    warehouse: [
      ...wholeLeague(nights),
      ...tables.map(
        (table) => `delete from nba.${table} where game_date between '2024-01-10' and '2024-01-12'`,
      ),
    ],
  };
}

interface Daemon extends CliProcess {
  /** Resolves once stderr has a line that matches, and fails where the daemon ends before. */
  logged(pattern: RegExp): Promise<void>;
}

function startDaemon({ folder }: Scene): Daemon {
  const daemon = startReconcile(["daemon", "--log-level", "debug"], { cwd: folder });
  let [text, isOver] = ["", false];
  daemon.child.stderr?.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
  });
  void daemon.ended.then(() => {
    isOver = true;
  });
  return {
    ...daemon,
    async logged(pattern) {
      while (!pattern.test(text)) {
        if (isOver) throw new Error(`the daemon ended without ${pattern.source}:\n${text}`);
        await sleep(20);
      }
    },
  };
}

async function stop(daemon: Daemon): Promise<void> {
  daemon.child.kill("SIGTERM");
  expect(await daemon.ended).toMatchObject({ code: 0, signal: null, stdout: "" });
}

/** Waits for the repairs of the three tables, and asks whether that was all. */
async function converged(scene: Scene, daemon: Daemon): Promise<void> {
  await daemon.logged(/(?:"repair ended"[^]*){3}/);
  expect((await scene.report("status")).document).toMatchObject({ converged: true });
}

describe.concurrent("the daemon", () => {
  test(
    "repairs at its start whatever is missing, level by level, without waiting for its cron, and ends cleanly on SIGTERM",
    () =>
      withScene(broken(""), async (scene) => {
        const daemon = startDaemon(scene);
        await converged(scene, daemon);
        await stop(daemon);
        const outcomes = await scene.ledger(
          "select repair, outcome from repair_ends order by ended_at, repair",
        );
        expect(outcomes).toEqual([
          ["player_game_summary", "repaired"],
          ["player_composite_factors", "repaired"],
          ["ml_feature_store_v2", "repaired"],
        ]);
        // One look at everything found all of it: what a repair unblocked was started from that repair's own look.
        expect(await scene.ledger("select count(*) from cycles")).toEqual([["1"]]);
      }),
    timeoutMs,
  );

  test(
    "that only observes records the gaps and starts nothing",
    () =>
      withScene(broken(", mode: observe"), async (scene) => {
        const daemon = startDaemon(scene);
        await daemon.logged(/"cycle observed"/);
        // Long enough for what must not happen: a repair begins within milliseconds of the look.
        await sleep(1_000);
        await stop(daemon);
        expect(await scene.ledger("select count(*) from repair_starts")).toEqual([["0"]]);
        expect(await scene.ledger("select count(*) from open_gaps")).toEqual([["9"]]);
      }),
    timeoutMs,
  );

  test(
    "heeds what people decide while it runs: a pause holds everything, a resume lets it go on",
    () =>
      withScene(broken(""), async (scene) => {
        const why = ["--start-date", "2024-01-01", "--reason", "maintenance", "--yes"];
        expect(await scene.run("validate", "--create")).toMatchObject({ code: 0 });
        expect(await scene.run("pause", ...why)).toMatchObject({ code: 0 });
        const daemon = startDaemon(scene);
        await daemon.logged(/"cycle observed"/);
        expect((await scene.report("status")).document.gaps.map(({ reason }) => reason)).toContain("paused");
        expect(await scene.ledger("select count(*) from repair_starts")).toEqual([["0"]]);
        expect(await scene.run("resume", ...why)).toMatchObject({ code: 0 });
        await converged(scene, daemon);
        await stop(daemon);
      }),
    timeoutMs,
  );

  test(
    "has its ledger to itself: a run beside it is refused and told who repairs",
    () =>
      withScene(broken(", mode: observe"), async (scene) => {
        const daemon = startDaemon(scene);
        await daemon.logged(/"cycle observed"/);
        const refused = await scene.run("--once", "--max-wait", "0s", "--format", "json");
        expect(refused.code).toBe(1);
        expect(refused.json()).toMatchObject({ error: { code: "run_in_progress" } });
        await stop(daemon);
        expect(await scene.run("--once")).toMatchObject({ code: 0 });
      }),
    timeoutMs,
  );

  test(
    "goes on living where a cycle fails, says why, and begins nothing",
    () =>
      withScene({ ...broken(""), warehouse: ["create schema nba"] }, async (scene) => {
        const daemon = startDaemon(scene);
        await daemon.logged(/"code":"schedule_failed".*"cycle failed"/);
        await stop(daemon);
        expect(existsSync(join(scene.folder, "warehouse.ledger.duckdb"))).toBe(false);
      }),
    timeoutMs,
  );
});
