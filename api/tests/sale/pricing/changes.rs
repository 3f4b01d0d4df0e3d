//! Random registrations that are changed, cancelled in part and bought again: after each step everything costs what the
//! second opinion says, all parts add up, pools are right, and a refusal leaves all as it was.

use proptest::{collection::vec, prelude::*};
use serde_json::{Value as Json, json};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use uuid::Uuid;

use super::{
    Shop,
    coming::{Coming, Place},
    model::{Case, case},
    properties::{adds_up, agree, ask, items, run, stock, taxes, try_all, whole},
};
use crate::shop::HOLD;

/// What is done to a registration. Numbers choose among what is there.
#[derive(Clone, Debug)]
enum Step {
    Cancel(u64),
    Change {
        leave: u64,
        to: usize,
        add: Vec<(usize, i64)>,
    },
    /// Everything listed costs so much more from now on.
    Raise(i64),
    Extend,
    RunOutAndExtend,
}

#[derive(Clone, Debug)]
struct Life {
    case: Case,
    steps: Vec<Step>,
    /// Places of the first type, and uses of the code, beyond those that are placed.
    room: (i64, i64),
}

fn life() -> impl Strategy<Value = Life> {
    let change = (
        prop_oneof![Just(0_u64), any::<u64>()],
        0..2_usize,
        vec((0..2_usize, 0..90_000_i64), 0..4),
    )
        .prop_map(|(leave, to, add)| Step::Change { leave, to, add });
    let step = prop_oneof![
        3 => any::<u64>().prop_map(Step::Cancel),
        5 => change,
        1 => (1..500_i64).prop_map(Step::Raise),
        1 => Just(Step::Extend),
        1 => Just(Step::RunOutAndExtend),
    ];
    (case(), vec(step, 1..7), (0..6_i64, 0..6_i64)).prop_map(|(case, steps, room)| Life {
        case,
        steps,
        room,
    })
}

#[test]
fn r20_what_is_changed_costs_what_a_second_opinion_says_and_adds_up() {
    try_all(life(), 80, examine);
}

macro_rules! demand {
    ($condition:expr, $($said:tt)+) => {
        if !$condition {
            return Err(format!($($said)+));
        }
    };
}

/// A registration under way.
struct World<'a> {
    shop: &'a Shop,
    case: Case,
    types: Vec<Uuid>,
    places: Vec<Place>,
    registration: Uuid,
    /// Places of the first type, uses of the code.
    limits: (usize, usize),
}

async fn examine(shop: &Shop, db: &mut PgConnection, life: &Life) -> Result<(), String> {
    let case = &life.case;
    let types = stock(shop, db, case).await;
    run(
        db,
        "update promo_codes set counted_by = 'ticket'; update events set hold_extension_seconds = 86400;",
    )
    .await;
    if case.code.is_some() && !case.code_applies() {
        return Ok(());
    }
    let placed = ask(shop, db, "place_registration", case, &types, None).await;
    let registration = placed["registration_id"]
        .as_str()
        .ok_or(placed.to_string())?;
    let places = case.places();
    let first = |place: &&Place| place.unit.of == 0;
    let taken = places.iter().filter(first).count();
    let uses = places.iter().filter(|place| place.coded).count();
    let limits = (taken + life.room.0 as usize, uses + life.room.1 as usize);
    limit(shop, db, types[0], taken, limits, registration).await;
    let mut world = World {
        shop,
        case: case.clone(),
        types,
        places,
        registration: registration.parse().expect("a key"),
        limits,
    };
    world.check(db).await?;
    for step in &life.steps {
        let going = world
            .take(db, step)
            .await
            .map_err(|fault| format!("{step:?}: {fault}"))?;
        world
            .check(db)
            .await
            .map_err(|fault| format!("after {step:?}: {fault}"))?;
        if !going {
            break;
        }
    }
    Ok(())
}

