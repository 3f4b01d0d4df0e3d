//! All rows of the sale, without what chance and the clock put into them.

use super::twins::Twin;

const ROWS: [&str; 11] = [
    "select concat_ws('|', r.buyer_email, r.buyer_name, r.status, r.user_id, r.occurrence_id is not null, r.currency,
       r.total_minor, extract(minutes from r.expires_at - r.placed_at), r.confirmed_at is not null,
       confirmation_number_is_well_formed(r.confirmation_number))
     from registrations r",
    "select concat_ws('|', r.buyer_email, i.position, i.ticket_type_id, i.price_minor, i.currency, a.email, a.name)
     from registration_items i
     join registrations r on r.id = i.registration_id
     left join attendees a on a.id = i.attendee_id",
    "select concat_ws('|', r.buyer_email, i.position, t.name, i.list_price_minor, i.discount_minor, i.fee_minor, i.tax_minor,
       i.total_minor, c.kind, c.name, c.amount_minor, r.promo_code_id is not null, r.total_minor)
     from registration_items i
     join registrations r on r.id = i.registration_id
     left join price_tiers t on t.id = i.tier_id
     left join registration_item_charges c on c.item_id = i.id",
    "select concat_ws('|', w.email, w.status, o.status, r.buyer_email)
     from waitlist_entries w
     left join waitlist_offers o on o.entry_id = w.id
     left join registrations r on r.id = w.registration_id",
    "select concat_ws('|', a.email, a.name, a.user_id) from attendees a",
    "select concat_ws('|', r.buyer_email, encode(s.secret_hash, 'hex'))
     from registration_secrets s
     join registrations r on r.id = s.registration_id",
    "select concat_ws('|', r.buyer_email, c.pool_id, c.quantity, c.released_at is not null, c.expires_at - r.placed_at)
     from pool_claims c
     join registrations r on r.id = c.registration_id",
    "select concat_ws('|', r.buyer_email, i.position, t.status, t.ticket_type_id, a.email, a.name)
     from tickets t
     join registrations r on r.id = t.registration_id
     join registration_items i on i.id = t.item_id
     left join attendees a on a.id = t.attendee_id",
    "select concat_ws('|', o.type, o.object_type, o.sequence, r.buyer_email,
       o.payload - 'registration_id' - 'item_id' - 'expires_at' - 'expired_at', o.payload ? 'expires_at', s.last_sequence)
     from outbox o
     left join tickets t on t.id = o.object_id
     left join registrations r on r.id in (o.object_id, t.registration_id)
     left join outbox_sequences s on s.object_id = o.object_id and s.object_type = o.object_type
     where o.object_type in ('registration', 'ticket')",
    // Of a hold that ran out, the journal says who met it: one buyer, or the counter for all of them.
    "select concat_ws('|', case when l.action <> 'registration.expired' then l.actor end, l.action, l.object_type, r.buyer_email, l.before, l.after - 'expires_at')
     from audit_log l
     join registrations r on r.id = l.object_id",
    "select concat_ws('|', k.actor, k.operation, k.key, encode(k.argument_hash, 'hex'),
       k.outcome - 'expires_at' - 'confirmation_number')
     from idempotency_keys k",
];

/// A line for each row, in order.
pub async fn all(twin: &Twin) -> Vec<String> {
    let mut lines = vec![];
    for rows in ROWS {
        let sql = format!("select string_agg(x, E'\\n' order by x) from ({rows}) as t (x)");
        let text = twin.shop.db.ask(&sql).await.unwrap_or_default();
        assert!(!text.is_empty(), "no rows: {rows}");
        let mut neutral: Vec<String> = twin.neutral(&text).lines().map(str::to_owned).collect();
        neutral.sort();
        lines.extend(neutral);
    }
    let pools =
        "select string_agg(concat_ws('|', id, capacity, claimed), E'\\n') from capacity_pools";
    let text = twin.shop.db.ask(pools).await.expect("pools");
    let mut neutral: Vec<String> = twin.neutral(&text).lines().map(str::to_owned).collect();
    neutral.sort();
    lines.extend(neutral);
    lines
}
