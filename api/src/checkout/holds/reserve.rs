//! reservePromoCodeStock: places are kept for the uses of a code that are left.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    checkout::request::{check_key, keyed},
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct ReservePromoCodeStock;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    promo_code_id: Uuid,
    capacity_pool_ids: Vec<Uuid>,
    idempotency_key: String,
}

const REFUSALS: Refusals = &[
    (
        "code_not_found",
        "PROMO_CODE_NOT_FOUND",
        "there is no such promo code",
        &["promoCodeId"],
    ),
    (
        "pool_not_found",
        "CAPACITY_POOL_NOT_FOUND",
        "the event of the code has no such stock",
        &["capacityPoolIds"],
    ),
    (
        "code_cannot_reserve",
        "CODE_CANNOT_RESERVE",
        "only a code of one event that counts tickets, has a limit of uses, and is not over can reserve",
        &["promoCodeId"],
    ),
    (
        "sold_out",
        "SOLD_OUT",
        "there are not enough free places for all uses that are left",
        &["capacityPoolIds"],
    ),
];

#[async_trait]
impl Handle for ReservePromoCodeStock {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "reservePromoCodeStock",
            "Keeps a place for each unused use of a promo code, in each of these stocks, until the code ends: who uses it \
             needs no place that is on sale. What it kept in other stocks goes back on sale; without stocks it keeps \
             nothing any more. A use that is given back later goes on sale; ask again to keep it.",
        )
        .scope("promo_codes:write")
        .takes(
            "promoCodeId",
            InputType::Scalar(Scalar::Id("PromoCode".to_owned())),
            "The code: of one event, counted by ticket, with a limit of uses.",
        )
        .takes(
            "capacityPoolIds",
            InputType::List(Scalar::Id("CapacityPool".to_owned())),
            "The stocks, at most 20.",
        )
        .idempotent()
        .gives("promoCode", PayloadType::Entity("PromoCode".to_owned()), "The code.")
        .gives(
            "reserved",
            PayloadType::Scalar(Scalar::Int),
            "How many places are kept in each of the stocks.",
        )
        .fails("PROMO_CODE_NOT_FOUND", "There is no such promo code.")
        .fails("CAPACITY_POOL_NOT_FOUND", "The event of the code has no such stock.")
        .fails("CODE_CANNOT_RESERVE", "The code is of no one event, counts no tickets, has no limit, or is over.")
        .fails("SOLD_OUT", "There are not enough free places for all uses that are left.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        check_key(&input.idempotency_key)?;
        let arguments = json!({
            "promo_code_id": input.promo_code_id, "pool_ids": input.capacity_pool_ids,
        });
        let request = keyed(arguments, &input.idempotency_key);
        let answer = outcome::decide_own(call, "reserve_code_stock", &request).await?;
        Ok(match outcome::word(&answer) {
            "reserved" => {
                call.app.jobs.wake();
                Outcome::new()
                    .entity("promoCode", input.promo_code_id)
                    .value("reserved", answer["places"].clone())
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
