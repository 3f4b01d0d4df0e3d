//! What a place has to remember so that its registration can be priced again without it, or with more: whether it uses
//! the promo code, what its discounts depend on, and what each of its charges was reckoned from.

use crate::sql_migration;

sql_migration!("m20261121_000021_repricing", UP.to_owned(), DOWN.to_owned());

/// Rows of before get what can be told afterwards: the tax on a place is on its price, that on a fee is on the amount
/// that the tax gives back.
const UP: &str = "
-- Functions that are no longer there, or take other arguments now.
drop function if exists es.unit_prices(events, uuid[], timestamptz);
drop function if exists es.priced_otherwise(registrations);
drop function if exists es.drawn_otherwise(registrations);
drop function if exists es.tax_entries(es.taxable[], text);
drop function if exists es.code_uses_of_buyer(promo_codes, text, timestamptz);
drop function if exists es.code_use_problem(promo_codes, events, uuid[], integer[], text, timestamptz, boolean);
drop function if exists es.price_units(jsonb, timestamptz, boolean);
drop function if exists es.discount_units(es.cart_unit[], uuid[], text, integer, bigint, integer, integer);
drop function if exists es.discount_automatically(events, es.cart_unit[], timestamptz);
drop function if exists es.take_off(es.cart_unit[], bigint[], boolean);
drop function if exists es.fees_of_units(events, es.cart_unit[]);
drop function if exists es.charge_units(events, es.cart_unit[]);

drop function if exists es.take_again(registrations, timestamptz, timestamptz);
drop function if exists es.price_again(registrations, events, timestamptz);
drop function if exists es.still_on_sale(registrations, events, timestamptz);
drop function if exists es.live_total(uuid);
drop function if exists es.read_change(registrations, events, jsonb, timestamptz);
drop function if exists es.change_not_sold(registrations, events, uuid[], uuid[], timestamptz);
drop function if exists es.change_stock(registrations, uuid[], uuid[]);
drop function if exists es.write_units(registrations, uuid[], uuid[], uuid[], bigint[]);

alter type es.cart_unit
  add attribute item_id uuid,
  add attribute coded boolean,
  add attribute terms jsonb;
alter type es.cart_charge add attribute base_minor bigint;

alter table registration_items
  add coded boolean not null default false,
  -- {automatic?, code?}: terms of discounts that hold only together with other places; null when there are none.
  add discount_terms jsonb;

alter table registration_item_charges
  add base_minor bigint not null default 0
    constraint registration_item_charges_base_range check (base_minor >= 0),
  add position integer not null default 0;

update registration_items i
set coded = true
from registrations r, ticket_types t
where r.id = i.registration_id
  and r.promo_code_id is not null
  and t.id = i.ticket_type_id
  and t.price_kind = 'fixed'
  and (
    i.code_discount_minor > 0
    or not exists (select from promo_code_ticket_types l where l.promo_code_id = r.promo_code_id)
    or exists (
      select
      from promo_code_ticket_types l
      where l.promo_code_id = r.promo_code_id
        and l.ticket_type_id = i.ticket_type_id
    )
  );
alter table registration_items
  add constraint registration_items_code_discount_coded check (code_discount_minor = 0 or coded);

update registration_item_charges c
set base_minor = case
  when c.kind <> 'fee_tax' then i.price_minor
  when c.inclusive then round(c.amount_minor::numeric * (1000000 + c.rate_millionths) / c.rate_millionths)
  else round(c.amount_minor::numeric * 1000000 / c.rate_millionths)
end
from registration_items i
where i.id = c.item_id
  and (c.kind <> 'fee_tax' or c.rate_millionths > 0);
";

const DOWN: &str = "
alter table registration_item_charges
  drop column position,
  drop column base_minor;
alter table registration_items
  drop constraint registration_items_code_discount_coded,
  drop column discount_terms,
  drop column coded;
alter type es.cart_charge drop attribute base_minor;
alter type es.cart_unit
  drop attribute terms,
  drop attribute coded,
  drop attribute item_id;
";
