//! Many served together: the same answers and the same rows as one by one, whatever they ask; and never more than
//! there is.

mod beside;
mod race;
mod rows;
mod twins;
mod wishes;

use serde_json::{Value as Json, json};

use self::twins::Twin;
use crate::{
    dice::Dice,
    harness::{As, outcome},
};

/// How the server calls the functions for many.
pub fn counter(org: uuid::Uuid) -> As {
    As {
        role: "es_system",
        org: Some(org),
        actor: "system:counter".to_owned(),
        ..As::default()
    }
}

/// Batches of random carts and confirmations, on two databases that are alike: one by one here, together there.
async fn compare(seed: u64) -> Tally {
    let mut dice = Dice::new(seed);
    let single = Twin::new().await;
    let many = Twin::new().await;
    let mut tally = Tally::default();
    for round in 0..8 {
        let wishes = wishes::carts(&mut dice, round);
        let (told, together) = (
            single.one_by_one(&wishes).await,
            many.at_once(&wishes).await,
        );
        tally.count(&told, together.1);
        assert_eq!(told, together.0, "seed {seed}, round {round}: {wishes:#?}");
        if dice.one_in(8) {
            single.shop.db.advance(901).await;
            many.shop.db.advance(901).await;
        }
        let confirming = wishes::confirmations(&mut dice, round);
        let (told, together) = (
            single.one_by_one(&confirming).await,
            many.at_once(&confirming).await,
        );
        tally.count(&told, together.1);
        assert_eq!(
            told, together.0,
            "seed {seed}, round {round}: {confirming:#?}"
        );
        single.meanwhile(round).await;
        many.meanwhile(round).await;
        if dice.below(3) == 0 {
            let seconds = [10, 901][dice.below(2)];
            single.shop.db.advance(seconds).await;
            many.shop.db.advance(seconds).await;
        }
    }
    for twin in [&single, &many] {
        while twin.shop.sweep().await > 0 {}
        twin.shop.db.assert_whole().await;
    }
    let (one, other) = (rows::all(&single).await, rows::all(&many).await);
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        let missing = these.iter().filter(|row| !those.contains(row));
        missing.cloned().collect()
    };
    assert_eq!(
        (only(&one, &other), only(&other, &one), one.len()),
        (vec![], vec![], other.len()),
        "seed {seed}: rows of one way that the other has not"
    );
    tally
}

/// What happened, so that nobody takes silence for agreement.
#[derive(Default)]
struct Tally {
    words: std::collections::BTreeMap<String, usize>,
    batches: usize,
    fell_back: usize,
}

impl Tally {
    fn count(&mut self, told: &[Json], fell_back: bool) {
        for answer in told {
            let replayed = answer.get("replayed").is_some();
            let word = if replayed {
                "replayed"
            } else {
                outcome(answer)
            };
            *self.words.entry(word.to_owned()).or_default() += 1;
        }
        self.batches += 1;
        self.fell_back += usize::from(fell_back);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn together_and_one_by_one_give_the_same_answers_and_rows() {
    let mut all = Tally::default();
    for seed in 1..=4 {
        let tally = compare(seed).await;
        for (word, count) in tally.words {
            *all.words.entry(word).or_default() += count;
        }
        all.batches += tally.batches;
        all.fell_back += tally.fell_back;
    }
    for word in [
        "placed",
        "sold_out",
        "replayed",
        "key_conflict",
        "event_not_found",
        "occurrence_not_found",
        "ticket_type_not_found",
        "sale_not_open",
        "quantity_out_of_range",
        "invalid",
        "confirmed",
        "pending_payment",
        "hold_expired",
        "registration_not_found",
        "price_changed",
        "code_unknown",
        "code_used_up",
        "add_on_out_of_range",
    ] {
        assert!(
            all.words.get(word).is_some_and(|count| *count > 2),
            "{word} hardly came up: {:?}",
            all.words
        );
    }
    assert!(
        all.fell_back * 3 < all.batches,
        "{} of {} batches were served one by one",
        all.fell_back,
        all.batches
    );
}

#[tokio::test]
async fn nobody_but_the_counter_calls_the_functions_for_many() {
    let (shop, ticket_type) = crate::shop::Shop::simple(5).await;
    let batch = json!([{ "actor": "anonymous", "request": shop.request(&[(ticket_type, 1)]) }]);
    for who in [
        As::visitor(shop.org),
        As::attendee(shop.user, shop.org),
        shop.organizer(),
    ] {
        for function in ["place_registrations", "confirm_registrations"] {
            let refused = shop.db.try_call(&who, function, &batch).await;
            let code = crate::harness::code(&refused.expect_err("refused"));
            assert_eq!(code, "42501", "{function} as {}", who.role);
        }
    }
}

#[tokio::test]
async fn the_counter_is_bound_to_one_organization() {
    let (here, _) = crate::shop::Shop::simple(5).await;
    let (there, theirs) = crate::shop::Shop::simple_in(&here.db, 5).await;
    let batch = json!([{ "actor": "anonymous", "request": there.request(&[(theirs, 1)]) }]);
    let answer = here
        .db
        .call(&counter(here.org), "place_registrations", &batch)
        .await;
    assert_eq!(
        outcome(&answer[0]["outcome"]),
        "event_not_found",
        "{answer}"
    );
    let (held, guest) = there.placed(&[(theirs, 1)]).await;
    let batch = json!([{
        "actor": "guest",
        "guest_hashes": [guest.guest_hash.expect("a guest")],
        "request": {
            "registration_id": held, "tickets": [], "idempotency_key": "a key of some length", "argument_hash": "00",
        },
    }]);
    let answer = here
        .db
        .call(&counter(here.org), "confirm_registrations", &batch)
        .await;
    assert_eq!(
        outcome(&answer[0]["outcome"]),
        "registration_not_found",
        "{answer}"
    );
}
