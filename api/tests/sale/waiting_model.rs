//! Random lives of a small shop, compared after each step with a model of a few lines: who is offered what and in which
//! order, and what the public may buy. The check of the stock has nothing to say after any step.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use uuid::Uuid;

use crate::{
    harness::outcome,
    queue::{Waiting, id},
    shop::{HOLD, Shop, Sold},
};

const LIVES: u64 = 4;
const STEPS: usize = 90;

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let at = self.roll(of.len().max(1) as u64);
        of.get(usize::try_from(at).expect("few"))
    }
}

struct Life {
    shop: Shop,
    dice: Dice,
    pools: [Uuid; 2],
    types: [Uuid; 2],
    bought: Vec<(Uuid, crate::harness::As)>,
    waiting: Vec<Waiting>,
    holds: Vec<(Uuid, String)>,
    names: usize,
}

/// What a place of each type needs: the plain one of the hall, the other of hall and meals.
const NEEDS: [[i64; 2]; 2] = [[1, 0], [1, 1]];

impl Life {
    async fn new(seed: u64) -> Self {
        let shop = Shop::draft().await;
        let pools = [shop.pool(Some(6)).await, shop.pool(Some(3)).await];
        let types = [
            shop.sells(Sold {
                price: 0,
                pools: &pools[..1],
            })
            .await,
            shop.sells(Sold {
                price: 0,
                pools: &pools,
            })
            .await,
        ];
        shop.publish().await;
        Self {
            shop,
            dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            pools,
            types,
            bought: vec![],
            waiting: vec![],
            holds: vec![],
            names: 0,
        }
    }

    /// One to three places of one type, or a pair of both.
    fn wishes(&mut self) -> Vec<(Uuid, i64)> {
        match self.dice.roll(5) {
            0 => vec![(self.types[0], 1), (self.types[1], 1)],
            kind => {
                let which = usize::try_from(kind % 2).expect("few");
                let quantity = i64::try_from(1 + self.dice.roll(3)).expect("few");
                vec![(self.types[which], quantity)]
            }
        }
    }

    async fn step(&mut self) -> String {
        match self.dice.roll(16) {
            0..=2 => self.buys().await,
            3..=5 => self.joins().await,
            6 => self.sets_aside().await,
            7 => self.changes_a_hold().await,
            8..=10 => self.gives_back().await,
            11 | 12 => self.answers().await,
            13 => {
                let seconds = [HOLD / 2, HOLD, 40_000, 90_000]
                    [usize::try_from(self.dice.roll(4)).expect("few")];
                self.shop.db.advance(seconds).await;
                format!("{seconds} seconds pass")
            }
            14 => {
                let priority = i64::try_from(self.dice.roll(3)).expect("few");
                match self.dice.pick(&self.waiting).cloned() {
                    Some(who) => format!(
                        "priority {priority}: {}",
                        self.shop.prioritize(&[who.entry], priority).await
                    ),
                    None => "nobody to prioritize".to_owned(),
                }
            }
            _ => self.changes_capacity().await,
        }
    }

    async fn buys(&mut self) -> String {
        let wishes = self.wishes();
        let (answer, guest) = self.shop.place(&wishes).await;
        if outcome(&answer) == "placed" {
            let registration = id(&answer, "registration_id");
            if self.dice.roll(2) == 0 {
                self.shop.confirm(&guest, registration).await;
            }
            self.bought.push((registration, guest));
        }
        format!("buys {wishes:?}: {answer}")
    }

    async fn joins(&mut self) -> String {
        let wishes = self.wishes();
        self.names += 1;
        let (answer, guest) = self
            .shop
            .join(&format!("w{}", self.names), &wishes, json!({}))
            .await;
        if outcome(&answer) == "joined" {
            self.waiting.push(Waiting {
                entry: id(&answer, "entry_id"),
                guest,
            });
        }
        format!("joins {wishes:?}: {answer}")
    }

    async fn sets_aside(&mut self) -> String {
        let key = Uuid::new_v4().simple().to_string();
        let quantity = i64::try_from(1 + self.dice.roll(3)).expect("few");
        let expires_at = match self.dice.roll(2) {
            0 => {
                self.shop
                    .db
                    .ask("select (es.clock() + interval '1000 s')::text")
                    .await
            }
            _ => None,
        };
        let which = usize::try_from(self.dice.roll(2)).expect("few");
        let more = match self.dice.roll(3) {
            0 => {
                json!({ "ticket_type_id": null, "pool_id": self.pools[which], "key_hash": key, "expires_at": expires_at })
            }
            _ => json!({ "key_hash": key, "expires_at": expires_at }),
        };
        let answer = self.shop.hold(self.types[which], quantity, more).await;
        if outcome(&answer) == "created" {
            self.holds.push((id(&answer, "hold_id"), key));
        }
        format!("sets aside {quantity}: {answer}")
    }

