import { join } from "node:path";
import { expect, test } from "vitest";
import type { Processor, RepairUnit } from "../../src/core/pipeline.ts";
import { datedBy } from "../support/pipeline.ts";
import { exampleYaml as yaml } from "./example-yaml.ts";
import { faults, load, loadError } from "./load.ts";

const minute = 60_000;
const day = 86_400_000;

test("the example loads with its local target, every value where it belongs", async () => {
  const { config, folder } = await load({ yaml });
  const { pipeline } = config;
  expect(config.target).toBe("local");
  expect(config.file).toBe(join(folder, "pipeline.yaml"));
  expect(config.storage).toEqual({
    type: "duckdb",
    path: join(folder, "warehouse.duckdb"),
    ledgerPath: join(folder, "warehouse.ledger.duckdb"),
    queryTimeoutMs: 5 * minute,
  });
  expect(config.http).toBeNull();
  expect(config.daemon).toEqual({
    cron: "*/15 * * * *",
    cycleTimeoutMs: 10 * minute,
    shutdownGraceMs: 2 * minute,
    mode: "repair",
  });
  expect(pipeline.name).toBe("nba-props");
  expect(pipeline.timezone).toBe("America/New_York");
  expect(pipeline.limits).toEqual({ jobsMax: 8, cellsPerCycleMax: 2000, commandsMax: 1 });
  expect(pipeline.budgets).toEqual({
    scanBytesPerCycle: null,
    scanBytesPerDay: 200 * 2 ** 30,
    repairsPerDay: 500,
  });
  expect(pipeline.safety).toEqual({
    autoRepairMaxAgeMs: 30 * day,
    massGap: { maxShare: 0.2, cellsMin: 50 },
    scheduleChange: { maxShare: 0.01, datesMin: 3 },
    circuitBreaker: { failures: 5, coolOffMs: 30 * minute },
  });
  expect(pipeline.pools).toEqual([{ name: "heavy", slots: 1 }]);
  expect(pipeline.schedules).toEqual([
    {
      name: "games",
      source: {
        kind: "table",
        table: { parts: ["nba_raw", "nbac_schedule"] },
        ...datedBy("game_date"),
        unitColumn: "game_id",
        seasonColumn: "season",
        where: "game_status = 3 and game_id not like '003%'",
      },
      startDate: "2021-10-19",
      endDate: null,
      except: null,
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
    ...datedBy("game_date"),
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
    dependsOnPast: false,
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
      rows: {
        min: 20,
        max: null,
        perUnit: null,
        maxPerUnit: null,
        perEntity: null,
        when: null,
        completionLog: null,
      },
      coverage: {
        of: { kind: "processor", name: "upcoming_player_game_context" },
        key: "player_lookup",
        ofKey: "player_lookup",
        min: 0.9,
        extra: null,
        excusedBy: {
          table: { parts: ["nba_reference", "failures"] },
          ...datedBy("game_date"),
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
    saysReplaces: true,
    batch: "range",
    maxAttempts: 3,
    backoffMs: [30_000, 60_000, 120_000],
    probe: { afterMs: 21_600_000, max: 5 },
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

test("the example's production target is BigQuery, with its ledger in a dataset and Redis between its processes", async () => {
  const { config } = await load({
    yaml: yaml.replace(/^ +http:.*\n/m, ""),
    target: "prod",
    env: { GCP_PROJECT: "nba-prod", REDIS_URL: "redis://u:secret@r:6380/2" },
  });
  expect(config.redis).toEqual({
    url: "redis://u:secret@r:6380/2",
    lockUrls: [],
    username: null,
    password: null,
    database: null,
    ca: null,
    sentinel: null,
  });
  expect(config.secrets).toContain("secret");
  expect(JSON.stringify(config.jsonDocument)).not.toContain("secret@");
  expect(config.storage).toEqual({
    type: "bigquery",
    project: "nba-prod",
    location: "us-west2",
    maximumBytesBilled: 20 * 2 ** 30,
    queryTimeoutMs: 5 * minute,
    labels: { team: "data" },
    pricePerTibUsd: 6.25,
    fullProfileEveryMs: 7 * 24 * 3_600_000,
    apiEndpoint: null,
    ledgerDataset: "nba_reconciler",
  });
  expect(config.pipeline.limits.commandsMax).toBe(8);
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
      /^pipeline\.yaml:10:\d+ targets\.prod\.ledger\.dataset expected the name of a dataset.*found a list/,
    ),
    expect.stringMatching(
      /^pipeline\.yaml:11:\d+ targets\.prod\.redis\.lock_ulrs .*did you mean "lock_urls"\?$/,
    ),
  ]);
});
