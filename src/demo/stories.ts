import type { DuckDBConnection } from "@duckdb/node-api";
import { type IsoDate, parseIsoDate } from "../core/iso-date.ts";
import { ReconcilerError } from "../errors.ts";
import { boundsOf, datesIn, deleteRows, range, readDates } from "./damage.ts";
import { withDemoWarehouse } from "./open.ts";
import { demoTables } from "./tables.ts";

/** Something that went wrong in the demo's past, told for the reader of its output. */
export interface DemoStory {
  /** A few words, such as "Three playoffs never left phase 2". */
  readonly title: string;
  /** One or two sentences: what happened, and why nobody saw it. */
  readonly detail: string;
  /** The table in which it shows best; `explain` of it on one of the dates tells the rest. */
  readonly processor: string;
  /** The dates that it touched there, ascending. */
  readonly dates: readonly IsoDate[];
}

/**
 * Breaks a complete demo warehouse as real pipelines break. All but what was never scraped can be filled again, by the
 * example's repairs. For a warehouse that `buildDemoWarehouse` made, once.
 */
export async function seedStories(path: string): Promise<readonly DemoStory[]> {
  return withDemoWarehouse(path, async (connection) => {
    const stories: DemoStory[] = [];
    for (const tell of [
      playoffsStuckInPhaseTwo,
      seasonNeverGraded,
      holesNobodyLookedBackTo,
      linesNeverScraped,
      backfillThatDied,
      someTeamsOnly,
      rowThatNeverEnds,
      oneGameOfTenMissing,
      rowsWrittenAgainAndAgain,
      scraperOutage,
      tooLittleHistory,
      rowsOnADayOff,
    ]) {
      stories.push(await tell(connection));
    }
    await connection.run("checkpoint");
    return stories;
  });
}

/** The raw data of three playoffs was complete, but it came by a backfill, which sends no event: phases 3 to 5B stayed empty. */
async function playoffsStuckInPhaseTwo(connection: DuckDBConnection): Promise<DemoStory> {
  const playoffs = [
    range("2022-04-16", "2022-06-17"),
    range("2023-04-15", "2023-06-13"),
    range("2024-04-16", "2024-06-18"),
  ];
  const dates: IsoDate[] = [];
  for (const dateRange of playoffs) {
    dates.push(...(await datesIn(connection, "player_game_summary", dateRange)));
    for (const { processor } of demoTables.filter(({ dataset }) => dataset !== "nba_raw")) {
      await deleteRows(connection, processor, dateRange);
    }
  }
  return {
    title: "Three playoffs never left phase 2",
    detail:
      "A backfill loaded the raw data of the playoffs of 2022, 2023 and 2024. It sent no event, so nothing after phase 2 ever ran.",
    processor: "player_game_summary",
    dates,
  };
}

/** The backfill of the grades named three seasons; the fourth has one row, from somebody's test. */
async function seasonNeverGraded(connection: DuckDBConnection): Promise<DemoStory> {
  const season = range("2024-11-15", "2025-06-22");
  const dates = await datesIn(connection, "prediction_accuracy", season);
  await deleteRows(
    connection,
    "prediction_accuracy",
    season,
    "rowid <> (select min(rowid) from nba_predictions.prediction_accuracy where game_date >= date '2025-01-20')",
  );
  return {
    title: "A season was never graded",
    detail:
      "The grades were filled by a one-off job for three seasons. Of 2024-25 there is one row, left by a test.",
    processor: "prediction_accuracy",
    dates,
  };
}

/** Whole months are gone in the middle of the history; the monitors looked back 14 days at most. */
async function holesNobodyLookedBackTo(connection: DuckDBConnection): Promise<DemoStory> {
  const longHole = range("2022-11-20", "2023-03-08");
  const dates = await datesIn(connection, "player_daily_cache", longHole);
  for (const processor of [
    "player_daily_cache",
    "ml_feature_store_v2",
    "player_prop_predictions",
    "prediction_accuracy",
  ]) {
    await deleteRows(connection, processor, longHole);
  }
  await deleteRows(connection, "upcoming_team_game_context", range("2024-01-05", "2024-01-30"));
  return {
    title: "Holes of 109 and 26 days, out of every monitor's sight",
    detail:
      "The daily cache and what reads it stop for 109 days from 2022-11-20, the team context for 26 from 2024-01-05. The monitors looked back two weeks.",
    processor: "player_daily_cache",
    dates,
  };
}

