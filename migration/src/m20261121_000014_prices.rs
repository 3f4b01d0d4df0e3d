//! What prices are made of beside the listed one: tiers, discounts, promo codes, add-ons, taxes and fees. A tier's
//! quantity and a code's uses are pools of their own kind, so that one mechanism counts everything that can run out.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000014_prices", up(), DOWN.to_owned());

const TIER: &str = "name, price_minor, currency, starts_at, ends_at, quantity, position";
const VALUE: &str = "kind, rate_millionths, amount_minor, currency, buy_quantity, get_quantity";
const WINDOW: &str = "starts_at, ends_at, active";
const CODE: &str = "code, counted_by, max_uses, max_uses_per_buyer, unlocks_hidden";
const RULE: &str = "name, ticket_type_id, min_tickets, position";
const TAX: &str = "name, rate_millionths, inclusive, position";
const FEE: &str = "kind, name, basis, amount_minor, currency, rate_millionths, tax_name, tax_rate_millionths, \
     tax_inclusive, active, position";
/// A link between a ticket type and something else of its event is as visible as the type.
const OF_VISIBLE_TYPE: &str = "exists (select 1 from ticket_types t where t.id = ticket_type_id) \
     and exists (select 1 from ticket_types t where t.id = add_on_id)";

fn up() -> String {
    [
        CHANGED.to_owned(),
        TABLES.to_owned(),
        TYPES.to_owned(),
        catalogue("price_tiers", "ticket_type_id", &[TIER]),
        catalogue("discount_rules", "", &[RULE, VALUE, WINDOW]),
        catalogue("tax_rules", "ticket_type_id", &[TAX]),
        catalogue("fee_rules", "", &[FEE]),
        Fence::tenant("promo_codes")
            .verbs("select, insert, update, delete")
            .member_reads("promo_codes:read")
            .member_writes(
                "promo_codes:write",
                &format!("id, org_id, event_id, {CODE}, {VALUE}, {WINDOW}"),
                &format!("{CODE}, {VALUE}, {WINDOW}"),
            )
            .touched()
            .up(),
        Fence::tenant("promo_code_ticket_types")
            .verbs("select, insert, delete")
            .member_reads("promo_codes:read")
            .member_writes(
                "promo_codes:write",
                "id, org_id, event_id, promo_code_id, ticket_type_id",
                "",
            )
            .touched()
            .up(),
        Fence::tenant("ticket_type_add_ons")
            .verbs("select, insert, delete")
            .member_reads("events:read")
            .member_writes(
                "events:write",
                "id, org_id, event_id, ticket_type_id, add_on_id, min_per_ticket, max_per_ticket",
                "min_per_ticket, max_per_ticket",
            )
            .visitors_see(OF_VISIBLE_TYPE)
            .touched()
            .up(),
        TRIGGERS.to_owned(),
    ]
    .concat()
}

/// What members with `events:write` make and change; `fixed` is said once.
fn catalogue(table: &'static str, fixed: &str, columns: &[&str]) -> String {
    let columns = columns.join(", ");
    let fixed = match fixed {
        "" => "id, org_id, event_id".to_owned(),
        more => format!("id, org_id, event_id, {more}"),
    };
    Fence::tenant(table)
        .verbs("select, insert, delete")
        .member_reads("events:read")
        .member_writes("events:write", &format!("{fixed}, {columns}"), &columns)
        .touched()
        .up()
}

const CHANGED: &str = "
alter table events add tax_rounding text not null default 'per_unit'
  constraint events_tax_rounding check (tax_rounding in ('per_unit', 'document_net', 'keep_gross'));

alter table capacity_pools
  add kind text not null default 'stock' constraint capacity_pools_kind check (kind in ('stock', 'tier', 'code')),
  alter event_id drop not null,
  -- Uses of a code of the whole organization belong to no event.
  add constraint capacity_pools_stock_of_event check (event_id is not null or kind = 'code');

-- Members see and change tiers and codes themselves, not the pools that count them.
create policy only_stock on capacity_pools as restrictive to es_member
  using (kind = 'stock')
  with check (kind = 'stock');

-- A claim is of the registration's event; the pool of an organization's code is of none.
alter table pool_claims
  drop constraint pool_claims_pool_fk,
  add constraint pool_claims_pool_fk foreign key (org_id, pool_id) references capacity_pools (org_id, id);

alter table ticket_types
  add price_kind text not null default 'fixed'
    constraint ticket_types_price_kind check (price_kind in ('fixed', 'donation')),
  add min_price_minor bigint not null default 0
    constraint ticket_types_min_price_range check (min_price_minor between 0 and 100000000000),
  add constraint ticket_types_suggested_price check (price_kind = 'fixed' or price_minor >= min_price_minor);