    async fn changes_a_hold(&mut self) -> String {
        let Some((hold, key)) = self.dice.pick(&self.holds).cloned() else {
            return "no hold".to_owned();
        };
        let answer = match self.dice.roll(4) {
            0 => self.shop.release_hold(hold).await,
            1 => {
                let quantity = 1 + self.dice.roll(4);
                self.shop
                    .change_hold(hold, json!({ "quantity": quantity }))
                    .await
            }
            2 => {
                self.shop
                    .change_hold(hold, json!({ "expires_at": null }))
                    .await
            }
            _ => {
                let wishes = self.wishes();
                self.shop
                    .place_from(&wishes, json!({ "hold_key_hash": key }))
                    .await
            }
        };
        format!("hold {hold}: {answer}")
    }

    async fn gives_back(&mut self) -> String {
        match self.bought.pop() {
            Some((registration, guest)) => {
                format!("cancels: {}", self.shop.cancel(&guest, registration).await)
            }
            None => "nothing to cancel".to_owned(),
        }
    }

    /// An answer is accepted when the offer is open, and only then.
    async fn answers(&mut self) -> String {
        let Some(who) = self.dice.pick(&self.waiting).cloned() else {
            return "nobody waits".to_owned();
        };
        let open = format!(
            "select count(*) from waitlist_offers where entry_id = '{}' and status = 'offered' and expires_at > es.clock()",
            who.entry
        );
        let open = self.shop.db.ask_number(&open).await == 1;
        let was = self.shop.standing(&who).await;
        match self.dice.roll(4) {
            0 => {
                let answer = self.shop.answers("decline_waitlist_offer", &who).await;
                assert_eq!(
                    outcome(&answer) == "declined",
                    open || was == "declined",
                    "{answer}"
                );
                format!("declines: {answer}")
            }
            1 => format!(
                "leaves: {}",
                self.shop.answers("leave_waitlist", &who).await
            ),
            _ => {
                let answer = self.shop.answers("accept_waitlist_offer", &who).await;
                assert_eq!(
                    outcome(&answer) == "accepted",
                    open || was == "accepted",
                    "{was}: {answer}"
                );
                if outcome(&answer) == "accepted" {
                    self.bought
                        .push((id(&answer, "registration_id"), self.shop.organizer()));
                }
                format!("accepts: {answer}")
            }
        }
    }

    async fn changes_capacity(&mut self) -> String {
        let which = usize::try_from(self.dice.roll(2)).expect("few");
        let capacity = self.dice.roll(8);
        let claimed = format!(
            "select claimed from capacity_pools where id = '{}'",
            self.pools[which]
        );
        if self.shop.db.ask_number(&claimed).await > i64::try_from(capacity).expect("few") {
            return "capacity cannot go below what is claimed".to_owned();
        }
        self.shop
            .set_capacity(self.pools[which], i32::try_from(capacity).expect("few"))
            .await;
        format!("capacity {which} is {capacity}")
    }

    /// Places left in each pool, expired claims given back.
    async fn free(&self) -> [i64; 2] {
        let mut free = [0; 2];
        for (at, pool) in self.pools.iter().enumerate() {
            free[at] = self
                .shop
                .db
                .ask_number(&format!(
                    "select p.capacity - (select coalesce(sum(c.quantity), 0) from pool_claims c where c.pool_id = p.id \
                     and c.released_at is null and (c.expires_at is null or c.expires_at > es.clock())) \
                     from capacity_pools p where p.id = '{pool}'"
                ))
                .await;
        }
        free
    }

    async fn capacities(&self) -> [i64; 2] {
        let mut capacities = [0; 2];
        for (at, pool) in self.pools.iter().enumerate() {
            let sql = format!("select capacity from capacity_pools where id = '{pool}'");
            capacities[at] = self.shop.db.ask_number(&sql).await;
        }
        capacities
    }

    /// The queue in its order: entry, priority, what it needs of each pool.
    async fn queue(&self) -> Vec<(Uuid, i64, [i64; 2])> {
        let sql = "select string_agg(concat_ws(' ', w.id, w.priority, x.plain, x.dinner), ';' \
                     order by w.priority desc, w.joined_at, w.id) \
                   from waitlist_entries w join lateral ( \
                     select coalesce(sum(l.quantity) filter (where l.ticket_type_id = '{plain}'), 0) as plain, \
                       coalesce(sum(l.quantity) filter (where l.ticket_type_id = '{dinner}'), 0) as dinner \
                     from waitlist_lines l where l.entry_id = w.id) x on true \
                   where w.status = 'waiting'"
            .replace("{plain}", &self.types[0].to_string())
            .replace("{dinner}", &self.types[1].to_string());
        let text = self.shop.db.ask(&sql).await.unwrap_or_default();
        text.split(';')
            .filter(|row| !row.is_empty())
            .map(|row| {
                let parts: Vec<_> = row.split(' ').collect();
                let number = |at: usize| parts[at].parse::<i64>().expect("a number");
                let needs = std::array::from_fn(|pool| {
                    number(2) * NEEDS[0][pool] + number(3) * NEEDS[1][pool]
                });
                (parts[0].parse().expect("a key"), number(1), needs)
            })
            .collect()
    }

