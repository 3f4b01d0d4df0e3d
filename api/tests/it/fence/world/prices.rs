//! What prices are made of at an event: a tier, a discount, codes, an add-on, a tax and a fee. Tickets cost nothing, so
//! that they are confirmed without money; the add-on costs something.

use serde_json::{Value, json};

use super::people::Founder;

/// The text of the code that is good for the tickets of that event.
pub fn code(tag: &str, name: &str) -> String {
    format!("{tag}-{name}-20")
}

/// Makes all of it; the add-on.
pub async fn fill(founder: &Founder<'_>, name: &str, event: &Value, ticket_type: &Value) -> Value {
    let tag = founder.tag;
    let extra = founder
        .does(
            "createTicketType",
            "ticketType { id }",
            json!({
                "eventId": event, "name": format!("{tag} {name} extra"), "description": format!("{tag} {name} extra text"),
                "price": { "minorUnits": "1000", "currencyCode": "EUR" }, "position": 2,
                "salesStartAt": "2020-01-01T00:00:00Z", "salesEndAt": "2027-01-01T00:00:00Z",
            }),
        )
        .await["ticketType"]["id"]
        .clone();
    let link = json!({ "eventId": event, "ticketTypeId": ticket_type, "addOnId": extra });
    founder.does("createTicketTypeAddOn", "", link).await;
    // The second is free to be deleted: nobody gets that far.
    for (kind, position) in [
        ("Early bird".to_owned(), 1),
        (format!("{tag} {name} spare early"), 2),
    ] {
        // Visitors see the name of the one that they buy in, so that says nothing of whose it is.
        let tier = json!({
            "eventId": event, "ticketTypeId": ticket_type, "name": kind, "position": position,
            "price": { "minorUnits": "0", "currencyCode": "EUR" }, "quantity": 100,
            "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2027-01-01T00:00:00Z",
        });
        founder.does("createPriceTier", "", tier).await;
    }
    // A field for other kinds is kept, too.
    let amount = json!({ "minorUnits": "200", "currencyCode": "EUR" });
    let discount = json!({
        "eventId": event, "name": format!("{tag} {name} groups"), "kind": "PERCENT", "rateMillionths": 100_000,
        "minTickets": 5, "ticketTypeId": ticket_type, "amount": amount, "buyQuantity": 2, "getQuantity": 1,
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2027-01-01T00:00:00Z",
    });
    founder.does("createDiscountRule", "", discount).await;
    for text in [code(tag, name), format!("{tag}-{name}-spare")] {
        let code = json!({
            "eventId": event, "code": text, "kind": "PERCENT", "rateMillionths": 200_000, "maxUses": 100,
            "maxUsesPerBuyer": 50, "amount": amount, "buyQuantity": 2, "getQuantity": 1,
            "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2027-01-01T00:00:00Z",
        });
        let made = founder
            .does("createPromoCode", "promoCode { id }", code)
            .await;
        let id = &made["promoCode"]["id"];
        for of in [ticket_type, &extra] {
            let link = json!({ "eventId": event, "promoCodeId": id, "ticketTypeId": of });
            founder.does("createPromoCodeTicketType", "", link).await;
        }
    }
    let tax = json!({
        "eventId": event, "ticketTypeId": extra, "name": format!("{tag} {name} tax"), "rateMillionths": 190_000,
    });
    founder.does("createTaxRule", "", tax).await;
    let fee = json!({
        "eventId": event, "kind": "SERVICE", "name": format!("{tag} {name} fee"), "rateMillionths": 50_000,
        "amount": amount,
        "taxName": format!("{tag} {name} fee tax"), "taxRateMillionths": 190_000,
    });
    founder.does("createFeeRule", "", fee).await;
    extra
}
