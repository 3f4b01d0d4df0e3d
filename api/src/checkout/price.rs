//! What asking for a price and placing share: how a cart and its code reach SQL, what of them is refused, and how
//! amounts come back.

use eventsphere_graphql::{
    InputObject, InputType, Scalar, ValueObject, ValueType, Verb, engine::Outcome,
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::request::Money;
use crate::{
    fault::Fault,
    throttle::{Size, client_key},
    verbs::{Call, Verbs},
};

/// Characters of a code at most.
const LONGEST_CODE: usize = 40;

/// Describes the codes of everything about prices that either verb refuses.
pub(super) fn fails(verb: Verb) -> Verb {
    verb.fails(
        "ADD_ON_OUT_OF_RANGE",
        "An add-on without its ticket, or too few or too many of them.",
    )
    .fails(
        "PRICE_OUT_OF_RANGE",
        "A price for something that is no donation, in another currency, or below the least.",
    )
    .fails(
        "CODE_UNKNOWN",
        "There is no such promo code for this event.",
    )
    .fails("CODE_NOT_YET_VALID", "The promo code is not valid yet.")
    .fails("CODE_EXPIRED", "The promo code is no longer valid.")
    .fails(
        "CODE_NOT_APPLICABLE",
        "The promo code is for none of these tickets.",
    )
    .fails(
        "CODE_USED_UP",
        "The promo code cannot be used so often any more.",
    )
}

/// Types that inputs and payloads use.
pub(super) fn describe(registry: &mut Verbs) {
    let money = || ValueType::Money;
    let text = || ValueType::Scalar(Scalar::String);
    let int = || ValueType::Scalar(Scalar::Int);
    let list = |name: &str| ValueType::Objects(name.to_owned());
    registry
        .input(
            InputObject::new("CheckoutLineInput", "How many tickets of one type.")
                .required(
                    "ticketTypeId",
                    InputType::Scalar(Scalar::Id("TicketType".to_owned())),
                    "The ticket type.",
                )
                .required(
                    "quantity",
                    InputType::Scalar(Scalar::Int),
                    "How many, from 1.",
                )
                .optional(
                    "price",
                    InputType::Money,
                    "For a donation: what each is given. The suggested price when left out.",
                ),
        )
        .value(
            ValueObject::new("PriceChange", "What a cart costs now.").has(
                "total",
                money(),
                "The total to expect from now on.",
            ),
        )
        .value(
            ValueObject::new("CheckoutLine", "Places of one wish that cost the same.")
                .has(
                    "ticketTypeId",
                    ValueType::Scalar(Scalar::Id("TicketType".to_owned())),
                    "The ticket type.",
                )
                .may_have(
                    "tierName",
                    text(),
                    "The tier that they fall in; null for the listed price.",
                )
                .has("quantity", int(), "How many.")
                .has("listPrice", money(), "What one lists.")
                .has("tierPrice", money(), "What one costs by its tier.")
                .has("price", money(), "What one costs after discounts.")
                .has("discount", money(), "What discounts take off all of them.")
                .has(
                    "fee",
                    money(),
                    "Fees of all of them, without taxes that come on top of fees.",
                )
                .has(
                    "tax",
                    money(),
                    "All taxes of all of them, contained or on top.",
                )
                .has("total", money(), "What is paid for all of them."),
        )
        .value(
            ValueObject::new("CheckoutDiscount", "Something taken off.")
                .has("name", text(), "Name of the discount, or the promo code.")
                .has(
                    "byCode",
                    ValueType::Scalar(Scalar::Boolean),
                    "Whether the promo code takes it off.",
                )
                .has("amount", money(), "What is taken off."),
        )
        .value(
            ValueObject::new("CheckoutFee", "A fee.")
                .has(
                    "kind",
                    ValueType::Scalar(Scalar::Enum("FeeKind".to_owned())),
                    "What it is for.",
                )
                .has("name", text(), "Its name.")
                .has(
                    "amount",
                    money(),
                    "What it comes to, without taxes that come on top of it.",
                ),
        )
        .value(
            ValueObject::new("CheckoutTax", "A tax.")
                .has("name", text(), "Its name.")
                .has(
                    "rateMillionths",
                    int(),
                    "Its rate in millionths of the net amount.",
                )
                .has(
                    "inclusive",
                    ValueType::Scalar(Scalar::Boolean),
                    "Whether prices contain it.",
                )
                .has(
                    "onFees",
                    ValueType::Scalar(Scalar::Boolean),
                    "Whether it is on fees.",
                )
                .has("amount", money(), "What it comes to."),
        )
        .value(
            ValueObject::new("CheckoutPrice", "What a cart costs, with all its parts.")
                .has(
                    "subtotal",
                    money(),
                    "Prices by tiers, before discounts, fees and taxes on top.",
                )
                .has("discount", money(), "What discounts take off.")
                .has(
                    "fee",
                    money(),
                    "Fees, without taxes that come on top of them.",
                )
                .has("tax", money(), "All taxes, contained in prices or on top.")
                .has("total", money(), "What is paid.")
                .has(
                    "lines",
                    list("CheckoutLine"),
                    "The places, by wish and price.",
                )
                .has(
                    "discounts",
                    list("CheckoutDiscount"),
                    "Discounts, one by one.",
                )
                .has("fees", list("CheckoutFee"), "Fees, one by one.")
                .has("taxes", list("CheckoutTax"), "Taxes, one by one."),
        );
}

/// A wish as SQL reads it.
pub(super) fn item(ticket_type: Uuid, quantity: i32, price: Option<&Money>) -> Json {
    let mut item = json!({ "ticket_type_id": ticket_type, "quantity": quantity });
    if let Some(price) = price {
        item["price_minor"] = json!(price.minor_units);
        item["currency"] = json!(price.currency_code);
    }
    item
}

/// No code is that long, so that nobody has to look.
pub(super) fn too_long(code: Option<&str>) -> Option<Outcome> {
    let (_, word, message, field) = super::refusals::UNKNOWN_CODE;
    code.filter(|code| code.trim().chars().count() > LONGEST_CODE)
        .map(|_| Outcome::refused(word, message, field))
}

/// Counts a try of a promo code by the client's address, found or not. Who may read the codes of that organization has
/// nothing to guess.
pub(super) async fn count_code(call: Call<'_>, org_id: Uuid, asked: bool) -> Result<(), Fault> {
    let reads = call.actor.org_id() == Some(org_id) && call.actor.may("promo_codes:read");
    if !asked || reads {
        return Ok(());
    }
    let by = format!("client:{}", client_key(call.request.ip));
    let size = Size::one_every(60, 2_000);
    call.app.throttle.count("promo-code", &by, size).await
}

/// The amount of minor units at `key`, in the currency of the answer. `unit` of the answer is one minor unit as a
/// decimal number: it tells how many places the currency has.
pub(super) fn money_in(answer: &Json, minor: i64) -> Json {
    let unit = answer["unit"].as_str().unwrap_or("1");
    let places = unit.split_once('.').map_or(0, |(_, places)| places.len());
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let sign = if minor < 0 { "-" } else { "" };
    let point = if places == 0 { "" } else { "." };
    json!({
        "minorUnits": minor.to_string(),
        "currencyCode": answer["currency"],
        "amount": format!("{sign}{whole}{point}{fraction}"),
    })
}

/// The same of a key of the answer itself.
pub(super) fn money(answer: &Json, key: &str) -> Json {
    money_in(answer, answer[key].as_i64().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_as_many_places_as_their_currency() {
        let shown = |unit: &str, minor: i64| {
            let answer = json!({ "unit": unit, "currency": "XYZ", "total_minor": minor });
            money(&answer, "total_minor")["amount"].clone()
        };
        assert_eq!(shown("1", 1234), "1234");
        assert_eq!(shown("0.01", 1234), "12.34");
        assert_eq!(shown("0.01", 5), "0.05");
        assert_eq!(shown("0.001", 1234), "1.234");
        assert_eq!(shown("0.001", 0), "0.000");
        assert_eq!(shown("0.01", -5), "-0.05");
    }
}
