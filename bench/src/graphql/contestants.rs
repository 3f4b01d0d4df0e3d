//! What is measured of each contestant, and how.

use std::{net::SocketAddr, rc::Rc, time::Duration};

use crate::{
    Failure, cpu,
    ground::Ground,
    load::{self, Stretch},
};

/// Figures of one stretch of load.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    pub stretch: Stretch,
    /// CPU milliseconds an answer of the server's processes.
    pub server: f64,
    /// CPU milliseconds an answer of PostgreSQL's processes.
    pub postgres: f64,
    /// CPU milliseconds an answer of whoever asked; part of no comparison.
    pub generator: f64,
}

impl Measured {
    /// From milliseconds of the whole stretch.
    pub fn new(stretch: Stretch, server: f64, postgres: f64, generator: f64) -> Self {
        let answers = stretch.answers.max(1) as f64;
        Self {
            server: server / answers,
            postgres: postgres / answers,
            generator: generator / answers,
            stretch,
        }
    }

    /// CPU milliseconds an answer, server and PostgreSQL.
    pub fn cpu(&self) -> f64 {
        self.server + self.postgres
    }
}

/// Whose processor time counts as the server's.
#[derive(Clone, Copy)]
pub enum Owner {
    /// That process alone: its children are PostgreSQL.
    Process(u32),
    /// That process and its children: a cluster of Node's.
    Tree(u32),
}

impl Owner {
    fn cpu(self) -> f64 {
        match self {
            Self::Process(pid) => cpu::of_process(pid),
            Self::Tree(pid) => cpu::of_tree(pid),
        }
    }
}

/// Asks a server over HTTP, first to warm up, then to be measured.
pub async fn ask(
    ground: &Ground,
    owner: Owner,
    address: SocketAddr,
    requests: &Rc<Vec<Vec<u8>>>,
    clients: usize,
    warm_up: Duration,
    time: Duration,
) -> Result<Measured, Failure> {
    load::run(address, requests, clients, warm_up).await?;
    let me = std::process::id();
    let (server, postgres, generator) = (
        owner.cpu(),
        cpu::of_tree(ground.postgres),
        cpu::of_process(me),
    );
    let stretch = load::run(address, requests, clients, time).await?;
    Ok(Measured::new(
        stretch,
        owner.cpu() - server,
        cpu::of_tree(ground.postgres) - postgres,
        cpu::of_process(me) - generator,
    ))
}
