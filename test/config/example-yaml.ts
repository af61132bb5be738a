/** The configuration that the documentation promises, with every processor that it names. */
export const exampleYaml = `version: 1
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
