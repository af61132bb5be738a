-- purpose: every column of every table and view of the open database, to name what is missing before anything is scanned
-- parameters: none
-- columns: database_name, schema_name, table_name, column_name, data_type, column_default (the expression of a generated
--   column too; NULL without one), is_view; in the order of the table
select
  database_name, schema_name, table_name, column_name, data_type, column_default,
  table_oid in (select view_oid from duckdb_views() where database_name = current_database() and not internal) as is_view
from duckdb_columns()
where database_name = current_database() and not internal
order by schema_name, table_name, column_index
