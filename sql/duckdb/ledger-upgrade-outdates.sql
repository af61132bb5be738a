-- Brings a ledger of form 1 to form 2: what a run outdated is recorded with each of its cells.
-- Parameters: none.
alter table cell_outcomes add column outdates json;
