//! What makes the prices of a show: tiers, a discount, a promo code, add-ons, a tax and a fee, as its organizer would
//! make them.

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    plan::{House, Show},
    stage::{insert, with},
};
use crate::{fault::Fault, tenancy::TenantTx};

/// Makes all of it; `offers` are the keys of the ticket types, in the order of the plan.
pub(super) async fn make(
    tx: &TenantTx,
    house: &House,
    show: &Show,
    of_event: &Json,
    offers: &[Uuid],
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    for (table, entity, row) in rows(house, show, offers, now)? {
        insert(tx, table, entity, with(of_event, row)).await?;
    }
    Ok(())
}

type Row = (&'static str, &'static str, Json);

fn rows(
    house: &House,
    show: &Show,
    offers: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Row>, Fault> {
    let prices = &show.prices;
    let mut rows = vec![];
    for (position, tier) in prices.tiers.iter().enumerate() {
        let ends_at = tier
            .ends
            .map(|moment| house.instant(now, moment))
            .transpose()?;
        let row = json!({
            "ticket_type_id": offers.get(tier.offer), "name": tier.name, "price_minor": tier.price_minor,
            "currency": house.currency, "quantity": tier.quantity, "ends_at": ends_at, "position": position,
        });
        rows.push(("price_tiers", "PriceTier", row));
    }
    for (add_on, to) in prices.add_ons {
        let row = json!({
            "ticket_type_id": offers.get(*to), "add_on_id": offers.get(*add_on), "min_per_ticket": 0,
            "max_per_ticket": 1,
        });
        rows.push(("ticket_type_add_ons", "TicketTypeAddOn", row));
    }
    if let Some(discount) = &prices.discount {
        let row = json!({
            "name": discount.name, "kind": "percent", "rate_millionths": discount.rate,
            "min_tickets": discount.min_tickets, "active": true, "position": 0,
        });
        rows.push(("discount_rules", "DiscountRule", row));
    }
    if let Some(code) = &prices.code {
        let row = json!({
            "code": code.text, "kind": "percent", "rate_millionths": code.rate, "counted_by": "registration",
            "max_uses": code.max_uses, "max_uses_per_buyer": code.max_uses_per_buyer, "active": true,
            "unlocks_hidden": false,
        });
        rows.push(("promo_codes", "PromoCode", row));
    }
    if let Some((name, rate)) = prices.tax {
        let row =
            json!({ "name": name, "rate_millionths": rate, "inclusive": true, "position": 0 });
        rows.push(("tax_rules", "TaxRule", row));
    }
    if let Some(fee) = &prices.fee {
        let row = json!({
            "kind": "service", "name": fee.name, "basis": "ticket", "amount_minor": fee.amount_minor,
            "currency": house.currency, "rate_millionths": fee.rate, "tax_name": fee.tax.0,
            "tax_rate_millionths": fee.tax.1, "tax_inclusive": false, "active": true, "position": 0,
        });
        rows.push(("fee_rules", "FeeRule", row));
    }
    Ok(rows)
}