/** Prop lines can only be had before the game. Nothing is broken here: the source never had them, and the config waives them. */
async function linesNeverScraped(connection: DuckDBConnection): Promise<DemoStory> {
  const dates = await readDates(
    connection,
    `select distinct game_date from nba_source.team_games
    where game_date <= date '2021-12-31' and game_date not in (select game_date from nba_source.player_props)
    order by 1`,
  );
  return {
    title: "Lines that nobody can fetch any more",
    detail:
      "Until the end of 2021 prop lines were scraped on two days of seven. A waiver with an owner and a reason says so, and what needs them is exempt instead of failing for ever.",
    processor: "upcoming_player_game_context",
    dates,
  };
}

/** A backfill of the summaries died after some of the games of each date; any row count above zero looked like done. */
async function backfillThatDied(connection: DuckDBConnection): Promise<DemoStory> {
  const died = range("2023-12-05", "2023-12-08");
  const dates = await datesIn(connection, "player_game_summary", died);
  await deleteRows(
    connection,
    "player_game_summary",
    died,
    `game_id in (
      select game_id
      from (select distinct game_date, game_id from nba_analytics.player_game_summary where game_date between $start_date and $end_date)
      qualify row_number() over (partition by game_date order by game_id) > count(*) over (partition by game_date) / 2
    )`,
  );
  return {
    title: "A backfill died half-way through each date",
    detail:
      "Half of the games of these dates are summed up. The tables after it were computed from that half.",
    processor: "player_game_summary",
    dates,
  };
}

/** The zones of 6 of 30 teams were written before the run was killed. */
async function someTeamsOnly(connection: DuckDBConnection): Promise<DemoStory> {
  const killed = range("2024-12-10", "2024-12-12");
  const dates = await datesIn(connection, "team_defense_zone_analysis", killed);
  await deleteRows(
    connection,
    "team_defense_zone_analysis",
    killed,
    "team_abbr not in ('ATL', 'BKN', 'BOS', 'CHA', 'CHI', 'CLE')",
  );
  return {
    title: "6 of 30 teams",
    detail: "The run was killed after the first six teams. The dates have rows, so they passed for done.",
    processor: "team_defense_zone_analysis",
    dates,
  };
}

/** A killed run cannot say that it ended: its row claims for ever that it goes on, and whatever believes that waits for it. */
async function rowThatNeverEnds(connection: DuckDBConnection): Promise<DemoStory> {
  const killed = range("2024-12-10", "2024-12-12");
  const dates = await datesIn(connection, "team_defense_zone_analysis", killed);
  await connection.run(
    `insert into nba_reference.processor_run_history by name
    select
      'team_defense_zone_analysis' as processor_name,
      'backfill-' || strftime(analysis_date, '%Y%m%d') as run_id,
      'running' as status,
      analysis_date as data_date,
      now() - interval 6 hours as started_at,
      '4' as phase,
      'nba_precompute.team_defense_zone_analysis' as output_table
    from nba_precompute.team_defense_zone_analysis
    where analysis_date between $start_date and $end_date
    group by analysis_date`,
    boundsOf(killed),
  );
  return {
    title: "Runs that never end",
    detail:
      "Six hours ago a backfill of these three dates was started, and killed too. The run history still says that it is running, and whoever believes it waits. After four hours it is reported and ignored.",
    processor: "team_defense_zone_analysis",
    dates,
  };
}

/** One whole game of a ten-game night is missing; a floor of rows per game lets it pass, the games of the schedule do not. */
async function oneGameOfTenMissing(connection: DuckDBConnection): Promise<DemoStory> {
  const [night] = await readDates(
    connection,
    `select game_date from nba_source.team_games where game_date >= date '2024-02-24'
    group by game_date having count(distinct game_id) = 10 order by 1 limit 1`,
  );
  if (night === undefined) {
    throw new ReconcilerError(
      "internal",
      "expected a night of ten games after 2024-02-24 in the demo, found none",
    );
  }
  for (const processor of ["bdl_player_boxscores", "nbac_gamebook_player_stats", "player_game_summary"]) {
    await deleteRows(
      connection,
      processor,
      { start: night, end: night },
      "game_id = (select max(game_id) from nba_source.team_games where game_date between $start_date and $end_date)",
    );
  }
  return {
    title: "One game of a ten-game night",
    detail:
      "Nine full games have more rows than ten thin ones, so a count per night or per game sees nothing. The schedule's list of games does.",
    processor: "player_game_summary",
    dates: [night],
  };
}

