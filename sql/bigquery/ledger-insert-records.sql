-- purpose: writes records to the log, each a microsecond after the one before, so that their order stays
-- parameters: kinds, ids, parts_of (of how many parts each record is), part_numbers, bodies: one of each for every row
-- columns: none
insert into {{dataset}}.records (recorded_at, kind, id, part, parts, body)
select
  timestamp_add(current_timestamp(), interval place microsecond),
  @kinds[offset(place)], @ids[offset(place)], @part_numbers[offset(place)], @parts_of[offset(place)], body
from unnest(@bodies) as body with offset as place
