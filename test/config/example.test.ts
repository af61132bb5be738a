import { join } from "node:path";
import { expect, test } from "vitest";
import type { Processor, RepairUnit } from "../../src/core/pipeline.ts";
import { faults, load, loadError, type LoadInput } from "./load.ts";

/** The configuration of the design, its elisions filled in and the processors that it names added. */
const yaml = `version: 1
pipeline: nba-props                  # * [a-z][a-z0-9-]{0,39}: also metric label, Redis prefix, Kubernetes name
timezone: America/New_York           # * IANA
default_target: local                # --target, or GAP_RECONCILER_TARGET
targets:
  local:
    warehouse: { type: duckdb, path: ./warehouse.duckdb }
  prod:
    warehouse: { type: bigquery, project: "\${GCP_PROJECT:?}", location: us-west2, maximum_bytes_billed: 20GiB, labels: { team: data } }
    ledger: { dataset: nba_reconciler }
    redis: { url: "\${REDIS_URL:?}", lock_urls: [] }
    http: { listen: "0.0.0.0:8080", token_file: /run/secrets/token }
daemon: { cron: "*/15 * * * *", cycle_timeout: 10m, shutdown_grace: 2m, mode: repair }      # mode: observe | repair
limits: { jobs_max: 8, cells_per_cycle_max: 2000 }
budgets: { scan_bytes_per_day: 200GiB, repairs_per_day: 500 }
safety:
  auto_repair_max_age: 30d           # unset by default
  mass_gap: { max_share: 0.2, cells_min: 50 }
  circuit_breaker: { failures: 5, cool_off: 30m }
pools: { heavy: { slots: 1 } }       # shared by processors, held across replicas
schedules:
  games:
    table: nba_raw.nbac_schedule
    date_column: game_date
    unit_column: game_id
    season_column: season
    where: game_status = 3 and game_id not like '003%'
    start_date: 2021-10-19
    expect: { max_gap: 200d }
defaults:
  schedule: games
  due: { days_after: 1, at: "06:00" }
  severity: warning
  stale: report
  repair: { max_attempts: 3, backoff: [30s, 60s, 120s], timeout: 10m, timeout_per_date: 5m, max_dates_per_job: 31, concurrency: 2 }
repairs: {}
processors:
  player_game_summary: { table: nba_analytics.player_game_summary, date_column: game_date }
  upcoming_player_game_context: { table: nba_analytics.upcoming_player_game_context, date_column: game_date }
  player_shot_zone_analysis: { table: nba_precompute.player_shot_zone_analysis, date_column: analysis_date }
  team_defense_zone_analysis: { table: nba_precompute.team_defense_zone_analysis, date_column: analysis_date }
  player_composite_factors:
    phase: "4"
    table: nba_precompute.player_composite_factors
    date_column: game_date
    where: null
    written_at_column: processed_at
    severity: critical
    owner: data-team
    tags: []
    bootstrap_days: 14
    available: { from: 2021-10-19, to: null }
    source_retention: 90d
    chronological: false
    priority: 0
    depends_on:
      - player_shot_zone_analysis
      - { processor: upcoming_player_game_context, min_completeness: 0.8 }
      - { processor: team_defense_zone_analysis, mode: soft, wait: 6h }
      - { processor: player_game_summary, lookback: { days: 30 }, min_share: 0.9 }
    expect:
      rows: { min: 20 }
      coverage: { of: upcoming_player_game_context, key: player_lookup, of_key: player_lookup, min: 0.9, excused_by: { table: nba_reference.failures, date_column: game_date, key: player_lookup, where: is_expected } }
      unique_keys: [[game_date, player_lookup]]
      not_null: [fatigue_score, { column: coupon, max_ratio: 0.1 }]
      checks: { fatigue_in_range: "fatigue_score between 0 and 100" }
      measures: { rows_per_player: { sql: "count(*) / count(distinct player_lookup)", min: 0.9, max: 1.1 } }
      quality: { column: completeness_pct, good: 90, ok: 70, degraded: 50, min_good_share: 0.8, after_days: 21 }
    repair:
      command: [python, backfill.py, --start-date, "{{start_date}}", --end-date, "{{end_date}}"]
      replaces: true
      batch: range
      env: {}
      exit_codes: { retryable: [75], permanent: [64, 65, 78] }
      pool: heavy
      windows: []
      preconditions: []
waivers:
  - { processors: [upcoming_player_game_context], start_date: 2021-10-19, end_date: 2022-06-16, reason: prop lines were never scraped, owner: data-team, expires: 2027-07-01, downstream: proceed }
`;

