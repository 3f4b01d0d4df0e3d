//! What people are told: texts of the organization and of an event, who must not be written to, and a log whose every field
//! says something.

use serde_json::json;

use super::{events::Shop, people::Founder};

/// Written behind the fence: what is asked here is who sees the log, not how messages leave.
const LOG: &str = "
insert into message_deliveries (
  org_id, event_id, registration_id, kind, channel, recipient, about, occasion, state, subject, provider,
  provider_reference, failure, attempts, sent_at
)
select
  r.org_id, r.event_id, r.id, 'registration_cancelled', 'email', $2 || '-' || n || '@log.example', r.id, 'world ' || n, 'bounced',
  $2 || ' subject ' || n, 'smtp', $2 || '-reference-' || n, $2 || ' nobody ' || n, 2, clock_timestamp()
from (select * from registrations r where r.org_id = $1 order by r.id limit 1) r, generate_series(1, 12) as n";

/// Texts of events and of all, addresses, a log.
pub async fn fill(founder: &Founder<'_>, shop: &Shop) {
    let tag = founder.tag;
    for (event, kind) in [
        (None, "REMINDER"),
        (Some("open"), "REMINDER"),
        (Some("closed"), "REMINDER"),
        (None, "EVENT_CANCELLED"),
    ] {
        let of = event.unwrap_or("all");
        let mut input = json!({
            "kind": kind, "language": "en", "subject": format!("{tag} {of} words"),
            "mjml": format!("<mjml><!-- {tag} {of} looks --><mj-body></mj-body></mjml>"),
            "text": format!("{tag} {of} plain words"),
        });
        if let Some(event) = event {
            input["eventId"] = shop.event(event).id.clone();
        }
        founder.does("saveMessageTemplate", "", input).await;
    }
    for (number, reason) in [(1, "BOUNCE"), (2, "UNSUBSCRIBE")] {
        let address = format!("stop-{number}@{tag}.example");
        let input = json!({ "channel": "EMAIL", "address": address, "reason": reason });
        founder.does("createMessageSuppression", "", input).await;
    }
    for event in ["open", "closed"] {
        let input = json!({ "eventId": shop.event(event).id, "daysBefore": 3, "atMinute": 720 });
        founder.does("createMessageReminder", "", input).await;
        let input =
            json!({ "eventId": shop.event(event).id, "minutesBefore": 90, "active": false });
        founder.does("createMessageReminder", "", input).await;
    }
    for provider in ["TWILIO", "WHATSAPP_CLOUD"] {
        let input = json!({
            "provider": provider, "name": format!("{tag}-{provider}"), "sender": format!("{tag} sender"), "secret": "s",
        });
        founder.does("saveMessageAccount", "", input).await;
    }
    let admin = founder.app.database.admin().await;
    admin
        .execute(LOG, &[&founder.org, &tag])
        .await
        .expect("a log");
}
