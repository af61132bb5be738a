-- purpose: the schema of what the product keeps beside the tables that it repairs
-- parameters: none
-- columns: none
create schema if not exists gap_reconciler
