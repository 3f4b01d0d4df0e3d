//! The second opinion on changes: what places that stay keep, and what those that come cost in their company.

use super::model::{Case, Discount, Unit, allot, share};

/// A place of a registration.
#[derive(Clone, Debug)]
pub struct Place {
    pub unit: Unit,
    /// Where it stands among all.
    pub position: usize,
    /// Whether it uses the code.
    pub coded: bool,
    fresh: bool,
}

/// What comes: its type, what is given for a donation, and whose place it takes in the order.
#[derive(Clone, Copy, Debug)]
pub struct Coming {
    pub of: usize,
    pub given: Option<i64>,
    pub position: Option<usize>,
}

/// A discount of either sort, as changes look at it.
struct Sort<'a> {
    rule: &'a Discount,
    by_code: bool,
}

impl Sort<'_> {
    fn given(&self, unit: &Unit) -> i64 {
        match self.by_code {
            true => unit.code,
            false => unit.discount,
        }
    }

    fn from(&self, unit: &Unit) -> i64 {
        match self.by_code {
            true => unit.price + unit.code,
            false => unit.tier,
        }
    }

    fn enough(&self, places: &[Place]) -> bool {
        let units: Vec<Unit> = places.iter().map(|place| place.unit.clone()).collect();
        self.by_code || self.rule.enough(&units)
    }

    /// Places that have it and have not earned it.
    fn not_earned(&self, places: &[Place]) -> Vec<usize> {
        let have = |at: &usize| self.given(&places[*at].unit) > 0;
        let all = || 0..places.len();
        if !self.enough(places) {
            return all().filter(have).collect();
        }
        if self.rule.kind != "buy_x_get_y" {
            return vec![];
        }
        let mut got: Vec<usize> = all().filter(have).collect();
        got.sort_by_key(|at| (-self.from(&places[*at].unit), *at));
        let mut bought: Vec<i64> = all()
            .filter(|at| !have(at) && self.rule.means(&places[*at].unit))
            .map(|at| self.from(&places[at].unit))
            .collect();
        let (mut kept, mut lost) = (0_usize, vec![]);
        for at in got {
            let price = self.from(&places[at].unit);
            let beside = bought.iter().filter(|other| **other >= price).count();
            if beside >= self.rule.buy * (kept + 1).div_ceil(self.rule.get) {
                kept += 1;
            } else {
                lost.push(at);
                bought.push(price);
            }
        }
        lost
    }

    /// What it takes off those that come.
    fn off(&self, places: &[Place]) -> Vec<i64> {
        let mut off = vec![0; places.len()];
        let meant: Vec<usize> = (0..places.len())
            .filter(|at| self.rule.means(&places[*at].unit) && self.from(&places[*at].unit) > 0)
            .collect();
        let fresh: Vec<usize> = meant
            .iter()
            .copied()
            .filter(|at| places[*at].fresh)
            .collect();
        let from = |at: usize| self.from(&places[at].unit);
        match self.rule.kind {
            "percent" => fresh
                .iter()
                .for_each(|at| off[*at] = share(from(*at), self.rule.rate)),
            "amount_per_ticket" => fresh
                .iter()
                .for_each(|at| off[*at] = from(*at).min(self.rule.amount)),
            "amount_per_registration" if !fresh.is_empty() => {
                let given: i64 = meant.iter().map(|at| self.given(&places[*at].unit)).sum();
                let prices: Vec<i64> = fresh.iter().map(|at| from(*at)).collect();
                let left = (self.rule.amount - given).max(0).min(prices.iter().sum());
                for (at, minor) in fresh.iter().zip(allot(left, &prices)) {
                    off[*at] = minor;
                }
            }
            "buy_x_get_y" => {
                let set = self.rule.buy + self.rule.get;
                let all = meant.len() / set * self.rule.get
                    + (meant.len() % set).saturating_sub(self.rule.buy);
                let has = |at: usize| self.given(&places[at].unit) > 0;
                let given = meant.iter().filter(|at| has(**at)).count();
                let mut cheapest = meant;
                cheapest.sort_by_key(|at| (from(*at), !has(*at), usize::MAX - at));
                cheapest
                    .into_iter()
                    .take(all)
                    .filter(|at| places[*at].fresh)
                    .take(all.saturating_sub(given))
                    .for_each(|at| off[at] = share(from(at), self.rule.rate));
            }
            _ => {}
        }
        off
    }
}

impl Case {
    /// The places of what was placed, in their order.
    pub fn places(&self) -> Vec<Place> {
        let units = self.units().into_iter().enumerate();
        units
            .map(|(at, unit)| Place {
                coded: self.codes(&unit),
                position: at + 1,
                fresh: false,
                unit,
            })
            .collect()
    }

