//! A second opinion: what a cart costs, worked out in plain Rust over whole numbers, unit by unit.

use proptest::{collection::vec, option, prelude::*, sample::select};

/// A ticket type with its tiers: (price, quantity).
#[derive(Clone, Debug)]
pub struct Type {
    pub price: i64,
    pub donation: bool,
    pub tiers: Vec<(i64, Option<i64>)>,
}

/// A discount, automatic or by code: kind, share in millionths, amount, X and Y. Only for that type, if one is named.
#[derive(Clone, Debug)]
pub struct Discount {
    pub kind: &'static str,
    pub rate: i64,
    pub amount: i64,
    pub buy: usize,
    pub get: usize,
    pub only: Option<usize>,
    /// Of an automatic one: tickets that it takes.
    pub min: usize,
}

#[derive(Clone, Debug)]
pub struct Tax {
    pub name: &'static str,
    pub rate: i64,
    pub inclusive: bool,
}

#[derive(Clone, Debug)]
pub struct Fee {
    pub basis: &'static str,
    pub amount: i64,
    pub rate: i64,
    pub tax_rate: i64,
    pub tax_inclusive: bool,
}

/// An event's catalogue and what somebody wants of it: (type, quantity, price given).
#[derive(Clone, Debug)]
pub struct Case {
    pub currency: &'static str,
    pub rounding: &'static str,
    pub types: Vec<Type>,
    pub automatic: Option<Discount>,
    pub code: Option<Discount>,
    pub taxes: Vec<Tax>,
    pub fees: Vec<Fee>,
    pub cart: Vec<(usize, usize, i64)>,
}

/// What one unit costs before taxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub of: usize,
    pub donated: bool,
    pub list: i64,
    pub tier: i64,
    /// Which tier of its type.
    pub tier_at: Option<usize>,
    pub discount: i64,
    pub code: i64,
    pub price: i64,
    /// By fee, in their order.
    pub fees: Vec<i64>,
}

pub fn case() -> impl Strategy<Value = Case> {
    let price = || prop_oneof![Just(0_i64), 1..200_i64, 1..500_000_i64];
    let tier = (price(), option::of(0..6_i64));
    let kind = (price(), any::<bool>(), vec(tier, 0..3)).prop_map(|(price, gift, tiers)| Type {
        price,
        donation: gift && tiers.is_empty(),
        tiers,
    });
    let rate = || prop_oneof![1..1_000_000_i64, select(vec![70_000_i64, 88_750, 190_000])];
    let kinds = vec![
        "percent",
        "amount_per_ticket",
        "amount_per_registration",
        "buy_x_get_y",
    ];
    let discount = (
        select(kinds),
        rate(),
        1..100_000_i64,
        1..4_usize,
        1..3_usize,
        option::of(0..2_usize),
        prop_oneof![Just(1_usize), 2..7_usize],
    )
        .prop_map(|(kind, rate, amount, buy, get, only, min)| Discount {
            kind,
            rate,
            amount,
            buy,
            get,
            only,
            min,
        });
    let tax =
        (select(vec!["VAT", "City"]), rate(), any::<bool>()).prop_map(|(name, rate, inclusive)| {
            Tax {
                name,
                rate,
                inclusive,
            }
        });
    let fee = (
        select(vec!["ticket", "registration"]),
        0..1000_i64,
        prop_oneof![Just(0_i64), rate()],
        prop_oneof![Just(0_i64), rate()],
        any::<bool>(),
    )
        .prop_map(|(basis, amount, rate, tax_rate, tax_inclusive)| Fee {
            basis,
            amount,
            rate,
            tax_rate,
            tax_inclusive,
        });
    (
        select(vec!["EUR", "JPY", "KWD"]),
        select(vec!["per_unit", "document_net", "keep_gross"]),
        vec(kind, 2),
        option::of(discount.clone()),
        option::of(discount),
        vec(tax, 0..3),
        vec(fee, 0..3),
        vec((0..2_usize, 1..5_usize, 0..90_000_i64), 1..4),
    )
        .prop_map(
            |(currency, rounding, types, automatic, code, taxes, fees, cart)| Case {
                currency,
                rounding,
                types,
                automatic,
                code,
                taxes,
                fees,
                cart,
            },
        )
}

/// Nearest whole number, halves up.
pub fn divide(dividend: i128, divisor: i128) -> i64 {
    ((2 * dividend + divisor) / (2 * divisor)) as i64
}

pub fn share(amount: i64, rate: i64) -> i64 {
    divide(i128::from(amount) * i128::from(rate), 1_000_000)
}

