//! The life of registrations as a model knows it: random verbs by random people at random times. What the database
//! does is what the table of states allows, refusals change nothing, and the stock adds up after every step.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, all_at_once, outcome},
    shop::{HOLD, Shop},
};

/// From, to, by: the table of states, without what needs a ledger.
const TRANSITIONS: &[(&str, &str, &str)] = &[
    ("held", "confirmed", "confirm"),
    ("held", "pending_approval", "confirm"),
    ("held", "pending_payment", "confirm"),
    ("pending_payment", "confirmed", "confirm"),
    ("pending_approval", "pending_payment", "approve"),
    ("pending_approval", "confirmed", "approve"),
    ("pending_approval", "rejected", "reject"),
    ("held", "cancelled", "cancel"),
    ("pending_approval", "cancelled", "cancel"),
    ("pending_payment", "cancelled", "cancel"),
    ("confirmed", "cancelled", "cancel"),
    ("expired", "held", "extend"),
];

/// Any verb may find that a hold has run out, or meet one in a pool that it needs.
fn listed(from: &str, to: &str, by: &str, own: bool) -> bool {
    let ran_out = matches!(from, "held" | "pending_payment") && to == "expired";
    ran_out || (own && TRANSITIONS.contains(&(from, to, by)))
}

const DONE: &[&str] = &[
    "placed",
    "confirmed",
    "pending_approval",
    "pending_payment",
    "rejected",
    "cancelled",
    "units_cancelled",
    "extended",
    "changed",
    "swept",
];

/// Splitmix64: the same lives for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let most = u64::try_from(end).expect("few");
        usize::try_from((mixed ^ (mixed >> 31)) % most).expect("few")
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        match all.len() {
            0 => None,
            many => Some(all[self.below(many)].clone()),
        }
    }
}

struct World {
    shop: Shop,
    types: [Uuid; 2],
    dice: Dice,
    all: Vec<(Uuid, As)>,
}

impl World {
    async fn new(seed: u64) -> Self {
        let (shop, _, types) = Shop::two_types(8, [0, 1000]).await;
        let mut dice = Dice(seed);
        shop.set(json!({
            "requires_approval": dice.coin(),
            "pending_keeps_stock": dice.coin(),
            "payment_due_hours": 1,
        }))
        .await;
        Self {
            shop,
            types,
            dice,
            all: vec![],
        }
    }

    /// Statuses of all registrations, and a picture of everything that a refusal must leave alone.
    async fn picture(&self) -> (Vec<(Uuid, String)>, String) {
        let sql = "select coalesce(string_agg(id || ' ' || status, ',' order by id), '') from registrations";
        let statuses = self.shop.db.ask(sql).await.unwrap_or_default();
        let statuses = statuses
            .split(',')
            .filter_map(|one| one.split_once(' '))
            .map(|(id, status)| (id.parse().expect("a key"), status.to_owned()))
            .collect();
        let rest = "select concat_ws('|', \
            (select string_agg(r.id || ' ' || r.total_minor || ' ' || coalesce(r.expires_at::text, ''), ',' order by r.id) from registrations r), \
            (select string_agg(i.id || ' ' || i.ticket_type_id || ' ' || coalesce(i.cancelled_at::text, ''), ',' order by i.id) from registration_items i), \
            (select string_agg(t.id || ' ' || t.status, ',' order by t.id) from tickets t), \
            (select string_agg(p.claimed::text, ',' order by p.id) from capacity_pools p))";
        (statuses, self.shop.db.ask(rest).await.unwrap_or_default())
    }

