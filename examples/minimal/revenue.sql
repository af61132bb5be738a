select day, sum(amount)::integer as amount
from shop.orders
where day between $start_date and $end_date
group by day
