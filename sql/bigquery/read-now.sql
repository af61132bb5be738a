-- purpose: the clock of BigQuery; a statement that reads no table bills nothing
-- parameters: none
-- columns: milliseconds since 1970-01-01 UTC (INT64)
select unix_millis(current_timestamp())
