//! Signed codes for tickets that a verb is about to issue. Codes that are then not stored admit nobody.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    fault::Fault,
    statements,
    tickets::{self, Admission},
    verbs::Call,
};

/// Where tickets admit to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub org_id: Uuid,
    pub event_id: Uuid,
    pub occurrence_id: Uuid,
}

/// A code for each item: `[{ticket_id, item_id, code}]`.
pub(super) async fn sign(call: Call<'_>, place: Place, items: &[Uuid]) -> Result<Json, Fault> {
    let key = tickets::event_key(call.app, place.org_id, place.event_id).await?;
    let codes = items.iter().map(|item_id| {
        let admission = Admission {
            ticket_id: Uuid::now_v7(),
            event_id: place.event_id,
            occurrence_id: place.occurrence_id,
            key_number: key.number,
        };
        let code = tickets::sign(&admission, *Uuid::new_v4().as_bytes(), &key.pair);
        json!({ "ticket_id": admission.ticket_id, "item_id": item_id, "code": code })
    });
    Ok(codes.collect())
}

/// Codes for everything that these registrations would get if they were approved now.
pub(super) async fn for_approval(
    call: Call<'_>,
    org_id: Uuid,
    registrations: &[Uuid],
) -> Result<Json, Fault> {
    let tx = call.app.door.begin_at(call.actor, org_id).await?;
    let rows = statements::all(
        &tx,
        "select i.item_id, i.event_id, i.occurrence_id
         from unnest($1::uuid[]) as asked (id)
         cross join lateral public.registration_items_to_issue(asked.id) i
         order by i.event_id, i.occurrence_id",
        [registrations.to_vec().into()],
    )
    .await?;
    tx.commit().await?;
    let mut codes = vec![];
    for row in rows {
        let place = Place {
            org_id,
            event_id: row.try_get("", "event_id")?,
            occurrence_id: row.try_get("", "occurrence_id")?,
        };
        let signed = sign(call, place, &[row.try_get("", "item_id")?]).await?;
        codes.extend(signed.as_array().cloned().unwrap_or_default());
    }
    Ok(Json::Array(codes))
}

/// Codes for items of a registration; none unless it is confirmed, for only then has it tickets.
pub(super) async fn for_change(
    call: Call<'_>,
    org_id: Uuid,
    registration_id: Uuid,
    items: &[Uuid],
) -> Result<Json, Fault> {
    let tx = call.app.door.begin_at(call.actor, org_id).await?;
    let row = statements::first(
        &tx,
        "select event_id, occurrence_id from public.registration_admission($1)",
        [registration_id.into()],
    )
    .await?;
    tx.commit().await?;
    let Some(row) = row else {
        return Ok(json!([]));
    };
    let place = Place {
        org_id,
        event_id: row.try_get("", "event_id")?,
        occurrence_id: row.try_get("", "occurrence_id")?,
    };
    sign(call, place, items).await
}
