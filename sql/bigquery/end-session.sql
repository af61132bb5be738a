-- purpose: ends the session of a repair, and with it what it staged
-- parameters: none
-- columns: none
call bq.abort_session()
