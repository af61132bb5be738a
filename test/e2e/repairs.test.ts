import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { openDatabase } from "../../src/adapters/duckdb/database.ts";
import { commandOf, job } from "./jobs.ts";
import { leagueFiles, leagueHead, processors, wholeLeague } from "./league.ts";
import { datesFrom, gapsOf, type Scene, withScene } from "./scene.ts";

// Goal: repairs of every kind, and what may go wrong with one, as a user meets them.

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 3 });

const summaryBy = (repair: string) =>
  leagueHead +
  processors.boxscores +
  processors.player_game_summary.replace("sql_file: player_game_summary.sql", repair);
const oneMissing = [
  ...wholeLeague(["2024-01-01", "2024-01-03"]),
  "delete from nba.player_game_summary where game_date = '2024-01-02'",
];
const fill =
  "await sql(`insert into nba.player_game_summary select game_date, game_id, player, 20 from nba.boxscores where game_date between '${first}' and '${last}'`);";

// It waits longer than all others take, so that they run meanwhile.
test.concurrent("a warehouse that another program holds is waited for, then told as such", async () => {
  await withScene(
    { pipeline: summaryBy("sql_file: player_game_summary.sql"), files: leagueFiles, warehouse: oneMissing },
    async (scene) => {
      const database = await openDatabase({
        path: scene.warehouse.path,
        mode: "read_write",
        lockWaitMs: 10_000,
      });
      try {
        const locked = await scene.run("--once", "--max-wait", "1s", "--format", "json");
        expect(locked.code).toBe(1);
        expect(locked.json()).toMatchObject({
          error: { code: "warehouse_locked", message: expect.stringContaining(String(process.pid)) },
        });
      } finally {
        database.close();
      }
      expect((await scene.run("--once")).code).toBe(0);
    },
  );
});

test.concurrent("a run that outlives its time limit is stopped and charged as timed out", async () => {
  const pipeline = summaryBy(
    `command: ${commandOf("summary.mjs")}, timeout: 500ms, timeout_per_date: 500ms, max_attempts: 2`,
  );
  await withScene(
    { pipeline, files: { "summary.mjs": job("await sleep(600_000);") }, warehouse: oneMissing },
    async (scene) => {
      const { code, document } = await scene.report("--once");
      expect({ code, gaps: gapsOf(document) }).toEqual({
        code: 2,
        gaps: ["player_game_summary 2024-01-02 missing quarantined"],
      });
      expect(document.repairs.map(({ outcome }) => outcome)).toEqual(["timed_out", "timed_out"]);
      // Half a second for the run, and half a second for its one date.
      expect(document.repairs[0]?.message).toContain("within 1 s");
      expect(await scene.ledger("select outcome, charged from cell_outcomes")).toEqual([
        ["timed_out", "true"],
        ["timed_out", "true"],
      ]);
    },
  );
});

test.concurrent("a repair that is only accepted over HTTP is proven by the data when it comes, not by the answer", async () => {
  let later: Promise<void> = Promise.resolve();
  let scene: Scene | null = null;
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      bodies.push(body);
      response.writeHead(202).end();
      later = later.then(() =>
        scene?.warehouse.write([
          "insert into nba.player_game_summary select game_date, game_id, player, 20 from nba.boxscores where game_date = '2024-01-02'",
        ]),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const pipeline = summaryBy(
    `http: { url: "http://127.0.0.1:${port}/start", body: { from: "{{start_date}}", to: "{{end_date}}" } }`,
  );
  try {
    await withScene({ pipeline, warehouse: oneMissing }, async (made) => {
      scene = made;
      const { code, document } = await made.report("--once");
      await later;
      expect({ code, gaps: document.gaps }).toEqual({ code: 0, gaps: [] });
      expect(bodies).toEqual(['{"from":"2024-01-02","to":"2024-01-02"}']);
    });
  } finally {
    server.close();
  }
});

test.concurrent("a coordinator that is away opens the circuit and charges nothing", async () => {
  const pipeline = summaryBy(`http: { url: "http://127.0.0.1:9/start" }`);
  await withScene({ pipeline, warehouse: oneMissing }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: gapsOf(document) }).toEqual({
      code: 2,
      gaps: ["player_game_summary 2024-01-02 missing held"],
    });
    expect(document.gaps.map(({ reason, attempts }) => [reason, attempts])).toEqual([["circuit", 0]]);
  });
});

