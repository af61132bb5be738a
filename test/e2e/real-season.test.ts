import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { type Scene, withScene } from "./scene.ts";

// Goal: on the row counts of a real season, gaps and all, the product finds the gaps that are there and no other.
// Method: a warehouse with exactly those rows; the gaps that `--once --dry-run` tells are compared with a computation from the
// counts that shares no code with the product.

vi.setConfig({ testTimeout: 180_000 });

const folder = fileURLToPath(new URL("../../../shared/data", import.meta.url));
const seasonFile = join(folder, "nba-warehouse-2024-25.csv");
const scheduleFile = join(folder, "nba-schedule.csv");

/** One game night: what was scheduled, and the rows (of the scraped tables: the games) that each table holds for it. */
interface Night {
  readonly date: string;
  readonly games: number;
  readonly rows: Readonly<Record<string, number>>;
}

/** What a table must hold on a night with these games and these rows in the tables before it. */
interface Rule {
  readonly atLeast: (night: Night) => number;
  readonly atMost?: (night: Night) => number;
  readonly bootstrapDays?: number;
  /** Tables read on the same date; of a list of lists, one of each is enough. */
  readonly reads?: readonly (readonly string[])[];
}

const rowsOf = ({ rows }: Night, table: string) => rows[table] ?? 0;

/** The rules by which the counts are judged here, said once more in `pipeline` for the product. */
const rules: Readonly<Record<string, Rule>> = {
  bdl_player_boxscores: { atLeast: ({ games }) => games },
  nbac_gamebook_player_stats: { atLeast: ({ games }) => games },
  player_game_summary: {
    atLeast: ({ games }) => 20 * games,
    reads: [["nbac_gamebook_player_stats", "bdl_player_boxscores"]],
  },
  team_defense_game_summary: {
    atLeast: ({ games }) => 2 * games,
    atMost: ({ games }) => 2 * games,
    reads: [["nbac_gamebook_player_stats"]],
  },
  upcoming_player_game_context: { atLeast: ({ games }) => 30 * games },
  team_defense_zone_analysis: { atLeast: () => 30, bootstrapDays: 24 },
  player_shot_zone_analysis: { atLeast: () => 270, bootstrapDays: 16, reads: [["player_game_summary"]] },
  player_composite_factors: {
    atLeast: (night) => Math.max(30, rowsOf(night, "upcoming_player_game_context")),
    bootstrapDays: 14,
    reads: [["team_defense_zone_analysis"], ["player_shot_zone_analysis"], ["upcoming_player_game_context"]],
  },
  player_daily_cache: {
    atLeast: ({ games }) => 18 * games,
    bootstrapDays: 14,
    reads: [["upcoming_player_game_context"]],
  },
  ml_feature_store_v2: {
    atLeast: () => 20,
    bootstrapDays: 24,
    reads: [
      ["player_composite_factors"],
      ["player_daily_cache"],
      ["player_shot_zone_analysis"],
      ["team_defense_zone_analysis"],
      ["player_game_summary"],
    ],
  },
  player_prop_predictions: {
    atLeast: (night) => Math.max(40, 2 * rowsOf(night, "player_game_summary")),
    bootstrapDays: 24,
    reads: [["ml_feature_store_v2"]],
  },
  prediction_accuracy: {
    atLeast: (night) => Math.max(1, 0.95 * rowsOf(night, "player_prop_predictions")),
    bootstrapDays: 24,
    reads: [["player_prop_predictions"], ["player_game_summary"]],
  },
};

const pipeline = `
schedule: { table: nba.schedule, date_column: game_date, unit_column: game_id, season_column: season }
defaults:
  date_column: game_date
  repair: { command: [backfill, "{{processor}}", "{{start_date}}", "{{end_date}}"] }
processors:
  bdl_player_boxscores:
    table: nba.bdl_player_boxscores
    expect: { rows: { per_unit: 1 }, coverage: { of: schedule, key: game_id } }
  nbac_gamebook_player_stats:
    table: nba.nbac_gamebook_player_stats
    expect: { rows: { per_unit: 1 }, coverage: { of: schedule, key: game_id } }
  player_game_summary:
    table: nba.player_game_summary
    depends_on: [{ any_of: [nbac_gamebook_player_stats, bdl_player_boxscores] }]
    expect: { rows: { per_unit: 20 } }
  team_defense_game_summary:
    table: nba.team_defense_game_summary
    depends_on: [nbac_gamebook_player_stats]
    expect: { rows: { per_unit: 2, max_per_unit: 2 } }
  upcoming_player_game_context:
    table: nba.upcoming_player_game_context
    depends_on: [{ processor: player_game_summary, lookback: { days: 30 } }]
    expect: { rows: { per_unit: 30 } }
  team_defense_zone_analysis:
    table: nba.team_defense_zone_analysis
    bootstrap_days: 24
    depends_on: [{ processor: team_defense_game_summary, lookback: { days: 40 } }]
    expect: { rows: { min: 30 } }
  player_shot_zone_analysis:
    table: nba.player_shot_zone_analysis
    bootstrap_days: 16
    depends_on: [player_game_summary, { processor: player_game_summary, lookback: { days: 30 } }]
    expect: { rows: { min: 270 } }
  player_composite_factors:
    table: nba.player_composite_factors
    bootstrap_days: 14
    depends_on: [team_defense_zone_analysis, player_shot_zone_analysis, upcoming_player_game_context]
    expect: { rows: { min: 30, per_entity: { of: upcoming_player_game_context } } }
  player_daily_cache:
    table: nba.player_daily_cache
    bootstrap_days: 14
    depends_on: [upcoming_player_game_context, { processor: player_shot_zone_analysis, mode: soft }]
    expect: { rows: { per_unit: 18 } }
  ml_feature_store_v2:
    table: nba.ml_feature_store_v2
    bootstrap_days: 24
    depends_on:
      [player_composite_factors, player_daily_cache, player_shot_zone_analysis, team_defense_zone_analysis, player_game_summary]
    expect: { rows: { min: 20 } }
  player_prop_predictions:
    table: nba.player_prop_predictions
    bootstrap_days: 24
    depends_on: [ml_feature_store_v2]
    expect: { rows: { min: 40, per_entity: { of: player_game_summary, min: 2 } } }
  prediction_accuracy:
    table: nba.prediction_accuracy
    bootstrap_days: 24
    depends_on: [player_prop_predictions, player_game_summary]
    expect: { rows: { per_entity: { of: player_prop_predictions, min: 0.95 } } }
`;

