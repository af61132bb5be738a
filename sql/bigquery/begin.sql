-- purpose: begins the transaction of a repair
-- parameters: none
-- columns: none
begin transaction
