-- purpose: every column of every table and view of the open database, to name what is missing before anything is scanned
-- parameters: none
-- columns: database_name, schema_name, table_name, column_name, data_type; in the order of the table
select database_name, schema_name, table_name, column_name, data_type
from duckdb_columns()
where database_name = current_database() and not internal
order by schema_name, table_name, column_index
