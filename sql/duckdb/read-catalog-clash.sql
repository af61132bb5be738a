-- A schema that is called like the catalog, which makes every name with that schema ambiguous.
-- Parameters: none.
-- Columns: schema_name; no row where there is none.
select schema_name
from duckdb_schemas()
where database_name = current_database() and lower(schema_name) = lower(current_database()) and not internal;