grant insert (price_kind, min_price_minor), update (price_kind, min_price_minor) on ticket_types to es_member;
";

const TABLES: &str = r#"
create table price_tiers (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  ticket_type_id uuid not null,
  pool_id uuid not null,
  name text not null,
  price_minor bigint not null,
  currency text not null,
  starts_at timestamptz,
  ends_at timestamptz,
  quantity integer,
  position integer not null default 0,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, event_id, id),
  constraint price_tiers_ticket_type_fk foreign key (org_id, event_id, ticket_type_id)
    references ticket_types (org_id, event_id, id) on delete cascade,
  constraint price_tiers_currency_of_event foreign key (org_id, event_id, currency)
    references events (org_id, id, currency) on update cascade on delete cascade,
  constraint price_tiers_pool_fk foreign key (org_id, event_id, pool_id)
    references capacity_pools (org_id, event_id, id) on delete cascade,
  constraint price_tiers_name_length check (char_length(name) between 1 and 200),
  constraint price_tiers_price_range check (price_minor between 0 and 100000000000),
  constraint price_tiers_window check (ends_at > starts_at),
  constraint price_tiers_quantity_range check (quantity between 0 and 10000000)
);
create index price_tiers_ticket_type_idx on price_tiers (ticket_type_id, position, id);
create index price_tiers_event_idx on price_tiers (event_id, position, id);
create unique index price_tiers_pool_key on price_tiers (pool_id);

create table discount_rules (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  ticket_type_id uuid,
  name text not null,
  kind text not null constraint discount_rules_kind
    check (kind in ('percent', 'amount_per_ticket', 'amount_per_registration', 'buy_x_get_y')),
  rate_millionths integer,
  amount_minor bigint,
  currency text,
  buy_quantity integer,
  get_quantity integer,
  min_tickets integer not null default 1,
  starts_at timestamptz,
  ends_at timestamptz,
  active boolean not null default true,
  position integer not null default 0,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint discount_rules_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint discount_rules_currency_of_event foreign key (org_id, event_id, currency)
    references events (org_id, id, currency) on update cascade on delete cascade,
  constraint discount_rules_ticket_type_fk foreign key (org_id, event_id, ticket_type_id)
    references ticket_types (org_id, event_id, id) on delete cascade,
  constraint discount_rules_name_length check (char_length(name) between 1 and 200),
  constraint discount_rules_min_tickets_range check (min_tickets between 1 and 100),
  constraint discount_rules_window check (ends_at > starts_at),
  constraint discount_rules_value check (
    case
      when kind in ('percent', 'buy_x_get_y') then rate_millionths is not null
      else amount_minor is not null and currency is not null
    end
  ),
  constraint discount_rules_rate_range check (rate_millionths between 1 and 1000000),
  constraint discount_rules_amount_range check (amount_minor between 1 and 100000000000),
  constraint discount_rules_buy_and_get check (
    kind <> 'buy_x_get_y' or (buy_quantity is not null and get_quantity is not null)
  ),
  constraint discount_rules_buy_range check (buy_quantity between 1 and 100 and get_quantity between 1 and 100)
);
create index discount_rules_event_idx on discount_rules (event_id, position, id);
create index discount_rules_ticket_type_idx on discount_rules (ticket_type_id);

create table promo_codes (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  event_id uuid,
  pool_id uuid not null,
  code text collate "C" not null,
  kind text not null constraint promo_codes_kind
    check (kind in ('none', 'percent', 'amount_per_ticket', 'amount_per_registration', 'buy_x_get_y')),
  rate_millionths integer,
  amount_minor bigint,
  currency text,
  buy_quantity integer,
  get_quantity integer,
  counted_by text not null default 'registration'
    constraint promo_codes_counted_by check (counted_by in ('registration', 'ticket')),
  max_uses integer,
  max_uses_per_buyer integer,
  unlocks_hidden boolean not null default false,
  starts_at timestamptz,
  ends_at timestamptz,
  active boolean not null default true,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint promo_codes_code_key unique nulls not distinct (org_id, code, event_id),
  constraint promo_codes_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint promo_codes_currency_of_event foreign key (org_id, event_id, currency)
    references events (org_id, id, currency) on update cascade on delete cascade,
  constraint promo_codes_pool_fk foreign key (org_id, pool_id)
    references capacity_pools (org_id, id) on delete cascade,
  constraint promo_codes_code_shape check (code ~ '^[A-Z0-9][A-Z0-9_.-]{2,39}$'),
  constraint promo_codes_window check (ends_at > starts_at),
  constraint promo_codes_value check (
    case
      when kind in ('percent', 'buy_x_get_y') then rate_millionths is not null
      when kind = 'none' then true
      else amount_minor is not null and currency is not null
    end
  ),
  constraint promo_codes_rate_range check (rate_millionths between 1 and 1000000),
  constraint promo_codes_amount_range check (amount_minor between 1 and 100000000000),
  constraint promo_codes_buy_and_get check (
    kind <> 'buy_x_get_y' or (buy_quantity is not null and get_quantity is not null)
  ),
  constraint promo_codes_buy_range check (buy_quantity between 1 and 100 and get_quantity between 1 and 100),
  constraint promo_codes_max_uses_range check (max_uses between 0 and 10000000),
  constraint promo_codes_max_uses_per_buyer_range check (max_uses_per_buyer between 1 and 10000000)
);
create index promo_codes_event_idx on promo_codes (event_id, created_at, id);
create index promo_codes_org_created_idx on promo_codes (org_id, created_at, id);
create index promo_codes_org_event_idx on promo_codes (org_id, event_id, created_at, id);
create unique index promo_codes_pool_key on promo_codes (pool_id);

