//! priceCheckout: what a cart would cost now, without taking anything.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{place::org_of_event, price, refusals, request::Money};
use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct PriceCheckout;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    event_id: Uuid,
    occurrence_id: Option<Uuid>,
    lines: Vec<Line>,
    #[serde(default)]
    code: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    ticket_type_id: Uuid,
    quantity: i32,
    #[serde(default)]
    price: Option<Money>,
}

const REFUSALS: Refusals = &[
    refusals::SOLD_OUT,
    refusals::EVENT_NOT_FOUND,
    refusals::OCCURRENCE_NOT_FOUND,
    refusals::TICKET_TYPE_NOT_FOUND,
    refusals::SALE_NOT_OPEN,
    refusals::QUANTITY_OUT_OF_RANGE,
    refusals::ADD_ONS,
    refusals::CHOSEN_PRICE,
    refusals::UNKNOWN_CODE,
    refusals::EARLY_CODE,
    refusals::LATE_CODE,
    refusals::USELESS_CODE,
    refusals::USED_CODE,
    refusals::CODE_OF_BUYER,
    refusals::INVALID,
];

#[async_trait]
impl Handle for PriceCheckout {
    type Input = Input;

    fn describe() -> Verb {
        let id = |name: &str| InputType::Scalar(Scalar::Id(name.to_owned()));
        let verb = Verb::new(
            "priceCheckout",
            "What a cart costs now, with all its parts, and whether it could be placed; nothing is taken. Placing it \
             costs the same to the minor unit, unless something changes meanwhile: say the total as `expectedTotal` of \
             `placeRegistration` to be sure. Open to visitors.",
        )
        .takes("eventId", id("Event"), "The event.")
        .may_take("occurrenceId", id("Occurrence"), "The date of the event; the next one when left out.")
        .takes("lines", InputType::Objects("CheckoutLineInput".to_owned()), "What is wanted.")
        .may_take("code", InputType::Scalar(Scalar::String), "A promo code, in any case; at most 40 characters.")
        .gives(
            "price",
            PayloadType::Value("CheckoutPrice".to_owned()),
            "What it costs; null when it cannot be placed.",
        )
        .fails("SOLD_OUT", "There are not enough places left.")
        .fails("EVENT_NOT_FOUND", "There is no such event on sale.")
        .fails("OCCURRENCE_NOT_FOUND", "The event has no such date.")
        .fails("TICKET_TYPE_NOT_FOUND", "The event has no such ticket type.")
        .fails("SALE_NOT_OPEN", "A ticket type is not on sale now.")
        .fails("QUANTITY_OUT_OF_RANGE", "Fewer or more tickets than allowed.");
        price::fails(verb)
            .fails(
                "CODE_USED_BY_BUYER",
                "The signed-in person has used the promo code as often as one may. Guests learn so when they place.",
            )
            .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        if let Some(refused) = price::too_long(input.code.as_deref()) {
            return Ok(refused.into());
        }
        if input.lines.is_empty() || input.lines.len() > 50 {
            let message = "a registration has 1 to 50 lines";
            return Ok(Outcome::refused("QUANTITY_OUT_OF_RANGE", message, &["lines"]).into());
        }
        let Some(org_id) = org_of_event(call, input.event_id).await? else {
            let answer = json!({ "outcome": "event_not_found" });
            return Ok(outcome::refusal(&answer, REFUSALS)?.into());
        };
        price::count_code(call, org_id, input.code.is_some()).await?;
        let items = input
            .lines
            .iter()
            .map(|line| price::item(line.ticket_type_id, line.quantity, line.price.as_ref()));
        let request = json!({
            "event_id": input.event_id,
            "occurrence_id": input.occurrence_id,
            "items": items.collect::<Vec<_>>(),
            "code": input.code,
        });
        let answer = outcome::decide(call, org_id, "price_checkout", &request).await?;
        Ok(match outcome::word(&answer) {
            "priced" => Outcome::new().value("price", shown(&answer)),
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}

/// Sums of the answer and of each line of it, by their names in the API.
const SUMS: [(&str, &str); 5] = [
    ("subtotal", "subtotal_minor"),
    ("discount", "discount_minor"),
    ("fee", "fee_minor"),
    ("tax", "tax_minor"),
    ("total", "total_minor"),
];
const OF_LINES: [(&str, &str); 7] = [
    ("listPrice", "list_price_minor"),
    ("tierPrice", "tier_price_minor"),
    ("price", "price_minor"),
    ("discount", "discount_minor"),
    ("fee", "fee_minor"),
    ("tax", "tax_minor"),
    ("total", "total_minor"),
];
const AMOUNT: [(&str, &str); 1] = [("amount", "amount_minor")];

fn shown(answer: &Json) -> Json {
    let mut price = sums(answer, answer, &SUMS);
    let mut list = |name: &str, of: &[(&str, &str)], more: fn(&Json) -> Json| {
        let rows = answer[name].as_array().map_or(&[][..], Vec::as_slice);
        let each = rows.iter().map(|row| {
            let mut shown = sums(answer, row, of);
            if let Json::Object(fields) = more(row) {
                shown.extend(fields);
            }
            Json::Object(shown)
        });
        price.insert(name.to_owned(), each.collect());
    };
    list("lines", &OF_LINES, |row| {
        json!({
            "ticketTypeId": row["ticket_type_id"],
            "tierName": row["tier_name"],
            "quantity": row["quantity"],
        })
    });
    list(
        "discounts",
        &AMOUNT,
        |row| json!({ "name": row["name"], "byCode": row["kind"] == "code" }),
    );
    list("fees", &AMOUNT, |row| {
        let kind = row["kind"].as_str().unwrap_or_default().to_uppercase();
        json!({ "name": row["name"], "kind": kind })
    });
    list("taxes", &AMOUNT, |row| {
        json!({
            "name": row["name"],
            "rateMillionths": row["rate_millionths"],
            "inclusive": row["inclusive"],
            "onFees": row["on_fees"],
        })
    });
    Json::Object(price)
}

/// The amounts of a row, in the currency of the answer.
fn sums(answer: &Json, row: &Json, names: &[(&str, &str)]) -> Map<String, Json> {
    let amount = |key: &str| price::money_in(answer, row[key].as_i64().unwrap_or_default());
    names
        .iter()
        .map(|(name, key)| ((*name).to_owned(), amount(key)))
        .collect()
}
