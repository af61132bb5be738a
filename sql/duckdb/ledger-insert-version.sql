-- Notes the form of the tables that were just made.
-- Parameters: version.
insert into schema_version
values ($version, now()::timestamp);
