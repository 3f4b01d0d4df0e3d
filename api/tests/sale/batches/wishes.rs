//! What people ask for, without the ids of any database: each twin fills in its own.

use serde_json::{Value as Json, json};

use crate::dice::Dice;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    Visitor,
    /// One of the two people with an account.
    User(usize),
    /// Somebody with a guest secret: of that cart, or of none.
    Guest(Option<usize>),
}

/// Something asked.
#[derive(Clone, Debug)]
pub struct Wish {
    pub who: Who,
    pub key: String,
    /// Stands for the arguments.
    pub hash: String,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    /// `event` and `occurrence` 0 are the right ones; at event 2 people wait, at 3 things cost, 1 is elsewhere. Lines are
    /// type, quantity, people; `more` is what else is said.
    Place {
        cart: usize,
        event: usize,
        occurrence: Option<usize>,
        lines: Vec<(usize, Json, Json)>,
        buyer: Json,
        more: Json,
    },
    Confirm {
        cart: usize,
        people: bool,
        /// One ticket fewer than there are items.
        short: bool,
    },
}

/// Carts of earlier rounds that a confirmation may name.
const CARTS_A_ROUND: usize = 18;

fn who(dice: &mut Dice) -> Who {
    match dice.below(4) {
        0 => Who::User(dice.below(2)),
        _ => Who::Visitor,
    }
}

fn people(dice: &mut Dice, quantity: usize) -> Json {
    match dice.below(5) {
        0 => Json::Null,
        1 => json!([]),
        // More than there are places.
        2 if dice.one_in(4) => json!(vec![person(dice); quantity + 1]),
        _ => {
            let given = 1 + dice.below(quantity);
            let people: Vec<Json> = (0..given)
                .map(|_| {
                    if dice.one_in(6) {
                        Json::Null
                    } else {
                        person(dice)
                    }
                })
                .collect();
            Json::Array(people)
        }
    }
}

fn person(dice: &mut Dice) -> Json {
    // Few names, so that they meet; the addresses of the accounts among them; blanks and capitals to be cleaned.
    match dice.below(8) {
        0 => json!({ "name": "Ida", "email": "user0@example.com" }),
        1 => json!({ "name": "Una", "email": "USER1@example.com" }),
        2 if dice.one_in(8) => json!({ "name": "No Address", "email": "nowhere" }),
        n => json!({ "name": format!(" Guest {n} "), "email": format!("G{n}@Example.com") }),
    }
}

/// A code, a total that was seen, both or neither.
fn more(dice: &mut Dice) -> Json {
    let mut more = json!({});
    match dice.below(6) {
        0..3 => more["code"] = json!(" sesame"),
        3 => more["code"] = json!("made-up"),
        _ => {}
    }
    if dice.one_in(3) {
        more["expected_total_minor"] = json!([500, 600, 1190][dice.below(3)]);
        more["expected_currency"] = json!("EUR");
    }
    more
}

/// Placings of one batch.
pub fn carts(dice: &mut Dice, round: usize) -> Vec<Wish> {
    let mut wishes: Vec<Wish> = vec![];
    for n in 0..CARTS_A_ROUND {
        let cart = round * CARTS_A_ROUND + n;
        if n > 0 && dice.one_in(8) {
            // The same again, or under the same key something else.
            let mut again = wishes[dice.below(n)].clone();
            if dice.one_in(3) {
                again.hash = "bb".to_owned();
            }
            wishes.push(again);
            continue;
        }
        let lines = (0..1 + dice.below(2))
            .map(|_| {
                let quantity = match dice.below(10) {
                    0 => 11,
                    n => 1 + n / 3,
                };
                let kind = match dice.below(12) {
                    odd @ 8.. => odd - 4,
                    usual => usual / 2,
                };
                (kind, json!(quantity), people(dice, quantity))
            })
            .collect();
        let event = match dice.below(12) {
            0 => 1,
            1 | 2 => 2,
            3..6 => 3,
            _ => 0,
        };
        wishes.push(Wish {
            who: who(dice),
            key: format!("place {cart} of this world"),
            hash: "aa".to_owned(),
            what: What::Place {
                cart,
                event,
                more: if event == 3 { more(dice) } else { json!({}) },
                occurrence: match dice.below(10) {
                    0 => Some(1),
                    1..4 => Some(0),
                    _ => None,
                },
                lines,
                buyer: match dice.below(16) {
                    0 => json!({ "name": "", "email": format!("cart{cart}@example.com") }),
                    1 => json!(null),
                    _ => json!({ "name": format!("Buyer {cart}"), "email": format!(" Cart{cart}@Example.com") }),
                },
            },
        });
    }
    wishes
}

/// Confirmations of one batch.
pub fn confirmations(dice: &mut Dice, round: usize) -> Vec<Wish> {
    let mut wishes: Vec<Wish> = vec![];
    for n in 0..CARTS_A_ROUND {
        if n > 0 && dice.one_in(8) {
            let mut again = wishes[dice.below(n)].clone();
            if dice.one_in(3) {
                again.hash = "bb".to_owned();
            }
            wishes.push(again);
            continue;
        }
        // Mostly what was placed just now, sometimes something old.
        let cart = match dice.below(4) {
            0 => dice.below((round + 1) * CARTS_A_ROUND),
            _ => round * CARTS_A_ROUND + dice.below(CARTS_A_ROUND),
        };
        wishes.push(Wish {
            who: match dice.below(12) {
                0 => Who::Visitor,
                1 => Who::Guest(None),
                2 => Who::User(dice.below(2)),
                // Whoever placed it: the twin knows.
                _ => Who::Guest(Some(cart)),
            },
            key: format!("confirm {round} {n} of this world"),
            hash: "aa".to_owned(),
            what: What::Confirm {
                cart,
                people: dice.one_in(6),
                short: round == 5 && dice.one_in(8),
            },
        });
    }
    wishes
}
