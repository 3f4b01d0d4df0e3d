//! Serving many buyers in one transaction: what the functions of the sale hand from one to the next, and a journal
//! that costs less to write.

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

-- A sale writes twelve rows of the journal. Who writes them is a verb, whose policy lets it name only the organization
-- that it acts in; to look that one up again for each row was a sixth of what a sale costs.
alter table audit_log drop constraint audit_log_org_id_fkey;
alter table outbox drop constraint outbox_org_id_fkey;
alter table outbox_sequences drop constraint outbox_sequences_org_id_fkey;
alter table idempotency_keys drop constraint idempotency_keys_org_id_fkey;

-- A key is inserted and gets its outcome, which is longer than the rest of it, in the same transaction: with room on its
-- page no index learns of that.
alter table idempotency_keys set (fillfactor = 30);
alter table outbox_sequences set (fillfactor = 70);
";

const DOWN: &str = "
alter table outbox_sequences reset (fillfactor);
alter table idempotency_keys reset (fillfactor);
alter table idempotency_keys add foreign key (org_id) references organizations (id);
alter table outbox_sequences add foreign key (org_id) references organizations (id);
alter table outbox add foreign key (org_id) references organizations (id);
alter table audit_log add foreign key (org_id) references organizations (id);
drop type es.confirmation;
drop type es.cart_demand;
drop type es.cart_line;
drop type es.cart;
";