    fn codes(&self, unit: &Unit) -> bool {
        self.code.as_ref().is_some_and(|code| code.means(unit))
    }

    fn sorts(&self) -> Vec<Sort<'_>> {
        let automatic = self.automatic.iter().map(|rule| Sort {
            rule,
            by_code: false,
        });
        let code = self.code.iter().map(|rule| Sort {
            rule,
            by_code: true,
        });
        automatic.chain(code).collect()
    }

    /// The places when those at these indices have left and others have come, in the order of positions.
    pub fn changed(&self, before: &[Place], leaving: &[usize], coming: &[Coming]) -> Vec<Place> {
        let stays = |at: &usize| !leaving.contains(at);
        let mut places: Vec<Place> = (0..before.len())
            .filter(stays)
            .map(|at| before[at].clone())
            .collect();
        places.iter_mut().for_each(|place| place.fresh = false);
        let staying = places.len();
        let last = before.iter().map(|place| place.position).max().unwrap_or(0);
        let mut added = 0;
        for come in coming {
            let position = come.position.unwrap_or_else(|| {
                added += 1;
                last + added
            });
            let unit = self.arriving(&places, come);
            places.push(Place {
                coded: false,
                fresh: true,
                position,
                unit,
            });
        }
        if !leaving.is_empty() {
            let lost: Vec<usize> = self
                .sorts()
                .iter()
                .flat_map(|sort| sort.not_earned(&places))
                .filter(|at| *at < staying)
                .collect();
            for at in lost {
                let place = &mut places[at];
                (place.fresh, place.coded) = (true, false);
                place.unit.discount = 0;
                place.unit.code = 0;
                place.unit.price = place.unit.tier;
            }
        }
        for sort in self.sorts() {
            if !sort.enough(&places) {
                continue;
            }
            for (place, off) in places
                .clone()
                .iter()
                .zip(sort.off(&places))
                .enumerate()
                .map(|(at, (_, off))| (at, off))
            {
                let unit = &mut places[place].unit;
                match sort.by_code {
                    true => unit.code += off,
                    false => unit.discount += off,
                }
                unit.price -= off;
            }
        }
        for place in places.iter_mut().filter(|place| place.fresh) {
            place.coded = self.codes(&place.unit);
        }
        self.charge(&mut places);
        places.sort_by_key(|place| place.position);
        places
    }

    /// A place of that type, in the first tier that the others leave room in.
    fn arriving(&self, others: &[Place], come: &Coming) -> Unit {
        let kind = &self.types[come.of];
        let list = match kind.donation {
            true => come.given.unwrap_or(kind.price),
            false => kind.price,
        };
        let taken = |tier: usize| {
            let same =
                |place: &&Place| place.unit.of == come.of && place.unit.tier_at == Some(tier);
            others.iter().filter(same).count() as i64
        };
        let tier_at = (0..kind.tiers.len()).find(|tier| {
            kind.tiers[*tier]
                .1
                .is_none_or(|quantity| taken(*tier) < quantity)
        });
        let tier = tier_at.map_or(list, |tier| kind.tiers[tier].0);
        Unit {
            of: come.of,
            donated: kind.donation,
            list,
            tier,
            tier_at,
            discount: 0,
            code: 0,
            price: tier,
            fees: vec![],
        }
    }

    /// Fees of those that come; of a fixed amount of the registration, what the others do not bear.
    fn charge(&self, places: &mut [Place]) {
        for (number, fee) in self.fees.iter().enumerate() {
            let paid: Vec<usize> = (0..places.len())
                .filter(|at| places[*at].fresh && places[*at].unit.price > 0)
                .collect();
            let prices: Vec<i64> = paid.iter().map(|at| places[*at].unit.price).collect();
            let minors: Vec<i64> = match fee.basis {
                "ticket" => prices
                    .iter()
                    .map(|price| fee.amount + share(*price, fee.rate))
                    .collect(),
                _ if paid.is_empty() => vec![],
                _ => {
                    let bearing = places
                        .iter()
                        .filter(|place| !place.fresh && place.unit.fees[number] > 0);
                    let (borne, of) = bearing.fold((0, 0), |(borne, of), place| {
                        (borne + place.unit.fees[number], of + place.unit.price)
                    });
                    let fixed = (fee.amount - (borne - share(of, fee.rate)).max(0)).max(0);
                    allot(fixed + share(prices.iter().sum(), fee.rate), &prices)
                }
            };
            for place in places.iter_mut().filter(|place| place.fresh) {
                if number == 0 {
                    place.unit.fees.clear();
                }
                place.unit.fees.push(0);
            }
            for (at, minor) in paid.into_iter().zip(minors) {
                places[at].unit.fees[number] = minor;
            }
        }
    }
}
