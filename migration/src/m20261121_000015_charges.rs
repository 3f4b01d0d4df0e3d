//! What was charged: each item keeps how its price came about, and a row for each fee and tax.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000015_charges", up(), DOWN.to_owned());

fn up() -> String {
    [
        COLUMNS.to_owned(),
        TABLE.to_owned(),
        Fence::tenant("registration_item_charges")
            .verbs("select, insert, delete")
            .member_reads("registrations:read")
            .attendees_see("registration_id = any (array(select r.id from registrations r))")
            .touched()
            .up(),
    ]
    .concat()
}

/// Whoever writes a plain row says the price alone: nothing comes on top of it and nothing was taken off. What follows
/// from other columns is generated, so that it cannot be wrong.
const COLUMNS: &str = "
alter table registration_items
  add tier_id uuid,
  add tier_minor bigint not null default 0,
  add discount_minor bigint not null default 0,
  add code_discount_minor bigint not null default 0,
  add fee_minor bigint not null default 0,
  add tax_minor bigint not null default 0,
  add added_minor bigint not null default 0,
  add list_price_minor bigint not null generated always as (price_minor + discount_minor + tier_minor) stored,
  add total_minor bigint not null generated always as (price_minor + fee_minor + added_minor) stored,
  add net_minor bigint not null generated always as (price_minor + fee_minor + added_minor - tax_minor) stored,
  add constraint registration_items_tier_fk foreign key (org_id, event_id, tier_id)
    references price_tiers (org_id, event_id, id),
  add constraint registration_items_parts check (
    price_minor + discount_minor + tier_minor >= 0
    and discount_minor >= 0
    and code_discount_minor between 0 and discount_minor
    and fee_minor >= 0
    and tax_minor >= 0
    and price_minor + fee_minor + added_minor >= tax_minor
  );
create index registration_items_tier_idx on registration_items (tier_id);

alter table registrations
  add promo_code_id uuid,
  add discount_minor bigint not null default 0,
  add fee_minor bigint not null default 0,
  add tax_minor bigint not null default 0,
  add added_minor bigint not null default 0,
  add subtotal_minor bigint not null
    generated always as (total_minor - fee_minor - added_minor + discount_minor) stored,
  add constraint registrations_promo_code_fk foreign key (org_id, promo_code_id) references promo_codes (org_id, id),
  add constraint registrations_parts check (
    total_minor - fee_minor - added_minor + discount_minor >= 0
    and discount_minor >= 0
    and fee_minor >= 0
    and tax_minor between 0 and total_minor
  );
create index registrations_promo_code_idx on registrations (promo_code_id, placed_at, id);
";

const TABLE: &str = "
create table registration_item_charges (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  registration_id uuid not null,
  item_id uuid not null,
  kind text not null constraint registration_item_charges_kind check (kind in ('fee', 'tax', 'fee_tax')),
  fee_kind text constraint registration_item_charges_fee_kind check (fee_kind in ('platform', 'payment', 'service')),
  name text not null,
  rate_millionths integer not null,
  inclusive boolean not null,
  amount_minor bigint not null constraint registration_item_charges_amount_range check (amount_minor >= 0),
  currency text not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint registration_item_charges_registration_fk foreign key (org_id, event_id, registration_id)
    references registrations (org_id, event_id, id),
  constraint registration_item_charges_item_fk foreign key (org_id, event_id, item_id)
    references registration_items (org_id, event_id, id) on delete cascade
);
create index registration_item_charges_item_idx on registration_item_charges (item_id, created_at, id);
create index registration_item_charges_registration_idx
  on registration_item_charges (registration_id, created_at, id);
";

const DOWN: &str = "
drop policy attendees_see on registration_item_charges;
drop table registration_item_charges;
alter table registrations
  drop constraint registrations_promo_code_fk,
  drop constraint registrations_parts,
  drop column subtotal_minor,
  drop column promo_code_id,
  drop column discount_minor,
  drop column fee_minor,
  drop column tax_minor,
  drop column added_minor;
alter table registration_items
  drop constraint registration_items_tier_fk,
  drop constraint registration_items_parts,
  drop column list_price_minor,
  drop column total_minor,
  drop column net_minor,
  drop column tier_id,
  drop column tier_minor,
  drop column discount_minor,
  drop column code_discount_minor,
  drop column fee_minor,
  drop column tax_minor,
  drop column added_minor;
";