const areHere = existsSync(seasonFile) && existsSync(scheduleFile);
const register = areHere ? checkSeasons : sayThatTheyAreNotHere;
register();

function sayThatTheyAreNotHere(): void {
  test("the real seasons are not here to be checked: no row counts in ../shared/data beside the project", () => {
    expect([seasonFile, scheduleFile].filter((file) => !existsSync(file))).not.toEqual([]);
  });
}

function checkSeasons(): void {
  describe("the season 2024-25 of a production warehouse", () => {
    checkSeason();
  });
  describe("the schedules of the seasons before", () => {
    checkSchedules();
  });
}

function checkSeason(): void {
  const nights = readNights(readFileSync(seasonFile, "utf8"));

  test.each([
    ["after the season", "2025-07-01T12:00:00Z", "2025-06-22"],
    ["in the minute before a night is due", "2025-01-10T10:59:00Z", "2025-01-08"],
    ["in the minute when it is", "2025-01-10T11:00:00Z", "2025-01-09"],
  ])(
    "%s, its gaps are found to the cell, planned once each, and nothing is written",
    async (_when, asOf, lastDue) => {
      await withScene({ pipeline, warehouse: seasonWarehouse(nights) }, async (scene) => {
        const before = await stateOf(scene);
        const { code, stdout, document } = await scene.report("--once", "--dry-run", "--as-of", asOf);
        const expected = gapsByHand(nights.filter(({ date }) => date <= lastDue));
        const found = document.gaps.map(({ processor, date, state }) => `${processor} ${date} ${state}`);
        expect(found).toEqual(expected);
        expect({ code, converged: document.converged }).toEqual({ code: 2, converged: false });
        const planned = document.plan.flatMap(({ repair, dates }) =>
          dates.map((date) => `${repair} ${date}`),
        );
        expect(planned.toSorted()).toEqual(
          plannedByHand(nights.filter(({ date }) => date <= lastDue)).toSorted(),
        );

        const again = await scene.run("--once", "--dry-run", "--as-of", asOf, "--format", "json");
        expect(again.stdout).toBe(stdout);
        expect(await stateOf(scene)).toEqual(before);
      });
    },
  );

  test("the rules here tell all kinds of gaps apart, so that the comparison is one", () => {
    const states = new Set(gapsByHand(nights).map((gap) => gap.slice(gap.lastIndexOf(" ") + 1)));
    expect(states).toEqual(new Set(["missing", "partial", "invalid"]));
    expect(nights).toHaveLength(213);
  });
}

