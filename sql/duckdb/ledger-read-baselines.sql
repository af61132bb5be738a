-- Per subject, name and hash the last baseline and the last one up to an instant, oldest first; one row where they are one.
-- Where none is so old, the first one instead.
-- Parameters: until (epoch milliseconds, included).
-- Columns: those of baselines, the instant as epoch milliseconds.
select subject, name, hash, epoch_ms(accepted_at) as accepted_at, dates
from baselines
qualify row_number() over (partition by subject, name, hash order by baselines.accepted_at desc, rowid desc) = 1
  or row_number() over (
    partition by subject, name, hash, baselines.accepted_at <= epoch_ms($until::bigint)
    order by baselines.accepted_at desc, rowid desc
  ) = 1 and baselines.accepted_at <= epoch_ms($until::bigint)
  or row_number() over (partition by subject, name, hash order by baselines.accepted_at, rowid) = 1
    and baselines.accepted_at > epoch_ms($until::bigint)
order by baselines.accepted_at, rowid;
