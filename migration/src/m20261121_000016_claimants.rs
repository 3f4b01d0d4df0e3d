//! Stock is claimed by more than registrations: by what staff set aside, by codes that reserve, by offers to people who
//! wait. A pool counts them all alike; the tables of the newcomers, and the keys to them, come with their own migrations.

use crate::sql_migration;

sql_migration!("m20261121_000016_claimants", UP.to_owned(), DOWN.to_owned());

const UP: &str = "
alter table pool_claims
  alter column registration_id drop not null,
  add column hold_id uuid,
  add column promo_code_id uuid,
  add column waitlist_offer_id uuid,
  add constraint pool_claims_one_claimant
    check (num_nonnulls(registration_id, hold_id, promo_code_id, waitlist_offer_id) = 1);
create unique index pool_claims_live_hold_key on pool_claims (hold_id, pool_id)
  where released_at is null and hold_id is not null;
create unique index pool_claims_live_code_key on pool_claims (promo_code_id, pool_id)
  where released_at is null and promo_code_id is not null;
create unique index pool_claims_live_offer_key on pool_claims (waitlist_offer_id, pool_id)
  where released_at is null and waitlist_offer_id is not null;
";

/// What others than registrations claimed goes with them, counters included.
const DOWN: &str = "
update capacity_pools p
set claimed = p.claimed - gone.quantity
from (
  select c.pool_id, sum(c.quantity)::integer as quantity
  from pool_claims c
  where c.registration_id is null
    and c.released_at is null
  group by c.pool_id
) gone
where p.id = gone.pool_id;
delete from pool_claims where registration_id is null;
drop index pool_claims_live_offer_key;
drop index pool_claims_live_code_key;
drop index pool_claims_live_hold_key;
alter table pool_claims
  drop constraint pool_claims_one_claimant,
  drop column waitlist_offer_id,
  drop column promo_code_id,
  drop column hold_id,
  alter column registration_id set not null;
";
