//! What the sale hands from one function to the next when it serves many buyers in one transaction.

use crate::sql_migration;

sql_migration!("m20261121_000013_batches", UP.to_owned(), DOWN.to_owned());

const UP: &str = "
create type es.cart as (
  n integer,
  actor text,
  user_id uuid,
  key_id uuid,
  registration_id uuid,
  event_id uuid,
  occurrence_id uuid,
  confirmation_number text,
  buyer_name text,
  buyer_email text,
  secret_hash bytea,
  currency text,
  total_minor bigint,
  hold interval,
  closes_at timestamptz
);
comment on type es.cart is 'What one buyer of a batch is about to get; n is its place in the batch.';

create type es.cart_line as (
  n integer,
  place integer,
  registration_id uuid,
  event_id uuid,
  occurrence_id uuid,
  ticket_type_id uuid,
  quantity integer,
  price_minor bigint,
  currency text,
  hold interval,
  people jsonb
);
comment on type es.cart_line is 'A line of a cart; people is a list of attendees or null.';

create type es.cart_demand as (
  n integer,
  registration_id uuid,
  event_id uuid,
  hold interval,
  pool_id uuid,
  need integer
);
comment on type es.cart_demand is 'Units that a cart draws from a pool.';

create type es.confirmation as (
  n integer,
  actor text,
  key_id uuid,
  registration_id uuid,
  event_id uuid,
  expires_at timestamptz,
  tickets jsonb
);
comment on type es.confirmation is 'A hold of a batch that is about to be confirmed; n is its place in the batch.';
";

const DOWN: &str = "
drop type es.confirmation;
drop type es.cart_demand;
drop type es.cart_line;
drop type es.cart;
";
