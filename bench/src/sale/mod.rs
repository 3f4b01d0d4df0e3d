//! `bench sale`: buyers at one event, buyers at a hundred, visitors of somebody else's event beside them, and pgbench
//! with the functions that serve one buyer, in turns, on one PostgreSQL; once more with a log whose flush takes 1 ms.
//! Then buyers who pay, by the sandbox (`paid`).

mod beside;
mod check;
mod one_by_one;
mod paid;
mod report;
pub mod shop;
mod storm;

use std::{rc::Rc, time::Duration};

use self::{
    beside::Visitors,
    one_by_one::Best,
    shop::{Shop, Sold},
    storm::Storm,
};
use crate::{Failure, cpu, ground::Ground, load::Stretch};

/// Places of each scarce event, as `sql/sale.sql` makes them.
const SCARCE: usize = 2_000;

/// How long everything takes.
#[derive(Clone, Copy)]
struct Pace {
    rotations: u32,
    warm_up: Duration,
    storm: Duration,
    /// For each number of pgbench's clients.
    bare: Duration,
}

impl Pace {
    fn new(quick: bool) -> Self {
        let millis = Duration::from_millis;
        match quick {
            true => Self {
                rotations: 2,
                warm_up: millis(500),
                storm: millis(3000),
                bare: millis(1000),
            },
            false => Self {
                rotations: 5,
                warm_up: millis(1500),
                storm: millis(8000),
                bare: millis(3000),
            },
        }
    }
}

/// The figures of one rotation.
pub struct Turn {
    pub hot: Storm,
    pub bare: Best,
    pub slow_hot: Storm,
    pub slow_bare: Best,
    pub spread: Storm,
    pub quiet: Stretch,
    pub beside: Stretch,
    /// Sold of [`SCARCE`] places.
    pub scarce: usize,
}

/// Runs the bench.
pub async fn run(quick: bool) -> Result<(), Failure> {
    let pace = Pace::new(quick);
    let ground = Ground::fresh("sale", "sql/sale.sql").await?;
    report::say_ground(&ground).await?;
    let mut stage = Stage::set(&ground, pace).await?;
    let mut turns = vec![];
    for rotation in 0..pace.rotations {
        turns.push(stage.turn(rotation).await?);
        eprintln!(
            "rotation {} of {} done, load average {}",
            rotation + 1,
            pace.rotations,
            cpu::load_average()
        );
    }
    check::all_that_was_sold_is_there(&ground, stage.sold_in_all).await?;
    drop(stage);
    ground.server.stop().await?;
    report::tell(quick, &turns, &paid::run(pace).await?);
    Ok(())
}

/// Runs the part with buyers who pay alone.
pub async fn run_paid(quick: bool) -> Result<(), Failure> {
    let told = paid::run(Pace::new(quick)).await?;
    println!();
    told.print();
    let line = serde_json::json!({ "bench": "sale", "quick": quick, "paid": told.json() });
    println!("{line}");
    Ok(())
}

/// One PostgreSQL with everything that sells on it.
struct Stage<'a> {
    ground: &'a Ground,
    pace: Pace,
    shop: Rc<Shop>,
    hot: Rc<Vec<Sold>>,
    spread: Rc<Vec<Sold>>,
    page: Vec<u8>,
    sold_in_all: usize,
}

impl<'a> Stage<'a> {
    async fn set(ground: &'a Ground, pace: Pace) -> Result<Self, Failure> {
        let shop = Rc::new(Shop::new(ground.server.address)?);
        let hot = Rc::new(vec![shop.find(1, 1).await?]);
        let mut spread = vec![];
        // Neighbours in the list are of different organizations.
        for event in 0..10 {
            for organization in 2..=11 {
                let number = 2 + (organization - 2) * 10 + event;
                spread.push(shop.find(organization, number).await?);
            }
        }
        let page = Shop::page(&shop.find(12, 102).await?)?;
        Ok(Self {
            ground,
            pace,
            shop,
            hot,
            spread: Rc::new(spread),
            page,
            sold_in_all: 0,
        })
    }

    async fn turn(&mut self, rotation: u32) -> Result<Turn, Failure> {
        self.ground.quiet_down().await?;
        // Another one first each time.
        let (hot, bare) = self.against_pgbench(rotation).await?;
        check::slow_flushes(self.ground, true).await?;
        let slow = self.against_pgbench(rotation + 1).await;
        check::slow_flushes(self.ground, false).await?;
        let (slow_hot, slow_bare) = slow?;
        let spread = self.storm(&Rc::clone(&self.spread)).await?;
        let quiet = self.visitors().back()?;
        let visitors = self.visitors();
        let busy = storm::rage(&self.shop, &self.hot, self.pace.storm).await?;
        self.sold_in_all += busy.answers;
        let beside = visitors.back()?;
        let scarce = self.scarce(rotation).await?;
        Ok(Turn {
            hot,
            bare,
            slow_hot,
            slow_bare,
            spread,
            quiet,
            beside,
            scarce,
        })
    }

    async fn against_pgbench(&mut self, rotation: u32) -> Result<(Storm, Best), Failure> {
        let hot = Rc::clone(&self.hot);
        Ok(if rotation.is_multiple_of(2) {
            let ours = self.storm(&hot).await?;
            (ours, self.bare().await?)
        } else {
            let bare = self.bare().await?;
            (self.storm(&hot).await?, bare)
        })
    }

    async fn storm(&mut self, sold: &Rc<Vec<Sold>>) -> Result<Storm, Failure> {
        let (warm_up, time) = (self.pace.warm_up, self.pace.storm);
        let measured = storm::measure(self.ground, &self.shop, sold, warm_up, time);
        let (storm, all) = measured.await?;
        self.sold_in_all += all;
        Ok(storm)
    }

    async fn bare(&mut self) -> Result<Best, Failure> {
        self.ground.make_room().await?;
        let best = one_by_one::best(self.ground, self.pace.bare).await?;
        self.sold_in_all += best.sales;
        Ok(best)
    }

    fn visitors(&self) -> Visitors {
        Visitors::send(self.shop.address(), self.page.clone(), self.pace.storm)
    }

    /// Buyers until nothing is left.
    async fn scarce(&mut self, rotation: u32) -> Result<usize, Failure> {
        let sold = Rc::new(vec![self.shop.find(13, 103 + rotation).await?]);
        let bought = storm::rage(&self.shop, &sold, Duration::from_secs(60)).await?;
        self.sold_in_all += bought.answers;
        Ok(bought.answers)
    }
}
