-- purpose: profiles many processors in one statement; {{arms}} is a union of profile-processor.sql
-- parameters: those of the arms
-- columns: as profile-processor.sql has them
select * from ({{arms}}) as gr_arms
order by gr_arm, gr_day
