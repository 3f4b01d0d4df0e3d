//! `serve`, from the first port to the last connection: listen, open the database, hand requests to the router, stop
//! in order.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::config::{Config, DatabaseConfig, SecretKey};
use crate::database::{self, DatabaseAddress, MigrationFailure, OpenDatabase};
use crate::error::StartError;
use crate::health;
use crate::shutdown::Shutdown;

/// How long requests under way may take once we were asked to stop.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);
/// How long what is written after the last request may take.
const LAST_PATIENCE: Duration = Duration::from_secs(3);

/// What a router is built from.
#[derive(Clone, Debug)]
pub struct Context {
    pub config: Config,
    /// How people reach us, without a slash at the end.
    pub public_url: String,
    /// What requests are served with.
    pub app: DatabaseAddress,
    /// May become es_owner; absent when only DATABASE_URL is given.
    pub admin: Option<DatabaseAddress>,
    pub secret: SecretKey,
    /// Cancelled when requests are answered.
    pub ready: CancellationToken,
    /// Cancelled when the program is asked to stop.
    pub stopping: CancellationToken,
    /// Cancelled when no request is under way any more.
    pub drained: CancellationToken,
    /// What still needs the database then.
    pub last_tasks: TaskTracker,
    /// Those who run jobs; they end by themselves once the program is asked to stop.
    pub workers: TaskTracker,
}

/// Brings the tables up to date, given the administrator's connection.
pub async fn migrate(admin: PgConnectOptions) -> Result<(), MigrationFailure> {
    let report = eventsphere_migration::up(&admin).await?;
    for name in &report.migrations {
        tracing::info!(migration = %name, "applied migration {name}");
    }
    Ok(())
}

/// Serves what `build` makes, beside the health routes, until asked to stop.
pub async fn run<B>(config: Config, build: B) -> Result<(), StartError>
where
    B: AsyncFnOnce(Context) -> Result<Router, StartError>,
{
    let shutdown = listen_for_signals()?;
    // First: a taken port is told before anything is started that would have to be stopped again.
    let listener = bind("--bind HOST:PORT or BIND", &config.http.bind).await?;
    let opened = tokio::select! {
        opened = database::open(&config.database, migrate) => opened?,
        () = shutdown.wished() => return Ok(()),
    };
    serve(config, opened, listener, shutdown, build).await
}

/// Opens the database for something that serves no requests, and closes it when that is done.
pub async fn run_alone<B>(config: Config, build: B) -> Result<(), StartError>
where
    B: AsyncFnOnce(Context) -> Result<(), StartError>,
{
    let shutdown = listen_for_signals()?;
    let mut opened = tokio::select! {
        opened = database::open(&config.database, migrate) => opened?,
        () = shutdown.wished() => return Ok(()),
    };
    let public_url = config.http.public_url.clone();
    let context = Context {
        secret: config.secret.load()?,
        public_url: public_url.unwrap_or_else(|| format!("http://{}", config.http.bind)),
        config,
        app: opened.app.clone(),
        admin: opened.admin.clone(),
        ready: CancellationToken::new(),
        stopping: shutdown.token(),
        drained: CancellationToken::new(),
        last_tasks: TaskTracker::new(),
        workers: TaskTracker::new(),
    };
    let outcome = tokio::select! {
        done = build(context) => done,
        lost = opened.supervise() => Err(StartError::DatabaseLost(lost)),
        () = shutdown.haste() => Ok(()),
    };
    opened.close().await;
    outcome
}

/// What `migrate` is asked to do.
#[derive(Clone, Copy, Debug)]
pub enum Migration {
    /// Apply what is missing.
    Up,
    /// Take back so many migrations.
    Down(u32),
    /// Tell what is applied.
    Status,
}

/// `migrate up | down | status`; what was done or found is printed.
pub async fn migrate_only(config: &DatabaseConfig, wanted: Migration) -> Result<(), StartError> {
    let shutdown = listen_for_signals()?;
    let opened = tokio::select! {
        opened = database::open(config, |admin| perform(admin, wanted)) => opened?,
        () = shutdown.wished() => return Ok(()),
    };
    let done = opened.admin.is_some();
    opened.close().await;
    match done {
        true => Ok(()),
        false => Err(StartError::Part(
            "DATABASE_ADMIN_URL is not set, and DATABASE_URL may not migrate; set both".into(),
        )),
    }
}

