-- Whole numbers divided without losing any: rounding, and handing out an amount in shares.
-- Called from: all parts of price_cart.
-- Raises: 22012 when a divisor is 0.

-- p_dividend / p_divisor to the nearest whole number, halves up. Both are whole numbers, the dividend not negative;
-- numeric, because an amount times a rate passes the range of bigint.
create or replace function es.round_div(p_dividend numeric, p_divisor numeric)
returns bigint
language sql
immutable
parallel safe
return div(2 * p_dividend + p_divisor, 2 * p_divisor)::bigint;

-- The amount in whole shares in proportion to the weights, in their order. Shares are rounded down; what is left goes,
-- one each, to those that lost most by that, the first among equals. The shares add up to the amount, and none is
-- more than its weight as long as the amount is not more than all weights together. With weights of 0 alone the first
-- takes everything.
create or replace function es.allot(p_amount bigint, p_weights bigint[])
returns bigint[]
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $body$
  with weights as (
    select
      w.place,
      case when sum(w.weight) over () = 0 then (w.place = 1)::integer else w.weight end::numeric as weight
    from unnest(p_weights) with ordinality as w (weight, place)
  ),
  shares as (
    select
      place,
      div(p_amount * weight, sum(weight) over ()) as share,
      mod(p_amount * weight, sum(weight) over ()) as lost
    from weights
  ),
  ranked as (
    select
      place,
      share,
      row_number() over (order by lost desc, place) as turn,
      p_amount - sum(share) over () as left_over
    from shares
  )
  select array_agg((share + (turn <= left_over)::integer)::bigint order by place)
  from ranked
$body$;

alter function es.round_div(numeric, numeric) owner to es_verbs;
alter function es.allot(bigint, bigint[]) owner to es_verbs;
revoke execute on function es.round_div(numeric, numeric) from public;
revoke execute on function es.allot(bigint, bigint[]) from public;
grant execute on function es.round_div(numeric, numeric) to es_system;
grant execute on function es.allot(bigint, bigint[]) to es_system;
