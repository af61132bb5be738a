-- What is known of all starts together.
-- Parameters: since (epoch milliseconds, included).
-- Columns: last_token (0 where there is no start), starts_since.
select coalesce(max(token), 0) as last_token, count(*) filter (started_at >= epoch_ms($since::bigint)) as starts_since
from repair_starts;