test.concurrent("a chronological processor goes in order and stops at the date that cannot be filled", async () => {
  const pipeline = summaryBy(
    `command: ${commandOf("summary.mjs")}, max_attempts: 2, max_dates_per_job: 2`,
  ).replace('phase: "3"', 'phase: "3"\n    chronological: true');
  const files = {
    "summary.mjs": job(`if (first <= "2024-01-05" && "2024-01-05" <= last) process.exit(64);\n${fill}`),
  };
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-08"]),
    "delete from nba.player_game_summary where game_date > '2024-01-01'",
  ];
  await withScene({ pipeline, files, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({ code, gaps: gapsOf(document) }).toEqual({
      code: 2,
      gaps: [
        "player_game_summary 2024-01-05 missing quarantined",
        ...datesFrom("2024-01-06", "2024-01-08").map((date) => `player_game_summary ${date} missing blocked`),
      ],
    });
    expect(document.gaps[1]).toMatchObject({
      reason: "chronological",
      root_causes: [{ processor: "player_game_summary", date: "2024-01-05" }],
    });
    const runs = readFileSync(join(scene.folder, "runs.log"), "utf8").trim().split("\n");
    expect(runs).toEqual([
      "player_game_summary 2024-01-02,2024-01-03",
      "player_game_summary 2024-01-04,2024-01-05",
      "player_game_summary 2024-01-04",
      "player_game_summary 2024-01-05",
    ]);
  });
});

test.concurrent("a repair that leaves fewer rows than it found is given up at once", async () => {
  const pipeline = summaryBy(`command: ${commandOf("summary.mjs")}`);
  const files = {
    "summary.mjs": job("await sql(\"delete from nba.player_game_summary where game_id = 'G1-2024-01-02'\");"),
  };
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-03"]),
    "delete from nba.player_game_summary where game_id = 'G2-2024-01-02' and player <> 'G2P1'",
  ];
  await withScene({ pipeline, files, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({ code, repairs: document.repairs.length }).toEqual({ code: 2, repairs: 1 });
    expect(document.gaps).toMatchObject([
      { date: "2024-01-02", state: "partial", disposition: "quarantined", reason: "made_worse" },
    ]);
  });
});

test.concurrent("a repair that only adds rows is not let near a date that has some", async () => {
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-03"]),
    "delete from nba.player_game_summary where game_date = '2024-01-03' or game_id = 'G2-2024-01-02'",
  ];
  const pipeline = summaryBy(`command: ${commandOf("summary.mjs")}, replaces: false`);
  await withScene({ pipeline, files: { "summary.mjs": job(fill) }, warehouse }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect(code).toBe(2);
    expect(document.gaps).toMatchObject([
      {
        date: "2024-01-02",
        state: "partial",
        disposition: "unrepairable",
        reason: "repair_does_not_replace",
      },
    ]);
    expect(readFileSync(join(scene.folder, "runs.log"), "utf8")).toBe("player_game_summary 2024-01-03\n");
  });
});

test.concurrent("a run waits out the backoff of its repairs, unless --max-wait does not allow it", async () => {
  const pipeline = (backoff: string) =>
    summaryBy(`command: ${commandOf("summary.mjs")}, backoff: [${backoff}]`);
  const files = {
    "summary.mjs": job(`if (!existsSync("once")) { writeFileSync("once", ""); process.exit(1); }\n${fill}`),
  };
  await withScene({ pipeline: pipeline("1h"), files, warehouse: oneMissing }, async (scene) => {
    const impatient = await scene.report("--once", "--max-wait", "1s");
    expect({ code: impatient.code, gaps: gapsOf(impatient.document) }).toEqual({
      code: 2,
      gaps: ["player_game_summary 2024-01-02 missing backing_off"],
    });
    expect(impatient.document.gaps[0]?.next_attempt_at).toMatch(/^\d{4}-.*Z$/);
    await scene.configure(pipeline("1s"));
    const patient = await scene.report("--once");
    expect({ code: patient.code, gaps: patient.document.gaps }).toEqual({ code: 0, gaps: [] });
  });
});

test.concurrent("a repair that several tables share is run once for all of them, and each is verified", async () => {
  const pipeline = `
schedule: { table: nba.schedule, date_column: game_date, unit_column: game_id, season_column: season }
defaults: { date_column: game_date }
repairs:
  both: { command: ${commandOf("both.mjs")}, backoff: [10ms], max_attempts: 2 }
processors:
  boxscores: { table: nba.boxscores }
  player_game_summary: { table: nba.player_game_summary, depends_on: [boxscores], repair: { use: both } }
  upcoming_player_game_context: { table: nba.upcoming_player_game_context, depends_on: [boxscores], repair: { use: both } }
`;
  const files = {
    "both.mjs": job(
      `${fill}\nif (existsSync("fixed")) await sql("delete from nba.player_game_summary where game_date = '2024-01-02'", "insert into nba.player_game_summary select game_date, game_id, player, 20 from nba.boxscores where game_date = '2024-01-02'", "insert into nba.upcoming_player_game_context select game_date, game_id, player from nba.boxscores where game_date = '2024-01-02'");`,
    ),
  };
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-03"]),
    "delete from nba.player_game_summary where game_date = '2024-01-02'",
    "delete from nba.upcoming_player_game_context where game_date = '2024-01-02'",
  ];
  await withScene({ pipeline, files, warehouse }, async (scene) => {
    const half = await scene.report("--once");
    expect({ code: half.code, gaps: gapsOf(half.document) }).toEqual({
      code: 2,
      gaps: ["upcoming_player_game_context 2024-01-02 missing quarantined"],
    });
    expect(
      await scene.ledger("select processor, outcome from cell_outcomes order by ended_at, processor"),
    ).toEqual([
      ["player_game_summary", "repaired"],
      ["upcoming_player_game_context", "ineffective"],
      ["upcoming_player_game_context", "ineffective"],
    ]);
    await scene.write("fixed", "");
    expect((await scene.run("retry", "--processor", "upcoming_player_game_context", "--yes")).code).toBe(0);
    expect((await scene.run("--once")).code).toBe(0);
  });
});

