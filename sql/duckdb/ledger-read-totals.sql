-- What is known of all starts and cycles together.
-- Parameters: since (epoch milliseconds, included).
-- Columns: last_token (0 where there is no start), starts_since, scan_bytes_since (of the cycles that ended since).
select
  (select coalesce(max(token), 0) from repair_starts) as last_token,
  (select count(*) from repair_starts where started_at >= epoch_ms($since::bigint)) as starts_since,
  (select coalesce(sum(scan_bytes), 0)::bigint from cycles where finished_at >= epoch_ms($since::bigint))
    as scan_bytes_since;
