//! Two server processes on one database, and somebody who kills them.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use eventsphere::database::DatabaseAddress;
use tokio_postgres::Client;

use crate::{
    dice::Dice,
    dropped::Dropped,
    harness::{KEY, Server, program, signal},
};

/// The ports at which the two listen now; zero while one is down.
pub type Ports = Arc<[AtomicU16; 2]>;

/// `es.clock()` of this database can be moved; that of the program cannot.
const TEST_CLOCK: &str = "
create schema es_test;
grant usage on schema es_test to public;
create table es_test.clock (ahead interval not null);
insert into es_test.clock values (interval '0');
grant select on es_test.clock to public;
create or replace function es.clock()
returns timestamptz
volatile
parallel safe
return clock_timestamp() + (select ahead from es_test.clock);
";

fn address(variable: &'static str) -> DatabaseAddress {
    let url = std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run `make test`, or `eventsphere admin with-postgres -- cargo test`")
    });
    DatabaseAddress::parse(variable, &url).expect("a database URL")
}

/// A database of its own, and how servers over it are started.
pub struct Farm {
    app: DatabaseAddress,
    admin: DatabaseAddress,
    _life: Dropped,
}

impl Farm {
    /// Made and migrated by the first server that is started over it.
    pub async fn new() -> (Self, Server) {
        let name = format!("es_storm_{}", uuid::Uuid::new_v4().simple());
        let farm = Self {
            app: address("TEST_DATABASE_URL").with_database(&name),
            admin: address("TEST_DATABASE_ADMIN_URL").with_database(&name),
            _life: Dropped::later(
                &name,
                address("TEST_DATABASE_ADMIN_URL").with_database("postgres"),
            ),
        };
        let mut command = farm.serve();
        command.env("DATABASE_ADMIN_URL", farm.admin.to_url());
        let first = Server::spawn(command);
        let admin = farm.admin().await;
        admin.batch_execute(TEST_CLOCK).await.expect("a clock");
        (farm, first)
    }

    /// A server that limits nobody, and believes what it is told of its clients' addresses.
    pub fn serve(&self) -> Command {
        let mut command = program();
        command.args(["serve", "--bind", "127.0.0.1:0"]);
        command
            .env("DATABASE_URL", self.app.to_url())
            .env("SECRET_KEY", KEY)
            .env("DATABASE_POOL_SIZE", "6")
            .env("PAYMENT_SANDBOX", "on")
            .env("TRUSTED_PROXIES", "127.0.0.1")
            .env("RUST_LOG", "warn,eventsphere=info");
        for name in ["VISITOR_POINTS", "TOKEN_POINTS", "TENANT_POINTS"] {
            command.env(name, "1000000000");
            command.env(format!("{name}_PER_SECOND"), "1000000000");
        }
        for name in ["VISITOR_CONCURRENCY", "TENANT_CONCURRENCY"] {
            command.env(name, "1000");
        }
        command
    }

    /// A superuser's connection.
    pub async fn admin(&self) -> Client {
        self.admin.connect().await.expect("a superuser")
    }
}

/// What the killer and everybody else tell each other.
#[derive(Default)]
pub struct Signs {
    /// Calls that were answered so far.
    pub answered: AtomicUsize,
    /// Processes that were killed, and asked to stop, so far.
    pub killed: AtomicUsize,
    pub stopped: AtomicUsize,
    /// Enough.
    pub enough: AtomicBool,
}

/// Ends servers at random points, counted in answers, until it is enough; both run again in the end. Blocks.
pub fn reap(
    farm: &Farm,
    mut servers: [Option<Server>; 2],
    ports: &Ports,
    signs: &Signs,
    mut dice: Dice,
) -> [Option<Server>; 2] {
    for round in 0.. {
        if signs.enough.load(Ordering::Relaxed) {
            break;
        }
        let goal = signs.answered.load(Ordering::Relaxed) + 5 + dice.below(120);
        let patience = Instant::now() + Duration::from_secs(4);
        while signs.answered.load(Ordering::Relaxed) < goal && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Now and then both at once, and now and then in order: what is under way is finished then.
        let both = dice.one_in(4);
        let gently = round == 2 || !both && dice.one_in(5);
        let first = dice.below(2);
        for number in [first, 1 - first].into_iter().take(1 + usize::from(both)) {
            end(&mut servers[number], gently, signs);
            ports[number].store(0, Ordering::Relaxed);
        }
        for number in 0..2 {
            if servers[number].is_none() {
                let server = Server::spawn(farm.serve());
                ports[number].store(server.port, Ordering::Relaxed);
                servers[number] = Some(server);
            }
        }
    }
    servers
}

fn end(server: &mut Option<Server>, gently: bool, signs: &Signs) {
    let Some(mut server) = server.take() else {
        return;
    };
    if gently {
        signal("TERM", server.pid());
        assert!(server.ended().success(), "{:#?}", server.all());
        signs.stopped.fetch_add(1, Ordering::Relaxed);
    } else {
        signal("KILL", server.pid());
        server.ended();
        signs.killed.fetch_add(1, Ordering::Relaxed);
    }
    // What it could not do it said to its clients, who fail at anything but "later".
    let bad = |line: &&String| line.contains("panicked");
    if let Some(line) = server.all().iter().find(bad) {
        panic!("a server said: {line}");
    }
}
