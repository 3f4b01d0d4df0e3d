//! Codes for places that are about to get tickets.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Admission, event_key, sign};
use crate::{fault::Fault, state::App};

/// A code for each item, as functions that issue tickets take them: `[{ticket_id, item_id, code}]`. Codes that are then
/// not stored admit nobody.
pub async fn for_items(
    app: &App,
    org_id: Uuid,
    (event_id, occurrence_id): (Uuid, Uuid),
    items: &[Uuid],
) -> Result<Json, Fault> {
    let key = event_key(app, org_id, event_id).await?;
    let codes = items.iter().map(|item_id| {
        let admission = Admission {
            ticket_id: Uuid::now_v7(),
            event_id,
            occurrence_id,
            key_number: key.number,
        };
        let code = sign(&admission, *Uuid::new_v4().as_bytes(), &key.pair);
        json!({ "ticket_id": admission.ticket_id, "item_id": item_id, "code": code })
    });
    Ok(codes.collect())
}
