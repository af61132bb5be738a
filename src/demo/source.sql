-- What the demo's scrapers could fetch, as views over its schedule and rosters: nothing is stored twice, the same game always
-- gives the same figures, and a range of dates costs only its own games.
create schema nba_raw;
create schema nba_source;
create schema nba_analytics;
create schema nba_precompute;
create schema nba_predictions;
create schema nba_processing;
create schema nba_reference;

create table nba_raw.nbac_schedule (
  game_id varchar not null,
  game_date date not null,
  season varchar not null,
  game_status integer not null,
  home_team varchar not null,
  away_team varchar not null
);

-- Where the platform's own orchestrator records its runs.
create table nba_reference.processor_run_history (
  processor_name varchar not null,
  run_id varchar not null,
  status varchar not null,
  data_date date not null,
  started_at timestamptz not null,
  processed_at timestamptz,
  errors varchar,
  phase varchar,
  output_table varchar
);

-- 18 players a team, the same in all seasons. Slots 1 to 9 are the regular rotation, better players first.
create table nba_source.rosters as
select
  team.abbr as team_abbr,
  slot.number::integer as slot,
  given[1 + (team.index * 18 + slot.number) % 23] || family[1 + (team.index * 18 + slot.number) // 23 % 25] as player_lookup
from (select unnest($teams) as abbr, generate_subscripts($teams, 1) - 1 as index) as team
cross join range(1, 19) as slot (number)
cross join (
  select
    string_split('adan,bram,carlo,dario,emil,felix,gael,hugo,ilya,jonas,kofi,levi,milo,noel,omar,piet,quinn,remy,sami,theo,ugo,vito,wes', ',') as given,
    string_split('abara,bellin,carrow,dunmore,estrel,farrow,galt,harven,imbert,jarrel,kessler,lowden,marsh,nolan,ostrow,pryce,quist,renner,salter,tolan,umber,vance,wexler,yardley,zoller', ',') as family
) as names;

create view nba_source.team_games as
select game_id, game_date, season, home_team as team_abbr, away_team as opponent, true as is_home
from nba_raw.nbac_schedule
where game_status = 3 and game_id not like '003%'
union all
select game_id, game_date, season, away_team, home_team, false
from nba_raw.nbac_schedule
where game_status = 3 and game_id not like '003%';

-- 17 or 18 listed players a team, of whom 10 or 11 play: the rotation but for one who rests on most nights, one of slots 10 to 12
-- and one of slots 13 to 18.
create view nba_source.listed_players as
with nights as (
  select
    *,
    (hash(game_id, team_abbr, 'rests') % 14)::integer + 1 as resting_slot,
    (hash(game_id, team_abbr, 'bench') % 3)::integer + 10 as bench_slot,
    (hash(game_id, team_abbr, 'deep bench') % 6)::integer + 13 as deep_bench_slot,
    (hash(game_id, team_abbr, 'not listed') % 12)::integer + 13 as unlisted_slot
  from nba_source.team_games
)
select
  nights.game_id,
  nights.game_date,
  nights.season,
  nights.team_abbr,
  nights.opponent,
  rosters.player_lookup,
  rosters.slot,
  case when rosters.slot <= 9 then rosters.slot <> nights.resting_slot
    else rosters.slot in (nights.bench_slot, nights.deep_bench_slot) end as played,
  hash(nights.game_id, rosters.player_lookup) as luck
from nights
join nba_source.rosters using (team_abbr)
where rosters.slot <> nights.unlisted_slot or rosters.slot = nights.deep_bench_slot;

create view nba_source.gamebook as
with minutes as (
  select
    * exclude (played),
    case when played then greatest(4, 37 - if(slot <= 9, 2 * slot, slot + 16))::integer + (luck % 5)::integer - 2 end as minutes
  from nba_source.listed_players
),
attempts as (
  select
    *,
    (minutes * 0.11)::integer + (luck // 7 % 3)::integer as paint_attempts,
    (minutes * 0.05)::integer + (luck // 31 % 2)::integer as mid_range_attempts,
    (minutes * 0.09)::integer + (luck // 101 % 3)::integer as three_attempts
  from minutes
),
shots as (
  select
    *,
    (paint_attempts * (45 + luck // 211 % 25) / 100.0)::integer as paint_makes,
    (mid_range_attempts * (30 + luck // 401 % 25) / 100.0)::integer as mid_range_makes,
    (three_attempts * (25 + luck // 601 % 25) / 100.0)::integer as three_makes,
    (minutes * (luck // 809 % 13) / 100.0)::integer as free_throw_makes
  from attempts
)
select
  game_id,
  game_date,
  season,
  player_lookup,
  team_abbr,
  opponent,
  if(minutes is null, 'dnp', 'active') as player_status,
  minutes,
  2 * paint_makes + 2 * mid_range_makes + 3 * three_makes + free_throw_makes as points,
  (minutes * (5 + luck // 1009 % 25) / 100.0)::integer as rebounds,
  (minutes * (2 + luck // 1511 % 20) / 100.0)::integer as assists,
  paint_attempts,
  paint_makes,
  mid_range_attempts,
  mid_range_makes,
  three_attempts,
  three_makes,
  free_throw_makes
from shots;

create view nba_source.player_boxscores as
select
  game_id, game_date, season, player_lookup, team_abbr,
  coalesce(minutes, 0) as minutes, coalesce(points, 0) as points,
  coalesce(rebounds, 0) as rebounds, coalesce(assists, 0) as assists
from nba_source.gamebook;

create view nba_source.team_boxscores as
select
  gamebook.game_id,
  gamebook.game_date,
  gamebook.season,
  gamebook.team_abbr,
  gamebook.opponent,
  games.home_team = gamebook.team_abbr as is_home,
  sum(points)::integer as points,
  sum(rebounds)::integer as rebounds,
  sum(assists)::integer as assists,
  sum(paint_attempts + mid_range_attempts + three_attempts)::integer + 12 as possessions
from nba_source.gamebook as gamebook
join nba_raw.nbac_schedule as games using (game_id, game_date)
group by all;

-- 17 lines a team. Until the end of 2021 they were scraped on Wednesdays and Saturdays only; the others are lost.
create view nba_source.player_props as
select
  games.game_id,
  games.game_date,
  games.season,
  rosters.player_lookup,
  games.team_abbr,
  greatest(2, 20 - rosters.slot) + 0.5::double + (hash(games.game_id, rosters.player_lookup, 'line') % 4)::integer as points_line
from nba_source.team_games as games
join nba_source.rosters as rosters using (team_abbr)
where rosters.slot <> 10 + (hash(games.game_id, games.team_abbr, 'no line') % 9)::integer
  and (games.game_date > date '2021-12-31' or isodow(games.game_date) in (3, 6));

create view nba_source.game_lines as
select
  game_id,
  game_date,
  season,
  team_abbr,
  if(is_home, 1, -1) * ((hash(game_id, 'spread') % 25)::integer - 12) / 2.0::double as spread,
  210.5::double + (hash(game_id, 'total') % 30)::integer as total
from nba_source.team_games;
