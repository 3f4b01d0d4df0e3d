//! What a sale writes, without indexes that nothing asks, and with room on its pages for what is written again.

use crate::sql_migration;

sql_migration!(
    "m20261121_000024_leaner_sale",
    UP.to_owned(),
    DOWN.to_owned()
);

// Nothing refers to these rows by organization and id, so no unique key over both is needed; they are found by the other
// keys. Most sales have no code and no tier, most attendees no account: an index holds those that do.
//
// A key gets its outcome, a number its next and a pool its claims by an update: with room on the page the new version of
// the row needs no entry in any index.
const UP: &str = r#"
alter table outbox drop constraint outbox_org_id_id_key;
alter table audit_log drop constraint audit_log_org_id_id_key;
alter table idempotency_keys drop constraint idempotency_keys_org_id_id_key;
alter table pool_claims drop constraint pool_claims_org_id_id_key;

drop index registrations_promo_code_idx;
create index registrations_promo_code_idx on registrations (promo_code_id, placed_at, id) where promo_code_id is not null;
drop index attendees_user_idx;
create index attendees_user_idx on attendees (user_id) where user_id is not null;
drop index registration_items_tier_idx;
create index registration_items_tier_idx on registration_items (tier_id) where tier_id is not null;

alter table idempotency_keys set (fillfactor = 40);
alter table outbox_sequences set (fillfactor = 70);
alter table capacity_pools set (fillfactor = 50);
"#;

const DOWN: &str = r#"
alter table capacity_pools reset (fillfactor);
alter table outbox_sequences reset (fillfactor);
alter table idempotency_keys reset (fillfactor);

drop index registration_items_tier_idx;
create index registration_items_tier_idx on registration_items (tier_id);
drop index attendees_user_idx;
create index attendees_user_idx on attendees (user_id);
drop index registrations_promo_code_idx;
create index registrations_promo_code_idx on registrations (promo_code_id, placed_at, id);

alter table pool_claims add constraint pool_claims_org_id_id_key unique (org_id, id);
alter table idempotency_keys add constraint idempotency_keys_org_id_id_key unique (org_id, id);
alter table audit_log add constraint audit_log_org_id_id_key unique (org_id, id);
alter table outbox add constraint outbox_org_id_id_key unique (org_id, id);
"#;