create table promo_code_ticket_types (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  promo_code_id uuid not null,
  ticket_type_id uuid not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint promo_code_ticket_types_pair_key unique (promo_code_id, ticket_type_id),
  constraint promo_code_ticket_types_code_fk foreign key (org_id, promo_code_id)
    references promo_codes (org_id, id) on delete cascade,
  constraint promo_code_ticket_types_ticket_type_fk foreign key (org_id, event_id, ticket_type_id)
    references ticket_types (org_id, event_id, id) on delete cascade
);
create index promo_code_ticket_types_type_idx on promo_code_ticket_types (ticket_type_id);

create table ticket_type_add_ons (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  ticket_type_id uuid not null,
  add_on_id uuid not null,
  min_per_ticket integer not null default 0,
  max_per_ticket integer not null default 1,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint ticket_type_add_ons_pair_key unique (ticket_type_id, add_on_id),
  constraint ticket_type_add_ons_ticket_type_fk foreign key (org_id, event_id, ticket_type_id)
    references ticket_types (org_id, event_id, id) on delete cascade,
  constraint ticket_type_add_ons_add_on_fk foreign key (org_id, event_id, add_on_id)
    references ticket_types (org_id, event_id, id) on delete cascade,
  constraint ticket_type_add_ons_not_itself check (ticket_type_id <> add_on_id),
  constraint ticket_type_add_ons_range check (
    min_per_ticket between 0 and 100
    and max_per_ticket between greatest(min_per_ticket, 1) and 100
  )
);
create index ticket_type_add_ons_add_on_idx on ticket_type_add_ons (add_on_id);
create index ticket_type_add_ons_event_idx on ticket_type_add_ons (event_id);

create table tax_rules (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  event_id uuid,
  ticket_type_id uuid,
  name text not null,
  rate_millionths integer not null,
  inclusive boolean not null default true,
  position integer not null default 0,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint tax_rules_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint tax_rules_ticket_type_fk foreign key (org_id, event_id, ticket_type_id)
    references ticket_types (org_id, event_id, id) on delete cascade,
  constraint tax_rules_type_of_event check (ticket_type_id is null or event_id is not null),
  constraint tax_rules_name_length check (char_length(name) between 1 and 100),
  constraint tax_rules_rate_range check (rate_millionths between 0 and 1000000)
);
create index tax_rules_event_idx on tax_rules (event_id, position, id);
create index tax_rules_org_idx on tax_rules (org_id, position, id);
create index tax_rules_ticket_type_idx on tax_rules (ticket_type_id, position, id);

create table fee_rules (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  event_id uuid,
  kind text not null constraint fee_rules_kind check (kind in ('platform', 'payment', 'service')),
  name text not null,
  basis text not null default 'ticket' constraint fee_rules_basis check (basis in ('ticket', 'registration')),
  amount_minor bigint,
  currency text,
  rate_millionths integer not null default 0,
  tax_name text not null default '',
  tax_rate_millionths integer not null default 0,
  tax_inclusive boolean not null default false,
  active boolean not null default true,
  position integer not null default 0,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint fee_rules_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint fee_rules_currency_of_event foreign key (org_id, event_id, currency)
    references events (org_id, id, currency) on update cascade on delete cascade,
  constraint fee_rules_name_length check (char_length(name) between 1 and 100),
  constraint fee_rules_amount_range check (amount_minor between 0 and 100000000000),
  constraint fee_rules_amount_currency check ((amount_minor is null) = (currency is null)),
  constraint fee_rules_rate_range check (rate_millionths between 0 and 1000000),
  constraint fee_rules_tax_rate_range check (tax_rate_millionths between 0 and 1000000),
  constraint fee_rules_tax_name_length check (char_length(tax_name) <= 100),
  constraint fee_rules_tax_named check (tax_rate_millionths = 0 or tax_name <> '')
);
create index fee_rules_event_idx on fee_rules (event_id, position, id);
create index fee_rules_org_idx on fee_rules (org_id, position, id);
"#;

