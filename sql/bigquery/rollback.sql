-- purpose: takes back what a repair wrote
-- parameters: none
-- columns: none
rollback transaction