/// Shares of an amount in proportion to weights, largest remainders first.
pub fn allot(amount: i64, weights: &[i64]) -> Vec<i64> {
    let all: i128 = weights.iter().copied().map(i128::from).sum();
    let exact = |weight: i64| i128::from(amount) * i128::from(weight);
    let mut shares: Vec<i64> = weights.iter().map(|w| (exact(*w) / all) as i64).collect();
    let mut turns: Vec<usize> = (0..weights.len()).collect();
    turns.sort_by_key(|place| (-(exact(weights[*place]) % all), *place));
    let left: i64 = amount - shares.iter().sum::<i64>();
    for place in turns.into_iter().take(left as usize) {
        shares[place] += 1;
    }
    shares
}

impl Discount {
    /// Whether it is for that place; donations are left alone.
    pub fn means(&self, unit: &Unit) -> bool {
        !unit.donated && self.only.is_none_or(|only| only == unit.of)
    }

    /// Whether there are as many tickets as it takes.
    pub fn enough(&self, units: &[Unit]) -> bool {
        units.iter().filter(|unit| self.means(unit)).count() >= self.min
    }

    /// What it takes off each unit.
    fn off(&self, units: &[Unit]) -> Vec<i64> {
        let meant: Vec<usize> = (0..units.len())
            .filter(|at| {
                let unit = &units[*at];
                unit.price > 0 && self.means(unit)
            })
            .collect();
        let prices: Vec<i64> = meant.iter().map(|at| units[*at].price).collect();
        let mut off = vec![0; units.len()];
        match self.kind {
            "percent" => meant
                .iter()
                .for_each(|at| off[*at] = share(units[*at].price, self.rate)),
            "amount_per_ticket" => {
                meant
                    .iter()
                    .for_each(|at| off[*at] = units[*at].price.min(self.amount));
            }
            "amount_per_registration" if !meant.is_empty() => {
                let amount = self.amount.min(prices.iter().sum());
                for (at, minor) in meant.iter().zip(allot(amount, &prices)) {
                    off[*at] = minor;
                }
            }
            "buy_x_get_y" => {
                let set = self.buy + self.get;
                let got =
                    meant.len() / set * self.get + (meant.len() % set).saturating_sub(self.buy);
                let mut cheapest = meant;
                cheapest.sort_by_key(|at| (units[*at].price, usize::MAX - at));
                for at in cheapest.into_iter().take(got) {
                    off[at] = share(units[at].price, self.rate);
                }
            }
            _ => {}
        }
        off
    }
}

impl Case {
    /// Everything but the taxes.
    pub fn units(&self) -> Vec<Unit> {
        let mut left: Vec<Vec<i64>> = self
            .types
            .iter()
            .map(|kind| kind.tiers.iter().map(|(_, n)| n.unwrap_or(1000)).collect())
            .collect();
        let mut units = vec![];
        for (of, quantity, given) in &self.cart {
            let kind = &self.types[*of];
            for _ in 0..*quantity {
                let list = if kind.donation { *given } else { kind.price };
                let open = left[*of].iter().position(|n| *n > 0);
                let tier = match open {
                    Some(tier) => {
                        left[*of][tier] -= 1;
                        kind.tiers[tier].0
                    }
                    None => list,
                };
                units.push(Unit {
                    of: *of,
                    donated: kind.donation,
                    list,
                    tier,
                    tier_at: open,
                    discount: 0,
                    code: 0,
                    price: tier,
                    fees: vec![],
                });
            }
        }
        if let Some(automatic) = &self.automatic
            && automatic.enough(&units)
        {
            for (unit, off) in units
                .clone()
                .iter()
                .zip(automatic.off(&units))
                .map(|(_, off)| off)
                .enumerate()
            {
                units[unit].discount = off;
                units[unit].price -= off;
            }
        }
        if self.code_applies()
            && let Some(code) = &self.code
        {
            for (unit, off) in code.off(&units).into_iter().enumerate() {
                units[unit].code = off;
                units[unit].price -= off;
            }
        }
        self.add_fees(&mut units);
        units
    }

    /// A code that is for none of what is wanted is refused.
    pub fn code_applies(&self) -> bool {
        self.code.as_ref().is_some_and(|code| {
            self.cart.iter().any(|(of, ..)| {
                !self.types[*of].donation && code.only.is_none_or(|only| only == *of)
            })
        })
    }

    fn add_fees(&self, units: &mut [Unit]) {
        for fee in &self.fees {
            let prices: Vec<i64> = units.iter().map(|unit| unit.price).collect();
            let minors = match fee.basis {
                "ticket" => prices
                    .iter()
                    .map(|price| match price {
                        0 => 0,
                        price => fee.amount + share(*price, fee.rate),
                    })
                    .collect(),
                _ if prices.iter().all(|price| *price == 0) => vec![0; prices.len()],
                _ => allot(fee.amount + share(prices.iter().sum(), fee.rate), &prices),
            };
            for (unit, minor) in units.iter_mut().zip(minors) {
                unit.fees.push(minor);
            }
        }
    }
}