    /// One random step: what was done, to which registration, and the answer.
    async fn step(&mut self) -> (&'static str, Option<Uuid>, Json) {
        let shop = self.shop.clone();
        let free = self.types[0];
        let wish = self.types[self.dice.below(2)];
        let other = self.types[self.dice.below(2)];
        let Some((id, guest)) = self.dice.one_of(&self.all) else {
            return self.place(free).await;
        };
        let who = match self.dice.below(4) {
            0 => shop.organizer(),
            1 if self.all.len() > 1 => self.dice.one_of(&self.all).expect("one").1,
            _ => guest,
        };
        let target = Some(id);
        match self.dice.below(13) {
            0..=2 => self.place(wish).await,
            3 | 4 => ("confirm", target, shop.confirm(&who, id).await),
            5 => ("extend", target, shop.extend(&who, id).await),
            6 => {
                let answer = shop.approve(&[id], "skip_failed").await;
                ("approve", target, answer["results"][0].clone())
            }
            7 => {
                let answer = shop.reject(&[id], "skip_failed").await;
                ("reject", target, answer["results"][0].clone())
            }
            8 => ("cancel", target, shop.cancel(&who, id).await),
            9 => {
                let items = shop.units(id).await;
                let Some(item) = self.dice.one_of(&items) else {
                    return ("cancel", target, shop.cancel(&who, id).await);
                };
                ("cancel", target, shop.cancel_units(&who, id, &[item]).await)
            }
            10 => {
                let items = shop.units(id).await;
                let Some(item) = self.dice.one_of(&items) else {
                    return ("change", target, shop.add(&who, id, wish).await);
                };
                ("change", target, shop.swap(&who, id, item, other).await)
            }
            11 => ("change", target, shop.add(&who, id, wish).await),
            _ => {
                let seconds = [60, HOLD / 2, HOLD + 1, 3700];
                let seconds = seconds[self.dice.below(4)];
                shop.db.advance(seconds).await;
                if self.dice.coin() {
                    shop.sweep().await;
                }
                ("time", None, json!({ "outcome": "swept" }))
            }
        }
    }

    async fn place(&mut self, wish: Uuid) -> (&'static str, Option<Uuid>, Json) {
        let quantity = self.dice.below(3) as i64 + 1;
        let (answer, guest) = self.shop.place(&[(wish, quantity)]).await;
        let id = answer["registration_id"]
            .as_str()
            .map(|text| text.parse().expect("a key"));
        if let Some(id) = id {
            self.all.push((id, guest));
        }
        ("place", id, answer)
    }
}

