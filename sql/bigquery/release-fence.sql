-- purpose: takes the cells of a repair out of the fence, with the row of no processor; a row with a larger token, or the
--   same one of another repair, stays
-- parameters: @processor (STRING), @dates (ARRAY<DATE>), @token (INT64), @repair_id (STRING)
-- columns: none
delete from {{fence}}
where
  processor = ''
  or (
    processor = @processor
    and date in unnest(@dates)
    and (token < @token or (token = @token and repair_id = @repair_id))
  )
