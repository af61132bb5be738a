-- purpose: every partition of some tables of one dataset, with what tells that it changed; billed 10 MB, however long the
--   history is
-- parameters: @tables, the names of the tables (at most 1,000)
-- columns: table_name, partition_id (STRING; NULL for a table without partitions), modified (microseconds since 1970-01-01,
--   INT64), rows (INT64, without those in the streaming buffer); one row of each partition, in no order
select
  table_name as gr_table,
  partition_id as gr_partition,
  unix_micros(max(last_modified_time)) as gr_modified,
  sum(total_rows) as gr_rows
from {{dataset}}.INFORMATION_SCHEMA.PARTITIONS
where table_name in unnest(@tables)
group by 1, 2
