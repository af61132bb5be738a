import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { DateRange } from "../../src/core/iso-date.ts";
import { buildDemoWarehouse } from "../../src/demo/build.ts";
import { boundsOf, range } from "../../src/demo/damage.ts";
import { withDemoWarehouse } from "../../src/demo/open.ts";
import { type DemoStory, seedStories } from "../../src/demo/stories.ts";
import { demoTables, readRepair } from "../../src/demo/tables.ts";
import { ReconcilerError } from "../../src/errors.ts";
import { dateColumnOf, gapDates, query, tableName } from "./gap-dates.ts";

// Four seasons are built and compared: many seconds of work, and more where others work too.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

// Goal: the demo's warehouse is whole where it is built, broken where its stories say, and whole again once the example's repairs
// ran. Method: plain SQL over the files, with the rules of gap-dates.ts and without the product.

const processors = demoTables.map(({ processor }) => processor);
const noneAnywhere = Object.fromEntries(processors.map((processor) => [processor, []]));
let folder = "";
let complete = "";
let broken = "";
let stories: readonly DemoStory[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gap-reconciler-demo-"));
  complete = join(folder, "complete.duckdb");
  broken = join(folder, "broken.duckdb");
  await buildDemoWarehouse(complete);
  await copyFile(complete, broken);
  stories = await seedStories(broken);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("the complete warehouse", () => {
  test("has no gap in any table", async () => {
    await withDemoWarehouse(complete, async (connection) => {
      expect(await perProcessor((processor) => gapDates(connection, processor))).toEqual(noneAnywhere);
    });
  });

  test("has nothing on dates without games", async () => {
    await withDemoWarehouse(complete, async (connection) => {
      expect(await perProcessor((processor) => unscheduledDates(connection, processor))).toEqual(
        noneAnywhere,
      );
    });
  });

  test("is of the size of the real thing, game by game", async () => {
    await withDemoWarehouse(complete, async (connection) => {
      const [figures = []] = await query(
        connection,
        `with games as (select count(*) as n from nba_raw.nbac_schedule where game_status = 3 and game_id not like '003%')
        select
          n::integer,
          (select count(*) from nba_raw.nbac_gamebook_player_stats) / n,
          (select count(*) from nba_analytics.player_game_summary) / n,
          (select avg(points) from nba_analytics.team_offense_game_summary),
          (select count(*) from nba_predictions.prediction_accuracy where season = '2023-24')::integer
        from games`,
      );
      const [games, listed, played, points, graded] = figures.map(Number);
      expect(games).toBeGreaterThan(5200);
      expect(listed).toBeCloseTo(35, 0);
      expect(played).toBeCloseTo(21, 0);
      expect(points).toBeGreaterThan(95);
      expect(points).toBeLessThan(120);
      expect(graded).toBeGreaterThan(75_000);
    });
  });

  test("was written table after table, so that nothing in it is older than what it was computed from", async () => {
    await withDemoWarehouse(complete, async (connection) => {
      const [row = []] = await query(
        connection,
        `select
          (select max(processed_at) from nba_raw.nbac_gamebook_player_stats where game_date = date '2024-01-31')
            < (select min(processed_at) from nba_analytics.player_game_summary where game_date = date '2024-01-31'),
          (select max(processed_at) from nba_precompute.player_composite_factors where game_date = date '2024-01-31')
            < (select min(processed_at) from nba_predictions.ml_feature_store_v2 where game_date = date '2024-01-31')`,
      );
      expect(row).toEqual([true, true]);
    });
  });

  test("is the same row for row when it is built again, whatever comes after", async () => {
    const again = join(folder, "again.duckdb");
    const season = range("2021-10-19", "2022-06-16");
    await buildDemoWarehouse(again, season);
    expect(await fingerprints(again, season)).toEqual(await fingerprints(complete, season));
  });

  test("is never written over a file that is there", async () => {
    const refused = buildDemoWarehouse(complete);
    await expect(refused).rejects.toBeInstanceOf(ReconcilerError);
    await expect(refused).rejects.toMatchObject({ code: "usage", path: complete });
  });
});

describe("the broken warehouse", () => {
  test("has the gaps that its stories tell, and no others", async () => {
    const gaps = await withDemoWarehouse(broken, (connection) =>
      perProcessor((processor) => gapDates(connection, processor)),
    );
    const playoffs = (await scheduledDates(complete)).filter(
      (day) =>
        (day >= "2022-04-16" && day <= "2022-06-17") ||
        (day >= "2023-04-15" && day <= "2023-06-13") ||
        (day >= "2024-04-16" && day <= "2024-06-18"),
    );
    const between = async (start: string, end: string): Promise<string[]> =>
      (await scheduledDates(complete)).filter((day) => day >= start && day <= end);
    const longHole = await between("2022-11-20", "2023-03-08");
    const outage = await between("2025-03-03", "2025-03-05");
    const ungraded = await between("2024-11-15", "2025-06-22");
    const sorted = (...dates: readonly string[][]): string[] => dates.flat().sort();

    expect(playoffs.length).toBeGreaterThan(125);
    expect(gaps).toEqual({
      bdl_player_boxscores: ["2024-02-25"],
      nbac_gamebook_player_stats: ["2024-02-25"],
      nbac_team_boxscore: outage,
      odds_api_player_points_props: [],
      odds_api_game_lines: [],
      player_game_summary: sorted(
        playoffs,
        ["2023-12-05", "2023-12-06", "2023-12-07", "2023-12-08"],
        ["2024-02-25"],
      ),
      team_offense_game_summary: sorted(playoffs, outage),
      team_defense_game_summary: sorted(playoffs, outage),
      upcoming_player_game_context: playoffs,
      upcoming_team_game_context: sorted(playoffs, await between("2024-01-05", "2024-01-30")),
      team_defense_zone_analysis: sorted(playoffs, ["2024-12-10", "2024-12-11", "2024-12-12"]),
      player_shot_zone_analysis: playoffs,
      player_composite_factors: playoffs,
      player_daily_cache: sorted(playoffs, longHole, ["2025-01-14", "2025-01-15", "2025-01-16"]),
      ml_feature_store_v2: sorted(playoffs, longHole),
      player_prop_predictions: sorted(playoffs, longHole),
      prediction_accuracy: sorted(playoffs, longHole, ungraded),
    });
  });

  test("keeps the raw data of the playoffs whole, which is why nobody missed the rest", async () => {
    await withDemoWarehouse(broken, async (connection) => {
      const [counts] = await query(
        connection,
        `select
          (select count(distinct game_id) from nba_raw.nbac_gamebook_player_stats where game_id like '004%' and season <> '2024-25')::integer,
          (select count(distinct game_id) from nba_raw.nbac_schedule where game_id like '004%' and season <> '2024-25')::integer,
          (select count(*) from nba_analytics.player_game_summary where game_id like '004%' and season <> '2024-25')::integer`,
      );
      expect(counts?.[0]).toBe(counts?.[1]);
      expect(counts?.[1]).toBeGreaterThan(230);
      expect(counts?.[2]).toBe(0);
    });
  });

  test("holds one grade of the season that was never graded", async () => {
    await withDemoWarehouse(broken, async (connection) => {
      const rows = await query(
        connection,
        "select count(*)::integer from nba_predictions.prediction_accuracy where game_date >= date '2024-11-15'",
      );
      expect(rows).toEqual([[1]]);
    });
  });

  test("passes a floor of rows on the night that lacks a whole game", async () => {
    await withDemoWarehouse(broken, async (connection) => {
      const rows = await query(
        connection,
        `select count(distinct game_id)::integer, count(*) >= 18 * 10
        from nba_analytics.player_game_summary where game_date = date '2024-02-25'`,
      );
      expect(rows).toEqual([[9, true]]);
    });
  });

  test("holds 4.6 times the rows on the dates that were written again and again", async () => {
    const before = await cacheRows(complete);
    const after = await cacheRows(broken);
    expect(after / before).toBeCloseTo(4.6, 2);
  });

  test("has six teams on the dates on which the zones were cut off", async () => {
    await withDemoWarehouse(broken, async (connection) => {
      const rows = await query(
        connection,
        `select distinct count(*)::integer from nba_precompute.team_defense_zone_analysis
        where analysis_date between date '2024-12-10' and date '2024-12-12' group by analysis_date`,
      );
      expect(rows).toEqual([[6]]);
    });
  });

  test("says of three runs that they go on, and of three that they failed, with what", async () => {
    await withDemoWarehouse(broken, async (connection) => {
      const rows = await query(
        connection,
        `select processor_name, status, count(*)::integer, count(errors)::integer, bool_and(now() - started_at > interval 4 hours)
        from nba_reference.processor_run_history group by all order by 1`,
      );
      expect(rows).toEqual([
        ["nbac_team_boxscore", "failed", 3, 3, true],
        ["team_defense_zone_analysis", "running", 3, 0, true],
      ]);
    });
  });

  test("has rows on one date without games", async () => {
    await withDemoWarehouse(broken, async (connection) => {
      const found = await perProcessor((processor) => unscheduledDates(connection, processor));
      expect(found).toEqual({ ...noneAnywhere, player_prop_predictions: ["2023-12-24"] });
    });
  });

  test("tells of every story where it shows", () => {
    expect(stories).toHaveLength(12);
    expect(stories.filter(({ processor }) => !processors.includes(processor))).toEqual([]);
    expect(stories.filter(({ dates }) => dates.length === 0)).toEqual([]);
    expect(stories.map(({ dates }) => [...dates].sort())).toEqual(stories.map(({ dates }) => dates));
    expect(stories.filter(({ detail }) => !detail.endsWith("."))).toEqual([]);
    expect(new Set(stories.map(({ title }) => title)).size).toBe(stories.length);
  });

  test("excuses every player without shot zones whose history is too short", async () => {
    await withDemoWarehouse(complete, async (connection) => {
      const covered = (excused: string) => `
        select min(share) from (
          select sum((zones.player_lookup is not null or ${excused})::integer) / count(*) as share
          from (select distinct game_date, player_lookup from nba_analytics.player_game_summary) as played
          left join nba_precompute.player_shot_zone_analysis as zones
            on zones.analysis_date = played.game_date and zones.player_lookup = played.player_lookup
          left join nba_processing.precompute_failures as failures
            on failures.analysis_date = played.game_date and failures.entity_id = played.player_lookup
          where played.game_date between date '2023-11-09' and date '2024-06-18'
          group by played.game_date)`;
      const [[plain], [excused]] = [
        (await query(connection, covered("false")))[0] ?? [],
        (await query(connection, covered("failures.entity_id is not null")))[0] ?? [],
      ];
      expect(Number(plain)).toBeLessThan(0.9);
      expect(Number(excused)).toBe(1);
    });
  });
});

describe("the repairs of the example", () => {
  test("fill every gap, in the order in which tables read each other, with the rows that were lost", async () => {
    const repaired = join(folder, "repaired.duckdb");
    await copyFile(broken, repaired);
    await withDemoWarehouse(repaired, async (connection) => {
      await connection.run(`attach '${complete}' as whole (read_only)`);
      expect(await differences(connection, "player_game_summary")).toHaveLength(135);
      for (const processor of processors) {
        for (const batch of batchesOf(await gapDates(connection, processor)))
          await repair(connection, processor, batch);
      }
      expect(await perProcessor((processor) => gapDates(connection, processor))).toEqual(noneAnywhere);
      expect(await perProcessor((processor) => differences(connection, processor))).toEqual(noneAnywhere);
    });
  });

  test("return the dates that they were asked for and no others", async () => {
    await withDemoWarehouse(complete, async (connection) => {
      const returned = await perProcessor(async (processor) => {
        const dates = `select distinct ${dateColumnOf(processor)}::varchar from (${await readRepair(processor)}) order by 1`;
        return (await query(connection, dates, boundsOf(range("2024-01-10", "2024-01-12")))).flat();
      });
      const asked = ["2024-01-10", "2024-01-11", "2024-01-12"];
      expect(returned).toEqual(Object.fromEntries(processors.map((processor) => [processor, asked])));
    });
  });

  test("compute the same for a single date as for the whole history", async () => {
    await withDemoWarehouse(complete, async (connection) => {
      const different = await perProcessor(async (processor) => {
        const [table, column] = [tableName(processor), dateColumnOf(processor)];
        const once = `select * exclude (processed_at) from (${await readRepair(processor)})`;
        const kept = `select * exclude (processed_at) from ${table} where ${column} between $start_date and $end_date`;
        const comparison = `
          with once as materialized (${once}), kept as materialized (${kept})
          (from once except all from kept) union all (from kept except all from once)`;
        const days: string[] = [];
        for (const day of ["2022-11-16", "2023-10-25", "2024-01-31", "2024-02-22", "2025-06-22"]) {
          const rows = await query(connection, comparison, boundsOf(range(day, day)));
          if (rows.length > 0) days.push(day);
        }
        return days;
      });
      expect(different).toEqual(noneAnywhere);
    });
  });

  test("find no prop lines where there never were any", async () => {
    await withDemoWarehouse(complete, async (connection) => {
      const days = boundsOf(range("2021-12-02", "2021-12-03"));
      expect(await query(connection, await readRepair("odds_api_player_points_props"), days)).toEqual([]);
      expect(await query(connection, await readRepair("upcoming_player_game_context"), days)).toEqual([]);
    });
  });
});

/** Gap dates in batches that span at most 31 days. */
function batchesOf(dates: readonly string[]): string[][] {
  const batches: string[][] = [];
  for (const date of dates) {
    const batch = batches.at(-1);
    const first = batch?.[0];
    if (
      batch === undefined ||
      first === undefined ||
      Date.parse(date) - Date.parse(first) > 30 * 86_400_000
    ) {
      batches.push([date]);
    } else {
      batch.push(date);
    }
  }
  return batches;
}

async function repair(
  connection: DuckDBConnection,
  processor: string,
  batch: readonly string[],
): Promise<void> {
  const [table, column] = [tableName(processor), dateColumnOf(processor)];
  const list = batch.map((date) => `date '${date}'`).join(", ");
  const bounds = boundsOf(range(batch[0] ?? "", batch.at(-1) ?? ""));
  await connection.run(`delete from ${table} where ${column} in (${list})`);
  await connection.run(
    `insert into ${table} by name select * from (${await readRepair(processor)}) where ${column} in (${list})`,
    bounds,
  );
}

/** Dates on which the two warehouses differ, leaving out when rows were written and what was put on a day off. */
async function differences(connection: DuckDBConnection, processor: string): Promise<string[]> {
  const column = dateColumnOf(processor);
  const sums = (table: string): string => `
    select ${column} as day, count(*) as row_count, sum(hash(t)::hugeint) as fingerprint
    from (select * exclude (processed_at) from ${table}) as t
    where ${column} <> date '2023-12-24'
    group by all`;
  const rows = await query(
    connection,
    `select day::varchar
    from (${sums(tableName(processor))}) as here
    full join (${sums(`whole.${tableName(processor)}`)}) as there using (day)
    where (here.row_count, here.fingerprint) is distinct from (there.row_count, there.fingerprint)
    order by 1`,
  );
  return rows.flat().map(String);
}

async function perProcessor<T>(work: (processor: string) => Promise<T>): Promise<Record<string, T>> {
  const results: Record<string, T> = {};
  for (const processor of processors) results[processor] = await work(processor);
  return results;
}

async function unscheduledDates(connection: DuckDBConnection, processor: string): Promise<string[]> {
  const column = dateColumnOf(processor);
  const rows = await query(
    connection,
    `select distinct ${column}::varchar from ${tableName(processor)}
    where ${column} not in (
      select game_date from nba_raw.nbac_schedule where game_status = 3 and game_id not like '003%')`,
  );
  return rows.map(([day]) => String(day));
}

async function scheduledDates(path: string): Promise<string[]> {
  return withDemoWarehouse(path, async (connection) => {
    const rows = await query(
      connection,
      `select distinct game_date::varchar from nba_raw.nbac_schedule
      where game_status = 3 and game_id not like '003%' order by 1`,
    );
    return rows.map(([day]) => String(day));
  });
}

async function cacheRows(path: string): Promise<number> {
  return withDemoWarehouse(path, async (connection) => {
    const [row] = await query(
      connection,
      "select count(*)::integer from nba_precompute.player_daily_cache where cache_date between '2025-01-14' and '2025-01-16'",
    );
    return Number(row?.[0]);
  });
}

/** The number of rows of each table within the dates, both ends included, with a sum over all of their values. */
async function fingerprints(path: string, dates: DateRange): Promise<Record<string, string>> {
  return withDemoWarehouse(path, async (connection) => {
    const result: Record<string, string> = {};
    for (const [table, column] of [
      ...processors.map((processor) => [tableName(processor), dateColumnOf(processor)] as const),
      ["nba_raw.nbac_schedule", "game_date"],
      ["nba_processing.precompute_failures", "analysis_date"],
    ] as const) {
      const [row = []] = await query(
        connection,
        `select count(*)::varchar, sum(hash(t)::hugeint)::varchar from ${table} as t
        where ${column} between $start_date and $end_date`,
        boundsOf(dates),
      );
      expect(row[0]).not.toBe("0");
      result[table] = row.map(String).join(" ");
    }
    return result;
  });
}