async fn live(seed: u64, steps: usize) -> usize {
    let mut world = World::new(seed).await;
    let mut moved = 0;
    for number in 0..steps {
        let (before, picture) = world.picture().await;
        let (verb, target, answer) = world.step().await;
        let (after, now) = world.picture().await;
        let said = outcome(&answer);
        let told = || format!("seed {seed}, step {number}: {verb} of {target:?} answered {answer}");
        assert!(!said.is_empty(), "{}", told());
        let mut changed = 0;
        for (id, to) in &after {
            let Some((_, from)) = before.iter().find(|(known, _)| known == id) else {
                assert!(verb == "place" && to == "held", "{}", told());
                continue;
            };
            if from == to {
                continue;
            }
            changed += 1;
            let own = target == Some(*id) && DONE.contains(&said);
            // A hold that ran out is taken again without anybody having swept it.
            let from = match verb == "extend" && said == "extended" {
                true => "expired",
                false => from,
            };
            assert!(listed(from, to, verb, own), "{from} -> {to}: {}", told());
        }
        moved += changed;
        if !DONE.contains(&said) && changed == 0 {
            assert_eq!(picture, now, "a refusal changed something: {}", told());
        }
        world.shop.db.assert_whole().await;
    }
    moved
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_lives_go_by_the_table_of_states_and_the_stock_adds_up() {
    let seeds: Vec<u64> = match std::env::var("PROPERTY_SEED") {
        Ok(seed) => vec![seed.parse().expect("a number")],
        Err(_) => (0..6).collect(),
    };
    let mut moved = 0;
    for seed in seeds {
        moved += live(seed, 120).await;
    }
    assert!(
        moved > 60,
        "only {moved} changes of state: nothing was tried"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn approving_rejecting_cancelling_and_changing_at_the_same_instant_leave_one_story() {
    let (shop, pool, [free, _]) = Shop::two_types(40, [0, 0]).await;
    shop.set(json!({ "requires_approval": true })).await;
    for _ in 0..10 {
        let (registration, guest) = shop.placed(&[(free, 2)]).await;
        shop.confirm(&guest, registration).await;
        let racing = shop.clone();
        let answers = all_at_once(4, 4, move |number| {
            let (shop, guest) = (racing.clone(), guest.clone());
            async move {
                match number {
                    0 => shop.approve(&[registration], "skip_failed").await["results"][0].clone(),
                    1 => shop.reject(&[registration], "skip_failed").await["results"][0].clone(),
                    2 => shop.add(&guest, registration, free).await,
                    _ => shop.cancel(&guest, registration).await,
                }
            }
        })
        .await;
        let said: Vec<_> = answers.iter().map(outcome).collect();
        let status = shop.status(registration).await;
        let won = |word: &str| said.contains(&word);
        match status.as_str() {
            "cancelled" => assert!(won("cancelled") && !won("rejected"), "{answers:?}"),
            "rejected" => assert!(won("rejected") && !won("confirmed"), "{answers:?}"),
            other => panic!("{other}: {answers:?}"),
        }
        shop.db.assert_whole().await;
    }
    assert_eq!(shop.claimed(pool).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r02_extending_and_being_swept_or_sold_at_the_same_instant_never_oversells() {
    for _ in 0..6 {
        let (shop, ticket_type) = Shop::simple(2).await;
        let (registration, guest) = shop.placed(&[(ticket_type, 2)]).await;
        shop.db.advance(HOLD + 1).await;
        let racing = shop.clone();
        all_at_once(6, 6, move |number| {
            let (shop, guest) = (racing.clone(), guest.clone());
            async move {
                match number {
                    0 | 3 => drop(shop.extend(&guest, registration).await),
                    1 => drop(shop.sweep().await),
                    _ => drop(shop.place(&[(ticket_type, 1)]).await),
                }
            }
        })
        .await;
        assert!(shop.taken().await <= 2);
        shop.db.assert_whole().await;
    }
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer_from_every_verb_and_does_it_once() {
    let (shop, ticket_type) = Shop::simple(20).await;
    let key = |name: &str| (format!("key-of-{name}"), "0a");
    let twice = |who: As, verb: &'static str, mut request: Json| {
        let db = shop.db.clone();
        async move {
            let (text, hash) = key(verb);
            request["idempotency_key"] = json!(text);
            request["argument_hash"] = json!(hash);
            let first = db.call(&who, verb, &request).await;
            let mut again = db.call(&who, verb, &request).await;
            assert_eq!(again["replayed"], json!(true), "{verb}: {again}");
            again.as_object_mut().expect("an object").remove("replayed");
            assert_eq!(first, again, "{verb}");
            request["argument_hash"] = json!("0b");
            let error = db.try_call(&who, verb, &request).await.unwrap_err();
            assert_eq!(crate::harness::code(&error), "ES409", "{verb}");
            first
        }
    };
    let (held, guest) = shop.placed(&[(ticket_type, 1)]).await;
    shop.db.advance(60).await;
    let answer = twice(
        guest.clone(),
        "extend_registration",
        json!({ "registration_id": held }),
    )
    .await;
    assert_eq!(outcome(&answer), "extended");
    let adds = json!([{ "item_id": Uuid::now_v7(), "ticket_type_id": ticket_type }]);
    let change = json!({ "registration_id": held, "adds": adds });
    let answer = twice(guest.clone(), "change_registration", change).await;
    assert_eq!(outcome(&answer), "changed");
    assert_eq!(shop.units(held).await.len(), 2);
    let one = json!({ "registration_id": held, "item_ids": [shop.units(held).await[0]] });
    let answer = twice(guest.clone(), "cancel_registration", one).await;
    assert_eq!(outcome(&answer), "units_cancelled");
    shop.confirm(&guest, held).await;

    let ticket = shop.valid_tickets(held).await[0];
    let offer = |secret: &str| json!({ "ticket_id": ticket, "recipient_email": "a@example.com", "secret_hash": secret, "subject": "s", "body": "b" });
    let answer = twice(guest.clone(), "transfer_ticket", offer("ab01")).await;
    let cancel = json!({ "transfer_id": answer["transfer_id"] });
    twice(guest.clone(), "cancel_transfer", cancel).await;
    let visitor = As::visitor(shop.org);
    shop.db
        .call(&guest, "transfer_ticket", &offer("ab02"))
        .await;
    twice(
        visitor.clone(),
        "decline_transfer",
        json!({ "secret_hash": "ab02" }),
    )
    .await;
    shop.db
        .call(&guest, "transfer_ticket", &offer("ab03"))
        .await;
    let accept = json!({
        "secret_hash": "ab03", "name": "Nina", "guest_secret_hash": "ab04",
        "tickets": [{ "ticket_id": Uuid::now_v7(), "code": Uuid::new_v4() }],
    });
    let answer = twice(visitor, "accept_transfer", accept).await;
    assert_eq!(outcome(&answer), "accepted");
    assert_eq!(shop.valid_tickets(held).await.len(), 1);

    shop.set(json!({ "requires_approval": true })).await;
    for verb in ["approve_registrations", "reject_registrations"] {
        let (waiting, guest) = shop.placed(&[(ticket_type, 1)]).await;
        shop.confirm(&guest, waiting).await;
        let organizer = shop.organizer();
        let tickets = shop.tickets(&organizer, waiting).await;
        let request = json!({ "registration_ids": [waiting], "tickets": tickets, "error_policy": "skip_failed" });
        twice(organizer, verb, request).await;
    }
    shop.db.assert_whole().await;
}