const minute = 60_000;
const day = 86_400_000;

test("the example of the design loads with its local target, every value where it belongs", async () => {
  const { config, folder } = await load({ yaml });
  const { pipeline } = config;
  expect(config.target).toBe("local");
  expect(config.file).toBe(join(folder, "pipeline.yaml"));
  expect(config.warehouse).toEqual({ type: "duckdb", path: join(folder, "warehouse.duckdb") });
  expect(config.ledger).toEqual({ path: join(folder, "warehouse.ledger.duckdb") });
  expect(config.http).toBeNull();
  expect(config.daemon).toEqual({
    cron: "*/15 * * * *",
    cycleTimeoutMs: 10 * minute,
    shutdownGraceMs: 2 * minute,
    mode: "repair",
  });
  expect(pipeline.name).toBe("nba-props");
  expect(pipeline.timezone).toBe("America/New_York");
  expect(pipeline.limits).toEqual({ jobsMax: 8, cellsPerCycleMax: 2000 });
  expect(pipeline.budgets).toEqual({ scanBytesPerDay: 200 * 2 ** 30, repairsPerDay: 500 });
  expect(pipeline.safety).toEqual({
    autoRepairMaxAgeMs: 30 * day,
    massGap: { maxShare: 0.2, cellsMin: 50 },
    circuitBreaker: { failures: 5, coolOffMs: 30 * minute },
  });
  expect(pipeline.pools).toEqual([{ name: "heavy", slots: 1 }]);
  expect(pipeline.schedules).toEqual([
    {
      name: "games",
      source: {
        kind: "table",
        table: { parts: ["nba_raw", "nbac_schedule"] },
        dateColumn: "game_date",
        unitColumn: "game_id",
        seasonColumn: "season",
        where: "game_status = 3 and game_id not like '003%'",
      },
      startDate: "2021-10-19",
      maxGapDays: 200,
    },
  ]);
  expect(pipeline.waivers).toEqual([
    {
      id: expect.stringMatching(/^config:[0-9a-f]{16}$/),
      processors: ["upcoming_player_game_context"],
      start: "2021-10-19",
      end: "2022-06-16",
      reason: "prop lines were never scraped",
      owner: "data-team",
      expires: "2027-07-01",
      downstream: "proceed",
      source: "config",
    },
  ]);
});