/// A pool of seats of the first type, as if it had been there from the start, and the limit of the code.
async fn limit(
    shop: &Shop,
    db: &mut PgConnection,
    first: Uuid,
    taken: usize,
    limits: (usize, usize),
    registration: &str,
) {
    let (org, event, pool) = (shop.org, shop.event, Uuid::now_v7());
    let mut sql = format!(
        "update promo_codes set max_uses = {};
         insert into capacity_pools (id, org_id, event_id, name, capacity, claimed)
         values ('{pool}', '{org}', '{event}', 'Seats', {}, {taken});
         insert into ticket_type_pools (org_id, event_id, ticket_type_id, pool_id, created_at)
         values ('{org}', '{event}', '{first}', '{pool}', '2020-01-01');",
        limits.1, limits.0
    );
    if taken > 0 {
        sql += &format!(
            "insert into pool_claims (org_id, event_id, pool_id, registration_id, quantity, expires_at)
             select org_id, event_id, '{pool}', id, {taken}, expires_at from registrations where id = '{registration}';"
        );
    }
    run(db, &sql).await;
}

impl World<'_> {
    /// Does it, and says whether the registration goes on.
    async fn take(&mut self, db: &mut PgConnection, step: &Step) -> Result<bool, String> {
        match step {
            Step::Cancel(mask) => {
                let leaving = self.chosen(*mask);
                if leaving.is_empty() || leaving.len() == self.places.len() {
                    return Ok(true);
                }
                let ids = self.ids(db).await;
                let items: Vec<Uuid> = leaving.iter().map(|at| ids[*at]).collect();
                let answer = self
                    .call(db, "cancel_registration", json!({ "item_ids": items }))
                    .await;
                demand!(answer["outcome"] == "units_cancelled", "{answer}");
                self.places = self.case.changed(&self.places, &leaving, &[]);
            }
            Step::Change { leave, to, add } => self.change(db, *leave, *to, add).await?,
            Step::Raise(by) => {
                for kind in &mut self.case.types {
                    kind.price += by;
                }
                let sql = format!(
                    "update ticket_types set price_minor = price_minor + {by} where event_id = '{}'",
                    self.shop.event
                );
                run(db, &sql).await;
            }
            Step::Extend => {
                let answer = self.call(db, "extend_registration", json!({})).await;
                let said = &answer["outcome"];
                demand!(
                    said == "extended" || said == "extension_limit_reached",
                    "{answer}"
                );
            }
            Step::RunOutAndExtend => return self.buy_again(db).await,
        }
        Ok(true)
    }

    async fn change(
        &mut self,
        db: &mut PgConnection,
        leave: u64,
        to: usize,
        add: &[(usize, i64)],
    ) -> Result<(), String> {
        let chosen = self.chosen(leave);
        if chosen.len() + add.len() == 0 {
            return Ok(());
        }
        let ids = self.ids(db).await;
        let swaps: Vec<Json> = chosen
            .iter()
            .map(|at| json!({ "item_id": ids[*at], "ticket_type_id": self.types[to] }))
            .collect();
        let adds: Vec<Json> = add
            .iter()
            .map(|(of, given)| {
                let mut one =
                    json!({ "item_id": Uuid::now_v7(), "ticket_type_id": self.types[*of] });
                if self.case.types[*of].donation {
                    one["price_minor"] = json!(given);
                    one["currency"] = json!(self.case.currency);
                }
                one
            })
            .collect();
        let request = json!({ "swaps": swaps, "adds": adds });
        let answer = self.call(db, "change_registration", request).await;

        let leaving: Vec<usize> = chosen
            .into_iter()
            .filter(|at| self.places[*at].unit.of != to)
            .collect();
        let swapped = leaving.iter().map(|at| Coming {
            of: to,
            given: None,
            position: Some(self.places[*at].position),
        });
        let added = add.iter().map(|(of, given)| Coming {
            of: *of,
            given: Some(*given),
            position: None,
        });
        let coming: Vec<Coming> = swapped.chain(added).collect();
        let after = self.case.changed(&self.places, &leaving, &coming);
        let grows = |count: fn(&Place) -> bool, most: usize| {
            let (before, now) = (
                self.places.iter().filter(|place| count(place)).count(),
                after.iter().filter(|place| count(place)).count(),
            );
            now > before && now > most
        };
        let expected = if self.case.code.is_some() && grows(|place| place.coded, self.limits.1) {
            "code_used_up"
        } else if grows(|place| place.unit.of == 0, self.limits.0) {
            "sold_out"
        } else {
            self.places = after;
            "changed"
        };
        demand!(answer["outcome"] == expected, "{expected}: {answer}");
        Ok(())
    }

    /// What has run out is bought again, as if it were placed now, or stays expired.
    async fn buy_again(&mut self, db: &mut PgConnection) -> Result<bool, String> {
        run(
            db,
            &format!(
                "update es.test_clock set shift = shift + interval '{} seconds'",
                HOLD + 1
            ),
        )
        .await;
        let answer = self.call(db, "extend_registration", json!({})).await;
        let mut now = self.case.clone();
        now.cart = self
            .places
            .iter()
            .map(|place| (place.unit.of, 1, place.unit.list))
            .collect();
        if now.code.is_some() && !now.code_applies() {
            demand!(answer["outcome"] == "code_not_applicable", "{answer}");
            return Ok(false);
        }
        let mut bought = now.places();
        let uses = bought.iter().filter(|place| place.coded).count();
        if now.code.is_some() && uses > self.limits.1 {
            demand!(answer["outcome"] == "code_used_up", "{answer}");
            return Ok(false);
        }
        demand!(answer["outcome"] == "extended", "{answer}");
        demand!(answer["taken_again"] == true, "{answer}");
        for (place, before) in bought.iter_mut().zip(&self.places) {
            place.position = before.position;
        }
        self.places = bought;
        Ok(true)
    }

    /// Indices of places, by the bits of a number.
    fn chosen(&self, mask: u64) -> Vec<usize> {
        (0..self.places.len())
            .filter(|at| mask >> at & 1 == 1)
            .collect()
    }

    async fn ids(&self, db: &mut PgConnection) -> Vec<Uuid> {
        let sql = "select id from registration_items where registration_id = $1 and cancelled_at is null order by position";
        let rows = sqlx::query(sql)
            .bind(self.registration)
            .fetch_all(db)
            .await
            .expect("items");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// A member calls that function.
    async fn call(&self, db: &mut PgConnection, function: &str, mut request: Json) -> Json {
        request["registration_id"] = json!(self.registration);
        let acting = format!(
            "select set_config('es.org', '{}', true), set_config('es.permissions', 'registrations:write', true); \
             set local role es_member",
            self.shop.org
        );
        run(db, &acting).await;
        let sql = format!("select public.{function}($1::jsonb)::text");
        let answer: String = sqlx::query(AssertSqlSafe(sql))
            .bind(request.to_string())
            .fetch_one(&mut *db)
            .await
            .unwrap_or_else(|error| panic!("{error}\n{:?}\n{request}", self.case))
            .get(0);
        run(db, "reset role").await;
        serde_json::from_str(&answer).expect("JSON")
    }

    async fn check(&self, db: &mut PgConnection) -> Result<(), String> {
        let sql = "select total_minor, discount_minor, fee_minor, tax_minor, subtotal_minor from registrations where id = $1";
        let sums = sqlx::query(sql)
            .bind(self.registration)
            .fetch_one(&mut *db)
            .await
            .expect("a registration");
        let items = items(db).await;
        let units: Vec<_> = self.places.iter().map(|place| place.unit.clone()).collect();
        agree(&units, &items)?;
        adds_up(&items, sums.get(0))?;
        for (column, part) in [
            items.iter().map(|item| item.discount).sum::<i64>(),
            items.iter().map(|item| item.fee).sum(),
            items.iter().map(|item| item.tax).sum(),
            items.iter().map(|item| item.price + item.discount).sum(),
        ]
        .into_iter()
        .enumerate()
        {
            let stored: i64 = sums.get(column + 1);
            demand!(stored == part, "sum {column}: {stored}, of items {part}");
        }
        taxes(&self.case, &units, &items, db).await?;
        whole(db).await
    }
}