/** A job that appends was retried until these dates held 4.6 times the rows that they should. */
async function rowsWrittenAgainAndAgain(connection: DuckDBConnection): Promise<DemoStory> {
  const retried = range("2025-01-14", "2025-01-16");
  const dates = await datesIn(connection, "player_daily_cache", retried);
  await connection.run(
    `insert into nba_precompute.player_daily_cache
    with seen as (
      select *, row_number() over (order by cache_date, player_lookup) % 10 as place
      from nba_precompute.player_daily_cache
      where cache_date between $start_date and $end_date
    )
    select seen.* exclude (place)
    from seen
    cross join range(4) as copy (number)
    where copy.number < 3 or place < 6`,
    boundsOf(retried),
  );
  return {
    title: "4.6 times the rows",
    detail:
      "A job that appends was retried. There are more than enough rows, so a count calls the dates complete.",
    processor: "player_daily_cache",
    dates,
  };
}

/** A scraper was down for three days, and the team tables after it are empty too; its source can still be asked. */
async function scraperOutage(connection: DuckDBConnection): Promise<DemoStory> {
  const outage = range("2025-03-03", "2025-03-05");
  const dates = await datesIn(connection, "nbac_team_boxscore", outage);
  for (const processor of ["nbac_team_boxscore", "team_offense_game_summary", "team_defense_game_summary"]) {
    await deleteRows(connection, processor, outage);
  }
  await connection.run(
    `insert into nba_reference.processor_run_history by name
    select
      'nbac_team_boxscore' as processor_name,
      'scrape-' || strftime(game_date, '%Y%m%d') as run_id,
      'failed' as status,
      game_date as data_date,
      (game_date + interval 1 day + interval 375 minutes)::timestamptz as started_at,
      (game_date + interval 1 day + interval 376 minutes)::timestamptz as processed_at,
      '503 Service Unavailable: the source of the box scores did not answer' as errors,
      '2' as phase,
      'nba_raw.nbac_team_boxscore' as output_table
    from nba_source.team_games
    where game_date between $start_date and $end_date
    group by game_date`,
    boundsOf(outage),
  );
  return {
    title: "A scraper was down",
    detail:
      "Three days of team box scores were not fetched. They are fetched first; the team tables that read them wait for it.",
    processor: "nbac_team_boxscore",
    dates,
  };
}

/** Players with too little history have no shot zones, by design. Nothing is broken here: the failures table excuses them. */
async function tooLittleHistory(connection: DuckDBConnection): Promise<DemoStory> {
  const dates = await readDates(
    connection,
    `select summary.game_date
    from (select distinct game_date, player_lookup from nba_analytics.player_game_summary) as summary
    left join nba_precompute.player_shot_zone_analysis as zones
      on zones.analysis_date = summary.game_date and zones.player_lookup = summary.player_lookup
    where summary.game_date not in (
      select game_date from nba_raw.nbac_schedule qualify game_date < min(game_date) over (partition by season) + 16
    )
    group by summary.game_date
    having count(zones.player_lookup) < 0.9 * count(*)
    order by 1`,
  );
  return {
    title: "Too little data is not a gap",
    detail:
      "On these dates fewer than 90 % of the players have shot zones. The others are in the failures table because they have hardly played, which excuses them.",
    processor: "player_shot_zone_analysis",
    dates,
  };
}

/** Somebody tried something out on Christmas Eve, when nobody plays. Reported, never repaired. */
async function rowsOnADayOff(connection: DuckDBConnection): Promise<DemoStory> {
  await connection.run(
    `insert into nba_predictions.player_prop_predictions
    select * replace (date '2023-12-24' as game_date)
    from nba_predictions.player_prop_predictions
    where game_date = date '2023-12-23'
    limit 25`,
  );
  return {
    title: "Rows on a day without games",
    detail:
      "25 predictions for Christmas Eve, when nobody plays. They are reported as unexpected and left alone.",
    processor: "player_prop_predictions",
    dates: [parseIsoDate("2023-12-24")],
  };
}
