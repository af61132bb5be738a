import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { startReconcile } from "../support/cli.ts";
import { until } from "./fill-scene.ts";
import { commandOf, job } from "./jobs.ts";
import { leagueFiles, leagueHead, processors, wholeLeague } from "./league.ts";
import { bigQueryPlatform } from "./platform.ts";
import { documentOf, gapsOf, type Scene, sqlDates, withScene } from "./scene.ts";

// Goal: an orchestrator beside us records its runs in a table. What it runs is not run twice, and what it only says to run
// does not keep anything from being repaired. Method: `reconcile` as a process, on a small league in a DuckDB file.

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

const runHistory = `run_history:
  table: ops.processor_run_history
  date_column: data_date
  processor_column: processor_name
  status_column: status
  started_at_column: started_at
  ended_at_column: processed_at
  error_column: errors
  run_id_column: run_id
  names: { player_game_summary: PlayerGameSummaryProcessor }
`;
const history = [
  "create schema ops",
  `create table ops.processor_run_history
    (processor_name varchar, run_id varchar, status varchar, data_date date, started_at timestamptz, processed_at timestamptz, errors varchar)`,
];
const phases =
  processors.boxscores + processors.player_game_summary + processors.upcoming_player_game_context;
const pipeline = leagueHead.replace("processors:", `${runHistory}processors:`);

/** A row of the summaries' processor, which began so long ago. */
const row = (id: string, status: string, date: string, ago: string, error = "null") =>
  `insert into ops.processor_run_history values
    ('PlayerGameSummaryProcessor', '${id}', '${status}', date '${date}', now() - interval '${ago}', null, ${error})`;

/** All but the summaries of some dates, and what reads those. */
const withoutSummaries = (...dates: readonly string[]) => [
  ...wholeLeague(["2024-01-01", "2024-01-03"]),
  `delete from nba.player_game_summary where game_date in ${sqlDates(dates)}`,
  ...history,
];

/** The summaries filled by a program instead of a SELECT, a date at a time. */
const byProgram =
  pipeline +
  processors.boxscores +
  processors.player_game_summary.replace(
    "sql_file: player_game_summary.sql",
    `command: ${commandOf("summary.mjs")}, batch: single`,
  );
const fill =
  '"insert into nba.player_game_summary select game_date, game_id, player, 20 from nba.boxscores where game_date = \'" + first + "\'"';

async function startsOf(scene: Scene): Promise<(string | null)[]> {
  const starts = await scene.ledger(
    "select dates::varchar from repair_starts where repair = 'player_game_summary' order by started_at",
  );
  return starts.map(([dates]) => dates ?? null);
}

test.concurrent("6: a row that has said `running` for more than four hours is reported and ignored, and everything converges", async () => {
  const warehouse = [
    ...withoutSummaries("2024-01-02"),
    "delete from nba.upcoming_player_game_context where game_date >= '2024-01-02'",
    row("died", "running", "2024-01-02", "5 hours"),
    row("before", "failed", "2024-01-02", "6 hours", "'Traceback: no route to host'"),
  ];
  await withScene({ pipeline: pipeline + phases, files: leagueFiles, warehouse }, async (scene) => {
    const stale = [
      {
        processor: "player_game_summary",
        date: "2024-01-02",
        started_at: expect.stringMatching(/Z$/),
        run_id: "died",
      },
    ];
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: document.gaps }).toEqual({ code: 0, gaps: [] });
    expect(document.stale_runs).toEqual(stale);
    expect(document.run_history_failure).toBeNull();
    const status = await scene.run("status");
    expect(status.stdout.replaceAll(/\s+/g, " ")).toMatch(
      /player_game_summary 2024-01-02: run died is said to be running since \S+; it is taken for dead and ignored/,
    );
    const told = await scene.run("explain", "player_game_summary", "2024-01-02");
    expect(told.stdout).toMatch(/running \(run died\)/);
    expect(told.stdout).toMatch(/failed \(run before\)\n\s+Traceback: no route to host/);
  });
});

test.concurrent("14: a date that runs elsewhere is not doubled, what needs it waits, and the run goes on when that one has ended", async () => {
  const warehouse = [
    ...withoutSummaries("2024-01-01", "2024-01-02"),
    row("theirs", "running", "2024-01-02", "1 minute"),
  ];
  await withScene({ pipeline: pipeline + phases, files: leagueFiles, warehouse }, async (scene) => {
    const busy = await scene.report("--once", "--max-wait", "0s");
    expect({ code: busy.code, gaps: gapsOf(busy.document) }).toEqual({
      code: 2,
      gaps: ["player_game_summary 2024-01-02 missing running"],
    });
    expect(busy.document.gaps[0]?.reason).toBe("elsewhere");
    expect(await startsOf(scene)).toEqual(["[2024-01-01]"]);
    const told = await scene.run("explain", "player_game_summary", "2024-01-02");
    expect(told.stdout.replaceAll(/\s+/g, " ")).toContain("run theirs is under way elsewhere since");

    const waiting = startReconcile(["--once", "--max-wait", "60s", "--format", "json"], {
      cwd: scene.folder,
    });
    let said = "";
    waiting.child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until("the run to wait", () => said.includes('"msg":"waiting"'));
    expect(waiting.child.exitCode).toBeNull();
    await scene.warehouse.write([
      "insert into nba.player_game_summary select game_date, game_id, player, 20 from nba.boxscores where game_date = '2024-01-02'",
      "update ops.processor_run_history set status = 'success', processed_at = now()",
    ]);
    const ended = await waiting.ended;
    expect({ code: ended.code, gaps: documentOf(ended).gaps }).toEqual({ code: 0, gaps: [] });
    expect(await startsOf(scene)).toEqual(["[2024-01-01]"]);
  });
});