    /// What the public may buy of each type: what is free, less what those who wait could take.
    async fn for_the_public(&self) -> [i64; 2] {
        let (free, capacities) = (self.free().await, self.capacities().await);
        let mut left = free;
        for (_, _, needs) in self.queue().await {
            let uses: Vec<usize> = (0..2).filter(|pool| needs[*pool] > 0).collect();
            if uses
                .iter()
                .all(|pool| free[*pool] > 0 && needs[*pool] <= capacities[*pool])
            {
                uses.iter().for_each(|pool| left[*pool] -= needs[*pool]);
            }
        }
        [left[0].max(0), left[0].min(left[1]).max(0)]
    }

    /// Who is to be offered places now, in order.
    async fn next(&self) -> Vec<Uuid> {
        let mut free = self.free().await;
        let (mut offered, mut kept, mut keeping) = (vec![], BTreeSet::new(), BTreeSet::new());
        let mut level = None;
        for (entry, priority, needs) in self.queue().await {
            if level != Some(priority) {
                kept.extend(std::mem::take(&mut keeping));
                level = Some(priority);
            }
            let uses: Vec<usize> = (0..2).filter(|pool| needs[*pool] > 0).collect();
            if uses
                .iter()
                .all(|pool| needs[*pool] <= free[*pool] && !kept.contains(pool))
            {
                uses.iter().for_each(|pool| free[*pool] -= needs[*pool]);
                offered.push(entry);
            } else if uses.iter().all(|pool| free[*pool] > 0) {
                keeping.extend(uses);
            }
        }
        offered
    }

    async fn offers(&self) -> BTreeMap<String, Uuid> {
        let text = self
            .shop
            .db
            .ask("select string_agg(o.id || ' ' || o.entry_id, ';') from waitlist_offers o")
            .await
            .unwrap_or_default();
        text.split(';')
            .filter_map(|row| row.split_once(' '))
            .map(|(offer, entry)| (offer.to_owned(), entry.parse().expect("a key")))
            .collect()
    }

    /// Serves the queue, and compares who was offered places with the model.
    async fn serves(&self, told: &str) {
        let (before, expected) = (self.offers().await, self.next().await);
        let made = self.shop.serve(100).await;
        let order = "select string_agg(o.entry_id::text, ' ' order by o.created_at) from waitlist_offers o \
                     join outbox a on a.object_id = o.id and a.type = 'waitlist.offered' where o.id::text <> all ($1)";
        let known: Vec<_> = before.keys().map(|offer| format!("'{offer}'")).collect();
        let order = order.replace("$1", &format!("array[{}]::text[]", known.join(",")));
        let made_now: Vec<Uuid> = self
            .shop
            .db
            .ask(&order)
            .await
            .unwrap_or_default()
            .split_whitespace()
            .map(|entry| entry.parse().expect("a key"))
            .collect();
        assert_eq!(made_now, expected, "after {told}");
        assert_eq!(usize::try_from(made).expect("few"), expected.len());
    }
}

#[tokio::test]
async fn r11_r20_random_lives_of_a_shop_go_as_the_model_says() {
    let (mut offers, mut sold_out) = (0, 0);
    for seed in 1..=LIVES {
        let mut life = Life::new(seed).await;
        for number in 0..STEPS {
            let told = format!("life {seed}, step {number}: {}", life.step().await);
            life.shop.db.assert_whole().await;
            let public = life.for_the_public().await;
            for (at, ticket_type) in life.types.iter().enumerate() {
                assert_eq!(
                    life.shop.available(*ticket_type).await,
                    Some(public[at]),
                    "type {at} after {told}"
                );
                // What is shown is what can be placed: not one more.
                let (answer, _) = life.shop.place(&[(*ticket_type, public[at] + 1)]).await;
                assert_eq!(outcome(&answer), "sold_out", "{told}");
                sold_out += 1;
            }
            if life.dice.roll(3) > 0 {
                life.serves(&told).await;
                life.shop.db.assert_whole().await;
            }
            if life.dice.roll(6) == 0 {
                life.shop.sweep().await;
                life.shop.clear().await;
                life.shop.db.assert_whole().await;
            }
        }
        offers += life.offers().await.len();
    }
    assert!(
        offers > 10 && sold_out > 100,
        "{offers} offers: nothing was tried"
    );
}
