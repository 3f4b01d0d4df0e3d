//! Where the floor and the slices meet: the one file that names them all. A new slice is a line in each list.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, routing::get};
use eventsphere_graphql::{
    Catalog, Engine,
    drift::{self, Live, LiveFunction},
    execute::EngineError,
    guard::Limits,
};
use serde_json::Value;

use crate::{
    accounts,
    app::{self, Context},
    calendar, checkout,
    clock::Clock,
    config::DatabaseSource,
    demo,
    deprecated_uses::{self, DeprecatedUses},
    documents,
    error::StartError,
    events,
    fault::Fault,
    health,
    http::{self, Posture, Problem, Remembered},
    jobs::{self, Jobs, Registry},
    live::{Around, Live as Watching, Topics},
    messages::{self, Messages},
    metrics::{self, Metrics},
    organizations,
    payments::{self, Payments},
    state::{App, Parts},
    tenancy::{Door, DoorOptions, Grants},
    throttle::Throttle,
    tickets::{self, EventKeys},
    turns::Behind,
    vault::Vault,
    verbs::Verbs,
    webhooks::{self, Webhooks},
};

/// A job's transaction that takes longer waits for something else than a processor.
const PLACE_AT_MOST: Duration = Duration::from_millis(100);

/// Something that keeps the parts from being put together.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unfit(String);

fn unfit(error: impl std::fmt::Display) -> StartError {
    StartError::Part(Box::new(Unfit(error.to_string())))
}

/// For whoever starts the program: in full.
fn faulty(fault: Fault) -> StartError {
    unfit(fault.cause())
}

/// The mutations of all slices.
pub fn verbs() -> Verbs {
    let mut verbs = Verbs::default();
    accounts::verbs(&mut verbs);
    organizations::verbs(&mut verbs);
    events::verbs(&mut verbs);
    checkout::verbs(&mut verbs);
    payments::verbs(&mut verbs);
    documents::verbs(&mut verbs);
    messages::verbs(&mut verbs);
    jobs::verbs(&mut verbs);
    webhooks::verbs(&mut verbs);
    verbs
}

/// The kinds of jobs of all slices.
pub fn jobs() -> Registry {
    let mut registry = Registry::default();
    jobs::jobs(&mut registry);
    messages::jobs(&mut registry);
    events::jobs(&mut registry);
    checkout::jobs(&mut registry);
    payments::jobs(&mut registry);
    webhooks::jobs(&mut registry);
    registry
}

/// What can be watched, of all slices.
pub fn topics() -> Topics {
    let mut topics = Topics::default();
    events::topics(&mut topics);
    checkout::topics(&mut topics);
    tickets::topics(&mut topics);
    topics
}

/// Everything that entities and slices declare.
pub fn catalog(verbs: &Verbs) -> Result<Catalog, EngineError> {
    let mut catalog = Catalog::default();
    for declaration in eventsphere_entities::declarations() {
        catalog.declare(declaration)?;
    }
    for function in events::functions() {
        catalog.add_function(function)?;
    }
    for topic in topics().all() {
        catalog.add_subscription(topic.declared.clone())?;
    }
    for input in verbs.inputs() {
        catalog.add_input(input.clone());
    }
    for value in verbs.values() {
        catalog.add_value(value.clone());
    }
    for verb in verbs.descriptions() {
        catalog.add_verb(verb.clone())?;
    }
    Ok(catalog)
}

/// The engine over all of it.
pub fn engine(verbs: &Verbs) -> Result<Engine, EngineError> {
    Engine::new(catalog(verbs)?, Limits::default())
}

/// The program over an open database.
pub async fn app(context: &Context, clock: Clock) -> Result<App, StartError> {
    let verbs = verbs();
    let engine = engine(&verbs).map_err(unfit)?;
    let client = context.app.connect().await.map_err(unfit)?;
    let live = client.query(drift::LIVE_SQL, &[]).await.map_err(unfit)?;
    let live: Vec<Live> = live
        .iter()
        .map(|row| Live {
            object: row.get(0),
            column: row.get(1),
            pg_type: row.get(2),
            nullable: row.get(3),
        })
        .collect();
    let functions = client
        .query(drift::FUNCTIONS_SQL, &[])
        .await
        .map_err(unfit)?;
    let functions: Vec<LiveFunction> = functions
        .iter()
        .map(|row| LiveFunction {
            name: row.get(0),
            arguments: row.get(1),
            returns: row.get(2),
            set: row.get(3),
            volatility: row.get(4),
            columns: row.get(5),
        })
        .collect();
    let differences = drift::differences(&engine.catalog, &live, &functions);
    if !differences.is_empty() {
        return Err(unfit(another_database(&differences)));
    }
    let grants = client.query(Grants::SQL, &[]).await.map_err(unfit)?;
    let grants = Grants::new(grants.iter().map(|row| (row.get(0), row.get(1))));
    let door = door(context, context.config.database.pool_size)?;
    let mut registry = jobs();
    for (kind, schedule) in &context.config.jobs.schedules {
        let known = registry.reschedule(kind, schedule.clone());
        known.map_err(|error| unfit(format!("JOB_SCHEDULES: {error}")))?;
    }
    if let Some(fault) = registry.faults().first() {
        return Err(unfit(fault));
    }
    let sender =
        webhooks::Sender::of_the_web(context.config.webhooks.to_loopback).map_err(unfit)?;
    let metrics = Arc::new(Metrics::default());
    let limits = context.config.limits.clone();
    let redis = context.config.redis.as_ref();
    let throttle = Throttle::new(clock.clone(), limits, redis, metrics.clone())
        .await
        .map_err(unfit)?;
    let app = App::new(Parts {
        door,
        clock,
        vault: Vault::new(*context.secret.bytes()),
        accounts: accounts::Accounts::default(),
        event_keys: EventKeys::default(),
        counter: checkout::Counter::new(
            context.config.database.pool_size,
            context.config.database.processors,
            context.last_tasks.clone(),
        ),
        engine: Arc::new(engine),
        deprecated_uses: DeprecatedUses::default(),
        jobs: Jobs::new(registry),
        live: watching(context)?,
        payments: Payments::new(&context.config.payments).map_err(unfit)?,
        webhooks: Webhooks::new(sender),
        messages: Messages::new(&context.config.messages).map_err(faulty)?,
        verbs: Arc::new(verbs),
        grants: Arc::new(grants),
        identify: Arc::new(accounts::ByToken),
        throttle,
        metrics,
        remembered: Remembered::new(context.config.caching.remembered_bytes),
        trusted_documents: Arc::new(documents::Registered::default()),
        posture: Posture {
            development: matches!(
                context.config.database.source,
                DatabaseSource::Embedded { .. }
            ),
            cors_origins: context.config.http.cors_origins.clone(),
            public_url: context.public_url.clone(),
            trusted_proxies: context.config.http.trusted_proxies.clone(),
            request_timeout: context.config.http.request_timeout,
            public_max_age: context.config.caching.public_max_age,
            demo_sign_ins: match context.config.demo {
                true => demo::sign_ins(),
                false => vec![],
            },
        },
    });
    let started = async {
        accounts::start(&app).await?;
        jobs::register(&app).await
    };
    started.await.map_err(faulty)?;
    Ok(app)
}

