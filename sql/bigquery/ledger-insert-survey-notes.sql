-- purpose: writes what surveys learnt, each a microsecond after the one before
-- parameters: subjects, parts, noted_at (milliseconds since 1970), bodies: one of each for every row
-- columns: none
insert into {{dataset}}.survey_notes (recorded_at, subject, part, noted_at, body)
select
  timestamp_add(current_timestamp(), interval place microsecond),
  @subjects[offset(place)], @parts[offset(place)], timestamp_millis(@noted_at[offset(place)]), body
from unnest(@bodies) as body with offset as place