async fn perform(admin: PgConnectOptions, wanted: Migration) -> Result<(), MigrationFailure> {
    match wanted {
        Migration::Up => {
            let report = eventsphere_migration::up(&admin).await?;
            for name in &report.migrations {
                println!("applied {name}");
            }
            println!("the database is up to date");
        }
        Migration::Down(steps) => {
            for name in eventsphere_migration::down(&admin, steps).await? {
                println!("took back {name}");
            }
        }
        Migration::Status => {
            let status = eventsphere_migration::status(&admin).await?;
            for (name, applied) in &status.migrations {
                println!("{} {name}", if *applied { "applied" } else { "missing" });
            }
            for name in &status.pending_functions {
                println!("missing function file {name}");
            }
        }
    }
    Ok(())
}

fn listen_for_signals() -> Result<Shutdown, StartError> {
    Shutdown::listen().map_err(|source| StartError::System {
        what: "signals cannot be handled",
        source,
    })
}

/// The database is closed whichever way this ends.
async fn serve<B>(
    config: Config,
    mut opened: OpenDatabase,
    listener: TcpListener,
    shutdown: Shutdown,
    build: B,
) -> Result<(), StartError>
where
    B: AsyncFnOnce(Context) -> Result<Router, StartError>,
{
    let (app, admin) = (opened.app.clone(), opened.admin.clone());
    let outcome = tokio::select! {
        served = listen(config, app, admin, listener, &shutdown, build) => served,
        lost = opened.supervise() => Err(StartError::DatabaseLost(lost)),
    };
    opened.close().await;
    outcome
}

async fn listen<B>(
    config: Config,
    app: DatabaseAddress,
    admin: Option<DatabaseAddress>,
    listener: TcpListener,
    shutdown: &Shutdown,
    build: B,
) -> Result<(), StartError>
where
    B: AsyncFnOnce(Context) -> Result<Router, StartError>,
{
    let address = listener.local_addr().map_err(|source| StartError::System {
        what: "the port listened on cannot be told",
        source,
    })?;
    let here = reachable(address);
    let (ready, drained) = (CancellationToken::new(), CancellationToken::new());
    let (last_tasks, workers) = (TaskTracker::new(), TaskTracker::new());
    let context = Context {
        secret: config.secret.load()?,
        public_url: config
            .http
            .public_url
            .clone()
            .unwrap_or_else(|| here.clone()),
        config,
        app: app.clone(),
        admin,
        ready: ready.clone(),
        stopping: shutdown.token(),
        drained: drained.clone(),
        last_tasks: last_tasks.clone(),
        workers: workers.clone(),
    };
    let router = build(context).await?.merge(health::routes(app.clone()));
    tracing::info!("ready at {here}");
    ready.cancel();
    // With the client's address: tries to sign in are counted by it.
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service)
        .with_graceful_shutdown(shutdown.token().cancelled_owned())
        .into_future();
    let working = async {
        shutdown.wished().await;
        workers.close();
        workers.wait().await;
    };
    let served = tokio::select! {
        (served, ()) = async { tokio::join!(serving, working) } => served.map_err(|source| StartError::System { what: "serving failed", source }),
        () = patience(shutdown) => Ok(()),
    };
    drained.cancel();
    last_tasks.close();
    if tokio::time::timeout(LAST_PATIENCE, last_tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!("stopping although not everything that was counted could be written");
    }
    served
}

/// An address to open in a browser: "all of this machine" is none.
fn reachable(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

/// Returns when requests under way have had their time.
async fn patience(shutdown: &Shutdown) {
    shutdown.wished().await;
    tracing::info!("stopping");
    tokio::select! {
        () = tokio::time::sleep(DRAIN_PATIENCE) => {}
        () = shutdown.haste() => {}
    }
}

/// Listens; `setting` is what an operator would change when that fails.
pub async fn bind(setting: &'static str, address: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Bind {
            setting,
            address: address.to_owned(),
            source,
        })
}