function checkSchedules(): void {
  test("three seasons of playoffs without a summary are found, and six dates of All-Star games are no gaps", async () => {
    const games = readFileSync(scheduleFile, "utf8").trim().split("\n").slice(1);
    const stuck = [
      ["2022-04-16", "2022-06-17"],
      ["2023-04-15", "2023-06-13"],
      ["2024-04-16", "2024-06-18"],
    ] as const;
    const isStuck = (date: string) => stuck.some(([first, last]) => date >= first && date <= last);
    const dates = [
      ...new Set(games.filter((game) => !game.startsWith("003")).map((game) => game.split(",")[1] ?? "")),
    ];
    const warehouse = [
      "create schema nba",
      `create table nba.schedule as from (values ${games.map((game) => `('${game.split(",").join("', '")}')`).join(", ")}) as games (game_id, game_date, season)`,
      "alter table nba.schedule alter game_date type date",
      "create table nba.boxscores as from nba.schedule where game_id not like '003%'",
      `create table nba.player_game_summary as from nba.boxscores where not (${stuck.map(([first, last]) => `game_date between '${first}' and '${last}'`).join(" or ")})`,
    ];
    const expectation = "expect: { rows: { per_unit: 1 }, coverage: { of: schedule, key: game_id } }";
    const configured = `
schedule: { table: nba.schedule, date_column: game_date, unit_column: game_id, season_column: season, where: "game_id not like '003%'" }
defaults: { date_column: game_date, repair: { command: [backfill], max_dates_per_job: 365 } }
processors:
  boxscores: { table: nba.boxscores, ${expectation} }
  player_game_summary: { table: nba.player_game_summary, depends_on: [boxscores], ${expectation} }
`;
    await withScene({ pipeline: configured, warehouse }, async (scene) => {
      const { document } = await scene.report("plan", "--as-of", "2024-07-01T12:00:00Z");
      expect(document.gaps.map(({ processor, date, state }) => `${processor} ${date} ${state}`)).toEqual(
        dates
          .filter(isStuck)
          .toSorted()
          .map((date) => `player_game_summary ${date} missing`),
      );
      expect(document.counts["boxscores"]).toMatchObject({ complete: dates.length });
      expect(document.plan.map(({ start_date }) => start_date).toSorted()).toEqual(
        stuck.map(([first]) => first),
      );
      expect(document.unexpected).toEqual([]);
    });
  });
}

function readNights(csv: string): Night[] {
  const [head = [], ...lines] = csv
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  return lines.map((cells) => ({
    date: cells[0] ?? "",
    games: Number(cells[1]),
    rows: Object.fromEntries(head.slice(2).map((table, index) => [table, Number(cells[index + 2])])),
  }));
}

/** Every table with exactly the rows of the figures; of the scraped tables the figure is games, and each is one row. */
function seasonWarehouse(nights: readonly Night[]): string[] {
  const tables = Object.keys(rules);
  const values = nights.map(
    ({ date, games, rows }) => `(date '${date}', ${games}, ${tables.map((table) => rows[table]).join(", ")})`,
  );
  return [
    "create schema nba",
    `create table nights as from (values ${values.join(", ")}) as nights (game_date, games, ${tables.join(", ")})`,
    "create table nba.schedule as select game_date, game as game_id, '2024-25' as season from nights, unnest(range(games)) as numbered (game)",
    ...tables.map(
      (table) =>
        `create table nba.${table} as select game_date, number as game_id from nights, unnest(range(${table})) as numbered (number)`,
    ),
    "drop table nights",
  ];
}

/** The gaps in the order of the product's listing: by table, then by date. */
function gapsByHand(nights: readonly Night[]): string[] {
  return Object.keys(rules).flatMap((table) =>
    nights.flatMap((night) => {
      const state = stateByHand(table, night, nights[0]?.date ?? "");
      return state === "complete" || state === "exempt" ? [] : [`${table} ${night.date} ${state}`];
    }),
  );
}

/** The gaps, and the complete cells that read one of them on its date, however far up: their repairs outdate these. */
function plannedByHand(nights: readonly Night[]): string[] {
  const isEmptyExempt = (upstream: string, night: Night) =>
    rowsOf(night, upstream) === 0 && stateByHand(upstream, night, nights[0]?.date ?? "") === "exempt";
  const isPlanned = (table: string, night: Night): boolean => {
    const state = stateByHand(table, night, nights[0]?.date ?? "");
    if (state === "exempt") return false;
    if (state !== "complete") return true;
    // What has an input that will never be there cannot be computed again.
    if (rules[table]?.reads?.some((anyOf) => anyOf.every((upstream) => isEmptyExempt(upstream, night))))
      return false;
    return rules[table]?.reads?.flat().some((upstream) => isPlanned(upstream, night)) === true;
  };
  return Object.keys(rules).flatMap((table) =>
    nights.filter((night) => isPlanned(table, night)).map(({ date }) => `${table} ${date}`),
  );
}

function stateByHand(table: string, night: Night, seasonStart: string): string {
  const rule = rules[table];
  if (rule === undefined) throw new RangeError(`no rule for ${table}`);
  const rows = rowsOf(night, table);
  const isInBounds = rows <= (rule.atMost?.(night) ?? Infinity);
  if (rows > 0 && rows >= rule.atLeast(night)) return isInBounds ? "complete" : "invalid";
  const seasonDay = (Date.parse(night.date) - Date.parse(seasonStart)) / 86_400_000;
  if (seasonDay < (rule.bootstrapDays ?? 0)) return "exempt";
  const isEmptyExempt = (upstream: string) =>
    rowsOf(night, upstream) === 0 && stateByHand(upstream, night, seasonStart) === "exempt";
  if (rule.reads?.some((anyOf) => anyOf.every(isEmptyExempt)) === true) return "exempt";
  return rows === 0 ? "missing" : "partial";
}

/** Every file of the scene with the hash of its content. */
async function stateOf({ folder: at }: Scene): Promise<readonly string[]> {
  const names = (await readdir(at)).toSorted();
  return Promise.all(
    names.map(
      async (name) =>
        `${name} ${createHash("sha256")
          .update(await readFile(join(at, name)))
          .digest("hex")}`,
    ),
  );
}
