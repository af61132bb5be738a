-- Tells a ledger from an empty file and from another database.
-- Parameters: none.
-- Columns: tables (in the file), ledger_tables (those that only a ledger has).
select
  count(*) as tables,
  count(*) filter (table_name in ('schema_version', 'repair_starts', 'gap_events')) as ledger_tables
from duckdb_tables()
where not internal and not temporary;
