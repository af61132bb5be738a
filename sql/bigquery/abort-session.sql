-- purpose: ends a session that a repair has left whose process died, and with it the transaction that it may have open
-- parameters: none
-- columns: none
call bq.abort_session({{session}})