/// What the functions of pricing hand to each other: a unit of a cart, what it is charged beside its price, what is
/// taxed, and the whole.
const TYPES: &str = "
create type es.cart_unit as (
  unit integer,
  line integer,
  ticket_type_id uuid,
  donated boolean,
  tier_id uuid,
  list_minor bigint,
  tier_minor bigint,
  discount_minor bigint,
  code_minor bigint,
  price_minor bigint,
  fee_minor bigint,
  tax_minor bigint,
  added_minor bigint
);
create type es.cart_charge as (
  unit integer,
  kind text,
  fee_kind text,
  name text,
  rate_millionths integer,
  inclusive boolean,
  amount_minor bigint
);
create type es.taxable as (
  entry integer,
  unit integer,
  fee boolean,
  amount_minor bigint,
  tax_names text[],
  rates integer[],
  inclusive boolean[]
);
create type es.priced_cart as (
  units es.cart_unit[],
  charges es.cart_charge[],
  discount_rule_id uuid
);
";

/// The pool behind a tier or a code comes, changes and goes with it. The functions belong to `es_system`, because
/// whoever makes a tier may not write pools of this kind; they write in the organization of the row and nowhere else.
const TRIGGERS: &str = "
create function es.keep_pool_of_tier()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if tg_op = 'INSERT' then
    insert into capacity_pools (org_id, event_id, kind, name, capacity)
    values (new.org_id, new.event_id, 'tier', new.name, new.quantity)
    returning id into new.pool_id;
    return new;
  elsif tg_op = 'UPDATE' then
    update capacity_pools
    set capacity = new.quantity
    where id = new.pool_id
      and capacity is distinct from new.quantity;
    return new;
  end if;
  delete from capacity_pools where id = old.pool_id;
  return null;
end
$body$;

create function es.keep_pool_of_code()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  if tg_op = 'DELETE' then
    delete from capacity_pools where id = old.pool_id;
    return null;
  end if;
  -- People type codes in any case.
  new.code := upper(btrim(new.code));
  if tg_op = 'INSERT' then
    insert into capacity_pools (org_id, event_id, kind, name, capacity)
    values (new.org_id, new.event_id, 'code', left(coalesce(nullif(new.code, ''), '-'), 200), new.max_uses)
    returning id into new.pool_id;
  else
    update capacity_pools
    set capacity = new.max_uses
    where id = new.pool_id
      and capacity is distinct from new.max_uses;
  end if;
  return new;
end
$body$;

alter function es.keep_pool_of_tier() owner to es_system;
alter function es.keep_pool_of_code() owner to es_system;
revoke execute on function es.keep_pool_of_tier() from public;
revoke execute on function es.keep_pool_of_code() from public;

create trigger keep_pool before insert or update of quantity on price_tiers
  for each row execute function es.keep_pool_of_tier();
create trigger drop_pool after delete on price_tiers
  for each row execute function es.keep_pool_of_tier();
create trigger keep_pool before insert or update of code, max_uses on promo_codes
  for each row execute function es.keep_pool_of_code();
create trigger drop_pool after delete on promo_codes
  for each row execute function es.keep_pool_of_code();
";

const DOWN: &str = "
drop policy visitors_see on ticket_type_add_ons;
drop table fee_rules;
drop table tax_rules;
drop table ticket_type_add_ons;
drop table promo_code_ticket_types;
drop table promo_codes;
drop table discount_rules;
drop table price_tiers;
drop function es.keep_pool_of_code();
drop function es.keep_pool_of_tier();
drop type es.priced_cart;
drop type es.taxable;
drop type es.cart_charge;
drop type es.cart_unit;
revoke insert (price_kind, min_price_minor), update (price_kind, min_price_minor) on ticket_types from es_member;
alter table ticket_types
  drop constraint ticket_types_suggested_price,
  drop column price_kind,
  drop column min_price_minor;
alter table pool_claims
  drop constraint pool_claims_pool_fk;
drop policy only_stock on capacity_pools;
delete from pool_claims where pool_id in (select id from capacity_pools where kind <> 'stock');
delete from capacity_pools where kind <> 'stock';
alter table pool_claims
  add constraint pool_claims_pool_fk foreign key (org_id, event_id, pool_id)
    references capacity_pools (org_id, event_id, id);
alter table capacity_pools
  drop constraint capacity_pools_stock_of_event,
  alter event_id set not null,
  drop column kind;
alter table events drop column tax_rounding;
";