test("the example's processor, edges, expectation and repair are completely resolved", async () => {
  const { config, folder } = await load({ yaml });
  const processor = config.pipeline.processors.at(-1);
  const sameDate = { kind: "same_date" };
  const hard = {
    mode: "hard",
    waitMs: null,
    minCompleteness: null,
    window: sameDate,
    minShare: 1,
    stale: true,
  };
  expect(processor).toEqual({
    name: "player_composite_factors",
    index: 4,
    phase: "4",
    table: { parts: ["nba_precompute", "player_composite_factors"] },
    dateColumn: "game_date",
    where: null,
    writtenAtColumn: "processed_at",
    severity: "critical",
    owner: "data-team",
    tags: [],
    schedule: "games",
    due: { daysAfter: 1, minuteOfDay: 360 },
    bootstrapDays: 14,
    available: { from: "2021-10-19", to: null } as Processor["available"],
    sourceRetentionMs: 90 * day,
    chronological: false,
    onPoison: "stop",
    priority: 0,
    stale: "report",
    offSchedule: "report",
    edges: [
      { ...hard, anyOf: ["player_shot_zone_analysis"] },
      { ...hard, anyOf: ["upcoming_player_game_context"], minCompleteness: 0.8 },
      { ...hard, anyOf: ["team_defense_zone_analysis"], mode: "soft", waitMs: 6 * 60 * minute, stale: false },
      {
        ...hard,
        anyOf: ["player_game_summary"],
        window: { kind: "days", days: 30, sameDate: false },
        minShare: 0.9,
        stale: false,
      },
    ],
    expect: {
      rows: { min: 20, max: null, perUnit: null, maxPerUnit: null, perEntity: null, completionLog: null },
      coverage: {
        of: { kind: "processor", name: "upcoming_player_game_context" },
        key: "player_lookup",
        ofKey: "player_lookup",
        min: 0.9,
        excusedBy: {
          table: { parts: ["nba_reference", "failures"] },
          dateColumn: "game_date",
          key: "player_lookup",
          where: "is_expected",
        },
      },
      uniqueKeys: [["game_date", "player_lookup"]],
      notNull: [
        { column: "fatigue_score", maxRatio: 0 },
        { column: "coupon", maxRatio: 0.1 },
      ],
      checks: [{ name: "fatigue_in_range", sql: "fatigue_score between 0 and 100" }],
      measures: [
        { name: "rows_per_player", sql: "count(*) / count(distinct player_lookup)", min: 0.9, max: 1.1 },
      ],
      quality: {
        column: "completeness_pct",
        good: 90,
        ok: 70,
        degraded: 50,
        minGoodShare: 0.8,
        afterDays: 21,
      },
      hash: expect.stringMatching(/^[0-9a-f]{16}$/),
    },
    repairUnit: 0,
  });
  const unit: RepairUnit = {
    name: "player_composite_factors",
    processors: [4],
    action: {
      kind: "command",
      argv: ["python", "backfill.py", "--start-date", "{{start_date}}", "--end-date", "{{end_date}}"],
      cwd: folder,
      env: {},
      exitCodes: { retryable: [75], permanent: [64, 65, 78] },
    },
    replaces: true,
    batch: "range",
    maxAttempts: 3,
    backoffMs: [30_000, 60_000, 120_000],
    timeoutMs: 10 * minute,
    timeoutPerDateMs: 5 * minute,
    maxDatesPerJob: 31,
    concurrency: 2,
    pool: "heavy",
    windows: [],
    preconditions: [],
    hash: expect.stringMatching(/^[0-9a-f]{16}$/),
  };
  expect(config.pipeline.repairUnits).toEqual([unit]);
});

test("the example's production target is refused, naming each thing that this version cannot do", async () => {
  const prod: LoadInput = { yaml, target: "prod", env: { GCP_PROJECT: "p", REDIS_URL: "redis://r" } };
  const error = await loadError(prod);
  expect(error.code).toBe("not_available");
  expect(error.message.split("\n").map((line) => line.replace(/^\S*\//, ""))).toEqual([
    "pipeline.yaml:9:24: targets.prod.warehouse.type: bigquery is not available in this version",
    "pipeline.yaml:10:24: targets.prod.ledger.dataset is not available in this version",
    "pipeline.yaml:11:12: targets.prod.redis is not available in this version",
  ]);
  expect(error.hint).toMatch(/duckdb.*--target/);
});

test("a target that is not available is refused as such, whether its environment is set or not", async () => {
  expect((await loadError({ yaml, target: "prod" })).code).toBe("not_available");
});

test("a fault in a target that is not chosen is told all the same, with the target's place", async () => {
  const broken = yaml
    .replace("lock_urls: []", "lock_ulrs: []")
    .replace("20GiB", "20")
    .replace("dataset: nba_reconciler", "dataset: [a]");
  expect(faults(await loadError({ yaml: broken }))).toEqual([
    expect.stringMatching(
      /^pipeline\.yaml:9:\d+ targets\.prod\.warehouse\.maximum_bytes_billed expected a size .* number 20/,
    ),
    expect.stringMatching(
      /^pipeline\.yaml:10:\d+ targets\.prod\.ledger\.dataset expected text .*found a list$/,
    ),
    expect.stringMatching(
      /^pipeline\.yaml:11:\d+ targets\.prod\.redis\.lock_ulrs .*did you mean "lock_urls"\?$/,
    ),
  ]);
});
