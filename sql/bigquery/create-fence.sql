-- purpose: the last fencing token of each cell of one table, in a table of its own beside it. The row of no processor is
--   deleted and written again by every repair, so that of two that run at once BigQuery cancels one, even where neither
--   found a row of its own cells
-- parameters: none
-- columns: none
create table if not exists {{fence}} (
  processor string not null options (description = "the processor; empty in the row that every repair replaces"),
  date date options (description = "the cell's date; NULL in that row"),
  token int64 not null options (description = "the fencing token of the last repair that wrote the cell"),
  repair_id string not null options (description = "that repair, as in the ledger"),
  written_at timestamp not null
)
options (description = "gap-reconciler: which repair wrote which date last, so that a late one cannot write over a newer one")
