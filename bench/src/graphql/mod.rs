//! `bench graphql`: our server, PostGraphile and the bare statement over three shapes, in turns, on one PostgreSQL.

mod contestants;
mod equal;
mod flights;
mod growth;
pub mod member;
mod peer;
pub mod pgbench;
mod report;
pub mod shapes;

use std::{rc::Rc, time::Duration};

use self::{
    contestants::{Measured, Owner, ask},
    member::Member,
    peer::Peer,
    shapes::{SHAPES, Shape},
};
use crate::{Failure, cpu, ground::Ground};

pub use report::say_ground;
pub use shapes::key_in;

/// Connections of the busy turns.
const BUSY: usize = 32;

/// How long everything takes.
#[derive(Clone, Copy)]
struct Pace {
    rotations: usize,
    warm_up: Duration,
    busy: Duration,
    alone: Duration,
}

impl Pace {
    fn new(quick: bool) -> Self {
        let millis = Duration::from_millis;
        match quick {
            true => Self {
                rotations: 2,
                warm_up: millis(500),
                busy: millis(2000),
                alone: millis(1000),
            },
            false => Self {
                rotations: 5,
                warm_up: millis(1500),
                busy: millis(6000),
                alone: millis(3000),
            },
        }
    }
}

/// The three contestants' figures in one turn of a shape.
#[derive(Clone, Default)]
pub struct Turn {
    pub ours: Measured,
    pub peer: Measured,
    pub bare: Measured,
}

/// All turns of a shape.
pub struct Turns {
    pub shape: Shape,
    /// With [`BUSY`] connections.
    pub busy: Vec<Turn>,
    /// With one.
    pub alone: Vec<Turn>,
}

/// Everything that a run found out.
pub struct Found {
    pub quick: bool,
    pub equal: bool,
    pub processes: u32,
    pub turns: Vec<Turns>,
    /// Peak memory of our server in megabytes.
    pub rss: f64,
    /// Round trips a request, ours and the peer's, by shape.
    pub trips: Vec<(usize, usize)>,
    pub growth: growth::Growth,
}

/// Runs the bench.
pub async fn run(quick: bool) -> Result<(), Failure> {
    let pace = Pace::new(quick);
    let ground = Ground::stand("graphql", "sql/dataset.sql").await?;
    report::say_ground(&ground).await?;
    let members = member::sign_in(&ground).await?;
    let mut peer = Peer::start(1, &ground.socket, ground.port).await?;
    let equal = equal::check(&ground, &peer, &members).await?;
    let trips = flights::count(&ground, &members).await?;
    peer = choose(&ground, peer, &members, pace).await?;
    let mut turns: Vec<Turns> = SHAPES
        .into_iter()
        .map(|shape| Turns {
            shape,
            busy: vec![],
            alone: vec![],
        })
        .collect();
    for rotation in 0..pace.rotations {
        // Access tokens are good for a quarter of an hour.
        let members = member::sign_in(&ground).await?;
        for of_shape in &mut turns {
            let stage = Stage {
                ground: &ground,
                peer: &peer,
                members: &members,
                shape: of_shape.shape,
            };
            of_shape
                .busy
                .push(stage.turn(rotation, BUSY, pace.warm_up, pace.busy).await?);
            of_shape.alone.push(
                stage
                    .turn(rotation, 1, pace.warm_up / 2, pace.alone)
                    .await?,
            );
        }
        eprintln!(
            "rotation {} of {} done, load average {}",
            rotation + 1,
            pace.rotations,
            cpu::load_average()
        );
    }
    let processes = peer.processes;
    let rss = cpu::peak_memory(ground.server.pid);
    peer.stop().await?;
    ground.server.stop().await?;
    let growth = growth::measure(pace.rotations).await?;
    report::tell(&Found {
        quick,
        equal,
        processes,
        turns,
        rss,
        trips,
        growth,
    });
    Ok(())
}

/// One shape with everybody who answers it.
struct Stage<'a> {
    ground: &'a Ground,
    peer: &'a Peer,
    members: &'a [Member],
    shape: Shape,
}

impl Stage<'_> {
    /// Each contestant once; whoever comes first changes from rotation to rotation.
    async fn turn(
        &self,
        rotation: usize,
        clients: usize,
        warm_up: Duration,
        time: Duration,
    ) -> Result<Turn, Failure> {
        let mut turn = Turn::default();
        for place in 0..3 {
            match (rotation + place) % 3 {
                0 => turn.ours = self.ours(clients, warm_up, time).await?,
                1 => turn.peer = self.peer(clients, warm_up, time).await?,
                _ => {
                    self.ground.make_room().await?;
                    turn.bare = pgbench::run(
                        self.ground,
                        self.shape,
                        self.members,
                        clients,
                        warm_up,
                        time,
                    )
                    .await?;
                }
            }
        }
        Ok(turn)
    }

    async fn ours(
        &self,
        clients: usize,
        warm_up: Duration,
        time: Duration,
    ) -> Result<Measured, Failure> {
        let server = &self.ground.server;
        let requests = Rc::new(self.shape.ours(self.members)?);
        let owner = Owner::Process(server.pid);
        ask(
            self.ground,
            owner,
            server.address,
            &requests,
            clients,
            warm_up,
            time,
        )
        .await
    }

    async fn peer(
        &self,
        clients: usize,
        warm_up: Duration,
        time: Duration,
    ) -> Result<Measured, Failure> {
        let requests = Rc::new(self.shape.theirs(self.members)?);
        let owner = Owner::Tree(self.peer.pid);
        ask(
            self.ground,
            owner,
            self.peer.address,
            &requests,
            clients,
            warm_up,
            time,
        )
        .await
    }
}

/// The peer with one process or with two, whichever answers more: summed over the shapes, each by its share of the
/// faster one.
async fn choose(
    ground: &Ground,
    one: Peer,
    members: &[Member],
    pace: Pace,
) -> Result<Peer, Failure> {
    let with_one = rates(ground, &one, members, pace).await?;
    one.stop().await?;
    let two = Peer::start(2, &ground.socket, ground.port).await?;
    let with_two = rates(ground, &two, members, pace).await?;
    let gain: f64 = with_two
        .iter()
        .zip(&with_one)
        .map(|(two, one)| (two / one).ln())
        .sum();
    eprintln!(
        "PostGraphile, requests/s by shape: {with_one:.0?} with one process, {with_two:.0?} with two"
    );
    if gain > 0.0 {
        return Ok(two);
    }
    two.stop().await?;
    Peer::start(1, &ground.socket, ground.port).await
}

async fn rates(
    ground: &Ground,
    peer: &Peer,
    members: &[Member],
    pace: Pace,
) -> Result<Vec<f64>, Failure> {
    let mut rates = vec![];
    for shape in SHAPES {
        let stage = Stage {
            ground,
            peer,
            members,
            shape,
        };
        let measured = stage.peer(BUSY, pace.warm_up, pace.busy / 2).await?;
        rates.push(measured.stretch.per_second);
    }
    Ok(rates)
}
