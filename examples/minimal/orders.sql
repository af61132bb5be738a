select day, order_id, amount
from shop.till
where day between $start_date and $end_date