fn watching(context: &Context) -> Result<Watching, StartError> {
    Watching::new(Around {
        topics: topics(),
        limits: context.config.live.clone(),
        pool_size: context.config.database.pool_size,
        redis: context.config.redis.as_ref(),
        stopping: context.stopping.clone(),
        sessions: context.last_tasks.clone(),
    })
    .map_err(unfit)
}

fn door(context: &Context, pool_size: usize) -> Result<Door, StartError> {
    let database = &context.config.database;
    Door::open(&DoorOptions {
        address: context.app.clone(),
        pool_size,
        processors: database.processors,
        wait: database.wait,
        statement_timeout: database.statement_timeout,
        visitor_statement_timeout: database.visitor_statement_timeout,
    })
    .map_err(unfit)
}

/// Starts to run jobs, with connections of their own: requests never wait for one that a job has.
fn work(context: &Context, app: &App) -> Result<(), StartError> {
    let mut door = door(context, context.config.jobs.pool_size)?;
    if let Some(processors) = context.config.database.processors {
        let people = app.door.turns().into_iter().chain([app.counter.turns()]);
        door = door.with_places(Behind::new(processors, PLACE_AT_MOST, people.collect()));
    }
    let app = app.with(|parts| parts.door = door);
    let stopping = context.stopping.clone();
    context.workers.spawn(jobs::work(app, stopping));
    Ok(())
}

/// Runs jobs and nothing else, until asked to stop.
pub async fn worker(context: Context) -> Result<(), StartError> {
    let app = self::app(&context, Clock::default()).await?;
    serve_figures(&context, &app).await?;
    work(&context, &app)?;
    tracing::info!("running jobs");
    context.workers.close();
    context.workers.wait().await;
    Ok(())
}

/// Figures and health on a port of their own, where one is configured.
async fn serve_figures(context: &Context, app: &App) -> Result<(), StartError> {
    let Some(bind) = &context.config.metrics.bind else {
        return Ok(());
    };
    let listener = app::bind("METRICS_BIND", bind).await?;
    let address = listener.local_addr().map_err(unfit)?;
    tracing::info!("metrics at http://{address}/metrics");
    let routes = metrics::routes(app.clone()).merge(health::routes(context.app.clone()));
    let served = axum::serve(listener, routes)
        .with_graceful_shutdown(context.stopping.clone().cancelled_owned());
    tokio::spawn(served.into_future());
    Ok(())
}

/// One line: the first few differences, and the way out.
fn another_database(differences: &[String]) -> String {
    let shown = differences.iter().take(3).cloned().collect::<Vec<_>>();
    let more = match differences.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "the database does not have the tables of this version ({}{more}); let an administrator run \
         `eventsphere migrate up` with DATABASE_URL and DATABASE_ADMIN_URL set",
        shown.join("; ")
    )
}

/// All routes over an app.
pub fn routes(app: App) -> Router {
    let mut slices = Router::new()
        .route("/.well-known/jwks.json", get(jwks))
        .merge(calendar::routes())
        .merge(payments::routes())
        .merge(messages::routes());
    if app.posture.development {
        slices = slices.merge(messages::mailbox_routes());
    }
    let known = payments::webhook_routes().merge(messages::report_routes());
    http::router(app, slices, known)
}

/// What `serve` serves, with its background work started.
pub async fn router(context: Context) -> Result<Router, StartError> {
    let app = self::app(&context, Clock::default()).await?;
    serve_figures(&context, &app).await?;
    if context.config.jobs.beside_serving {
        work(&context, &app)?;
    }
    context
        .last_tasks
        .spawn(deprecated_uses::keep(app.clone(), context.drained));
    if context.config.demo {
        tokio::spawn(demo::run(app.clone(), context.ready, context.stopping));
    }
    Ok(routes(app))
}

async fn jwks(State(app): State<App>) -> Result<Json<Value>, Problem> {
    Ok(Json(accounts::jwks(&app).await?))
}
