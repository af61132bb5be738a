-- The newest form that the tables of this ledger were brought to.
-- Parameters: none.
-- Columns: version.
select max(version) as version
from schema_version;
