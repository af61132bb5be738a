-- purpose: makes what a repair wrote visible, all of it at once
-- parameters: none
-- columns: none
commit transaction