test.concurrent("a day's budget of repairs is kept, and what is left says so", async () => {
  const warehouse = [
    ...wholeLeague(["2024-01-01", "2024-01-09"]),
    "delete from nba.player_game_summary where day(game_date) % 2 = 0",
  ];
  const pipeline = `budgets: { repairs_per_day: 3 }\n${summaryBy("sql_file: player_game_summary.sql")}`;
  await withScene({ pipeline, files: leagueFiles, warehouse }, async (scene) => {
    for (const repairs of [3, 0]) {
      const { code, document } = await scene.report("--once");
      expect({ code, repairs: document.repairs.length, gaps: gapsOf(document) }).toEqual({
        code: 2,
        repairs,
        gaps: ["player_game_summary 2024-01-02 missing held"],
      });
      expect(document.gaps[0]?.reason).toBe("budget");
    }
  });
});

test.concurrent("secrets of the configuration are in no output, log or ledger", async () => {
  const secret = "hunter2-correct-horse";
  const pipeline = summaryBy(
    `command: ${commandOf("summary.mjs")}, max_attempts: 1, env: { TOKEN: "\${file:token}" }`,
  );
  const files = {
    token: secret,
    "summary.mjs": job("console.log('token is ' + env.TOKEN); process.exit(1);"),
  };
  await withScene({ pipeline, files, warehouse: oneMissing }, async (scene) => {
    const results = [
      await scene.run("--once", "--log-level", "debug"),
      await scene.run("explain", "player_game_summary", "2024-01-02"),
      await scene.run("config"),
      await scene.run("config", "--format", "json"),
    ];
    for (const { stdout, stderr } of results) expect(stdout + stderr).not.toContain(secret);
    expect(results[1]?.stdout).toContain("token is");
    expect(readFileSync(join(scene.folder, "warehouse.ledger.duckdb")).includes(secret)).toBe(false);
  });
});

test.concurrent("without a ledger nothing is launched", async () => {
  const pipeline = `ledger: { path: ./occupied/ledger.duckdb }\n${summaryBy(`command: ${commandOf("summary.mjs")}`)}`;
  const files = { "summary.mjs": job(fill), occupied: "a file where the ledger's folder should be" };
  await withScene({ pipeline, files, warehouse: oneMissing }, async (scene) => {
    const refused = await scene.run("--once", "--format", "json");
    expect(refused.code).toBe(1);
    expect(refused.json()).toMatchObject({ error: { code: "ledger_unavailable" } });
    expect(existsSync(join(scene.folder, "runs.log"))).toBe(false);
    expect((await scene.run("status")).code).toBe(0);
  });
});

test.concurrent("a run during which its inputs changed is done again and charged to nobody", async () => {
  const files = {
    "summary.mjs": job(`
      if (existsSync("moved")) ${fill}
      else {
        writeFileSync("moved", "");
        await sql("insert into nba.boxscores values ('2024-01-02', 'G1-2024-01-02', 'G1P6')");
      }`),
  };
  const pipeline = summaryBy(`command: ${commandOf("summary.mjs")}, max_attempts: 1`);
  await withScene({ pipeline, files, warehouse: oneMissing }, async (scene) => {
    const { code, document } = await scene.report("--once");
    expect({
      code,
      outcomes: document.repairs.map(({ outcome, attempt }) => `${outcome} ${attempt}`),
    }).toEqual({
      code: 0,
      outcomes: ["inputs_moved 1", "repaired 1"],
    });
    expect(await scene.ledger("select distinct charged from cell_outcomes")).toEqual([["false"]]);
  });
});

test.concurrent("a date that is broken again and again after its repair is left alone the third time", async () => {
  const pipeline = summaryBy("sql_file: player_game_summary.sql");
  await withScene({ pipeline, files: leagueFiles, warehouse: oneMissing }, async (scene) => {
    for (const expected of [0, 0, 0, 2]) {
      const { code, document } = await scene.report("--once");
      expect({ code, reasons: document.gaps.map(({ reason }) => reason) }).toEqual({
        code: expected,
        reasons: expected === 0 ? [] : ["reopened"],
      });
      await scene.warehouse.write(["delete from nba.player_game_summary where game_date = '2024-01-02'"]);
    }
  });
});
