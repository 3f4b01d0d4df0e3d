//! What is sold while others watch, and whether each of them was told.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{task::JoinSet, time::sleep_until};

use super::{TENANTS, client::Heard};
use crate::{
    Failure,
    http::Connection,
    sale::shop::{Placed, Shop, Sold},
};

/// Between one event and the next.
const EVERY: Duration = Duration::from_millis(50);
/// Buyers at once, of whom each has a connection.
const TILLS: usize = 8;
/// Places of each event.
const PLACES: i64 = 10_000_000;

/// Somebody who holds a place.
pub struct Guest {
    pub registration: String,
    pub secret: String,
}

/// A place that was sold while others watched.
struct Sale {
    tenant: usize,
    sent: Instant,
    registration: String,
}

/// The shop and what it sold.
pub struct Sales {
    shop: Rc<Shop>,
    selling: Vec<Sold>,
    quiet: Vec<Sold>,
    sold: Vec<Sale>,
}

impl Sales {
    pub async fn new(address: SocketAddr) -> Result<Self, Failure> {
        let shop = Rc::new(Shop::new(address)?);
        let (mut selling, mut quiet) = (vec![], vec![]);
        for n in 1..=u32::try_from(TENANTS)? {
            selling.push(shop.find(n, n).await?);
            quiet.push(shop.find(n, n + u32::try_from(TENANTS)?).await?);
        }
        Ok(Self {
            shop,
            selling,
            quiet,
            sold: vec![],
        })
    }

    pub fn selling(&self, tenant: usize) -> &str {
        self.selling[tenant].event()
    }

    pub fn quiet(&self, tenant: usize) -> &str {
        self.quiet[tenant].event()
    }

    /// So many people with a place each, at events that are watched by nobody else who is counted.
    pub async fn guests(&mut self, many: usize) -> Result<Vec<Guest>, Failure> {
        let mut tills = vec![];
        for till in 0..TILLS {
            let connection = Connection::open(self.shop.address()).await?;
            tills.push((till, connection));
        }
        let mut guests = vec![];
        for (till, connection) in &mut tills {
            for n in (*till..many).step_by(TILLS) {
                let request = self.shop.place(&self.quiet[n % TENANTS]);
                let answer = connection.ask(&request.bytes).await?;
                match Shop::placed(answer.status, answer.body)? {
                    Placed::Held {
                        registration,
                        secret,
                    } => guests.push(Guest {
                        registration,
                        secret,
                    }),
                    Placed::SoldOut => return Err("sold out".into()),
                }
            }
        }
        Ok(guests)
    }

    /// Sells to somebody new twenty times a second, at one organization after the other.
    pub async fn sell(&mut self, time: Duration) -> Result<(), Failure> {
        let began = tokio::time::Instant::now();
        let mut buying: JoinSet<Result<(Connection, Sale), Failure>> = JoinSet::new();
        let mut free = vec![];
        for _ in 0..TILLS {
            free.push(Connection::open(self.shop.address()).await?);
        }
        let many = u32::try_from(time.as_millis() / EVERY.as_millis())?;
        for n in 0..many {
            sleep_until(began + EVERY * n).await;
            while free.is_empty() {
                let (connection, sale) = buying.join_next().await.ok_or("no till")???;
                self.sold.push(sale);
                free.push(connection);
            }
            let mut connection = free.pop().ok_or("no till")?;
            let tenant = n as usize % TENANTS;
            let request = self.shop.place(&self.selling[tenant]);
            buying.spawn(async move {
                let sent = Instant::now();
                let answer = connection.ask(&request.bytes).await?;
                let registration = match Shop::placed(answer.status, answer.body)? {
                    Placed::Held { registration, .. } => registration,
                    Placed::SoldOut => return Err("sold out".into()),
                };
                Ok((
                    connection,
                    Sale {
                        tenant,
                        sent,
                        registration,
                    },
                ))
            });
        }
        while let Some(done) = buying.join_next().await {
            self.sold.push(done??.1);
        }
        Ok(())
    }

    /// How many messages there should be, and after how many microseconds each came that did.
    pub fn judge(&self, heard: &[Heard], (visitors, members): (usize, usize)) -> (usize, Vec<u32>) {
        let mut told = vec![];
        // What each visitor saw last to be left, by when: a message with less left tells of all sales up to it.
        let mut left: HashMap<usize, Vec<(Instant, i64)>> = HashMap::new();
        let mut named: HashMap<(usize, &str), Instant> = HashMap::new();
        for heard in heard {
            if let Some(id) = heard.said["registration"]["id"].as_str() {
                named.entry((heard.client, id)).or_insert(heard.at);
            } else if let Some(now) =
                heard.said["event"]["ticketTypes"]["nodes"][0]["available"].as_i64()
            {
                left.entry(heard.client).or_default().push((heard.at, now));
            }
        }
        let took = |at: Instant, sale: &Sale| {
            u32::try_from(at.saturating_duration_since(sale.sent).as_micros()).unwrap_or(u32::MAX)
        };
        let (mut expected, mut counted, mut known) = (0, vec![0; TENANTS], HashSet::new());
        let mut sold: Vec<&Sale> = self.sold.iter().collect();
        sold.sort_by_key(|sale| sale.sent);
        for sale in sold {
            assert!(known.insert(&sale.registration), "sold twice");
            counted[sale.tenant] += 1;
            let after = PLACES - counted[sale.tenant];
            for client in (sale.tenant..visitors).step_by(TENANTS) {
                expected += 1;
                let seen = left.get(&client).map_or(&[][..], Vec::as_slice);
                let seen = seen.iter().find(|(_, left)| *left <= after);
                told.extend(seen.map(|(at, _)| took(*at, sale)));
            }
            for client in (sale.tenant..members).step_by(TENANTS) {
                expected += 1;
                let seen = named.get(&(visitors + client, sale.registration.as_str()));
                told.extend(seen.map(|at| took(*at, sale)));
            }
        }
        (expected, told)
    }
}