test.concurrent("a run that begins elsewhere after the look is seen before the launch", async () => {
  const files = {
    "summary.mjs": job(`
      const other = first === "2024-01-02" ? "2024-01-01" : "2024-01-02";
      await sql(${fill}, "insert into ops.processor_run_history values ('PlayerGameSummaryProcessor', 'theirs', 'running', date '" + other + "', now(), null, null)");`),
  };
  const warehouse = withoutSummaries("2024-01-01", "2024-01-02");
  await withScene({ pipeline: byProgram, files, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once", "--max-wait", "0s");
    expect(code).toBe(2);
    expect(document.gaps).toMatchObject([
      { date: "2024-01-01", disposition: "running", reason: "elsewhere" },
    ]);
    expect(readFileSync(join(scene.folder, "runs.log"), "utf8")).toBe("player_game_summary 2024-01-02\n");
  });
});

test.concurrent("the row of our own job, which died and left it behind, does not keep it from being tried again", async () => {
  const files = {
    "summary.mjs": job(`
      await sql("insert into ops.processor_run_history values ('PlayerGameSummaryProcessor', 'ours', 'running', date '" + first + "', now(), null, null)");
      if (!existsSync("died")) { writeFileSync("died", ""); process.exit(1); }
      await sql(${fill});`),
  };
  await withScene(
    { pipeline: byProgram, files, warehouse: withoutSummaries("2024-01-02") },
    async (scene) => {
      const { code, document } = await scene.report("--once");
      expect({ code, gaps: document.gaps, stale: document.stale_runs }).toEqual({
        code: 0,
        gaps: [],
        stale: [],
      });
      expect(document.repairs.map(({ outcome }) => outcome)).toEqual(["failed", "repaired"]);
    },
  );
});

test.concurrent("a history that cannot be read is told of, and holds nothing back", async () => {
  const warehouse = [...withoutSummaries("2024-01-02"), "drop table ops.processor_run_history"];
  await withScene({ pipeline: pipeline + phases, files: leagueFiles, warehouse }, async (scene) => {
    const { code, document, stderr } = await scene.report("--once");
    expect({ code, gaps: document.gaps }).toEqual({ code: 0, gaps: [] });
    expect(document.run_history_failure).toEqual({
      code: "not_found",
      message: "there is no table ops.processor_run_history",
    });
    expect(stderr).toContain("run history not read");
    const status = await scene.run("status");
    expect(status.stdout.replaceAll(/\s+/g, " ")).toContain(
      "so that runs elsewhere may be unknown and be doubled",
    );
    const checked = await scene.run("validate", "--connect");
    expect(checked.code).toBe(1);
    expect(checked.stdout).toContain("run_history.table");
  });
});

test.concurrent("on BigQuery too a run elsewhere is not doubled, one that died is ignored, and a quiet look costs nothing", async () => {
  const platform = await bigQueryPlatform({ predictions: ["2024-01-05", "2024-02-01"] });
  try {
    const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
    platform.server.define({
      name: "ops.processor_run_history",
      columns: {
        processor_name: "STRING",
        run_id: "STRING",
        status: "STRING",
        data_date: "DATE",
        started_at: "TIMESTAMP",
        processed_at: "TIMESTAMP",
        errors: "STRING",
      },
      partition: { column: "data_date", requireFilter: true },
      rows: [
        ["predictions", "theirs", "running", "2024-01-05", ago(0.1), null, null],
        ["predictions", "died", "running", "2024-02-01", ago(5), null, null],
      ],
    });
    await platform.configure({ more: runHistory.replace(/ {2}names.*\n/, "") });
    const busy = await platform.report("--once", "--max-wait", "0s");
    expect({ code: busy.code, gaps: gapsOf(busy.document) }).toEqual({
      code: 2,
      gaps: ["predictions 2024-01-05 missing running"],
    });
    expect(busy.document.stale_runs.map(({ date, run_id }) => `${date} ${run_id}`)).toEqual([
      "2024-02-01 died",
    ]);
    // The repair changed a table, which the next look asks once more.
    await platform.report("--once", "--max-wait", "0s");
    platform.billed();
    const quiet = await platform.report("--once", "--max-wait", "0s");
    expect({ code: quiet.code, billed: platform.billed() }).toEqual({ code: 2, billed: 0 });
    await platform.server.run(
      "update ops.processor_run_history set status = 'failed' where data_date = '2024-01-05'",
    );
    expect(await platform.report("--once")).toMatchObject({ code: 0, document: { gaps: [] } });
  } finally {
    await platform.remove();
  }
});
