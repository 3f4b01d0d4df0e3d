//! What more people are told, what waits for endpoints that are turned off, and how old letters are found.

use crate::sql_migration;

sql_migration!("m20261121_000033_told", up(), down());

const KINDS: &str = "'invitation', 'ticket_transfer', 'waitlist_offer', 'registration_confirmed', 'registration_cancelled', \
    'event_cancelled', 'reminder'";
const NEW_KINDS: &str = "'registration_approved', 'registration_rejected', 'tickets_cancelled', 'payment_refunded', \
    'ticket_received', 'ticket_handed_over'";

fn kinds(known: &str) -> String {
    ["message_templates", "message_deliveries"]
        .map(|table| {
            format!(
                "alter table {table}
                   drop constraint {table}_kind,
                   add constraint {table}_kind check (kind in ({known}));"
            )
        })
        .concat()
}

fn up() -> String {
    kinds(&format!("{KINDS}, {NEW_KINDS}")) + UP
}

fn down() -> String {
    format!(
        "drop index webhook_deliveries_waiting_idx;
         drop index message_deliveries_old_idx;
         delete from message_templates where kind in ({NEW_KINDS});
         delete from message_deliveries where kind in ({NEW_KINDS});"
    ) + &kinds(KINDS)
}

/// Rows of the log come in the order of their instants, so a few bytes for many of them find the old ones.
const UP: &str = "
create index webhook_deliveries_waiting_idx on webhook_deliveries (endpoint_id, created_at, id) where status = 'pending';
create index message_deliveries_old_idx on message_deliveries using brin (created_at);

-- Nothing calls it any more. What stood beside it has a file of its own.
drop function if exists es.enqueue_mail(text, text, text, text);
drop function if exists es.tell_buyer(uuid, text);
-- It takes one more today.
drop function if exists es.change_stock(registrations, events, uuid[], jsonb, boolean);
drop function if exists es.tell_buyers_of_event(uuid, uuid, integer);
delete from es.function_digests where name = 'enqueue_mail';
";
