//! What is on sale: ticket types, the pools of stock they draw from, and the links between the two.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000005_catalogue", up(), DOWN.to_owned());

const TICKET_TYPE: &str = "name, description, price_minor, currency, sales_start_at, sales_end_at, \
     min_per_registration, max_per_registration, hidden, active, position";

fn up() -> String {
    [
        TABLES.to_owned(),
        Fence::tenant("capacity_pools")
            .verbs("select, insert, update, delete")
            .member_reads("events:read")
            // `claimed` is written by the verbs alone.
            .member_writes(
                "events:write",
                "id, org_id, event_id, occurrence_id, name, capacity",
                "name, capacity",
            )
            .touched()
            .up(),
        Fence::tenant("ticket_types")
            .verbs("select, insert, delete")
            .member_reads("events:read")
            .member_writes(
                "events:write",
                &format!("id, org_id, event_id, {TICKET_TYPE}"),
                TICKET_TYPE,
            )
            .visitors_see(
                "active and not hidden and exists (select 1 from events e where e.id = event_id)",
            )
            .touched()
            .up(),
        Fence::tenant("ticket_type_pools")
            .verbs("select, insert, delete")
            .member_reads("events:read")
            .member_writes(
                "events:write",
                "id, org_id, event_id, ticket_type_id, pool_id",
                "",
            )
            .touched()
            .up(),
    ]
    .concat()
}

const TABLES: &str = "
create table capacity_pools (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  occurrence_id uuid,
  name text not null,
  capacity integer,
  claimed integer not null default 0,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, event_id, id),
  constraint capacity_pools_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint capacity_pools_occurrence_fk foreign key (org_id, event_id, occurrence_id)
    references occurrences (org_id, event_id, id) on delete cascade,
  constraint capacity_pools_name_length check (char_length(name) between 1 and 200),
  constraint capacity_pools_capacity_range check (capacity between 0 and 10000000),
  constraint capacity_pools_claimed_range check (claimed >= 0),
  constraint capacity_pools_never_oversold check (capacity is null or claimed <= capacity)
);
create index capacity_pools_event_idx on capacity_pools (event_id, created_at, id);
create index capacity_pools_occurrence_idx on capacity_pools (occurrence_id, created_at, id);

create table ticket_types (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  name text not null,
  description text not null default '',
  price_minor bigint not null default 0,
  currency text not null,
  sales_start_at timestamptz,
  sales_end_at timestamptz,
  min_per_registration integer not null default 1,
  max_per_registration integer not null default 10,
  hidden boolean not null default false,
  active boolean not null default true,
  position integer not null default 0,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, event_id, id),
  -- Both: a wrong event and a currency that is not the event's are different mistakes.
  constraint ticket_types_event_fk foreign key (org_id, event_id) references events (org_id, id) on delete cascade,
  constraint ticket_types_currency_of_event foreign key (org_id, event_id, currency)
    references events (org_id, id, currency) on update cascade on delete cascade,
  constraint ticket_types_name_length check (char_length(name) between 1 and 200),
  constraint ticket_types_description_length check (char_length(description) <= 5000),
  constraint ticket_types_price_range check (price_minor between 0 and 100000000000),
  constraint ticket_types_sales_window check (sales_end_at > sales_start_at),
  constraint ticket_types_quantity_range check (
    min_per_registration between 1 and 100
    and max_per_registration between min_per_registration and 100
  )
);
create index ticket_types_event_idx on ticket_types (event_id, position, id);

create table ticket_type_pools (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  ticket_type_id uuid not null,
  pool_id uuid not null,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint ticket_type_pools_pair_key unique (ticket_type_id, pool_id),
  constraint ticket_type_pools_ticket_type_fk foreign key (org_id, event_id, ticket_type_id)
    references ticket_types (org_id, event_id, id) on delete cascade,
  constraint ticket_type_pools_pool_fk foreign key (org_id, event_id, pool_id)
    references capacity_pools (org_id, event_id, id) on delete cascade
);
create index ticket_type_pools_pool_idx on ticket_type_pools (pool_id);
";

const DOWN: &str = "
drop table ticket_type_pools;
drop table ticket_types;
drop table capacity_pools;
";
