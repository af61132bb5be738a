-- A shop that is open from Monday to Saturday, in January 2024. Its orders of the 9th and 10th were never loaded, so the revenue
-- of those days is missing too; that of the 20th is missing by itself.
create schema shop;

create table shop.opening_days as
select day::date as day
from range(date '2024-01-01', date '2024-02-01', interval 1 day) as january (day)
where isodow(day) <= 6;

-- What the till still knows, and the orders can be loaded from.
create table shop.till as
select opening_days.day, number as order_id, 5 + number % 20 as amount
from shop.opening_days
cross join range(1, 41) as orders (number);

create table shop.orders as
select * from shop.till where day not in (date '2024-01-09', date '2024-01-10');

create table shop.revenue as
select day, sum(amount)::integer as amount
from shop.orders
where day <> date '2024-01-20'
group by day;
