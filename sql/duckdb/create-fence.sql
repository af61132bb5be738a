-- purpose: the last fencing token of each cell, in the database of the table that it guards
-- parameters: none
-- columns: none
create table if not exists gap_reconciler.fence (
  processor varchar not null,
  date date not null,
  token bigint not null,
  repair_id varchar not null,
  written_at timestamptz not null,
  primary key (processor, date)
)
