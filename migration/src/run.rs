//! Runs the migrations, then brings permissions and functions up to date.
//!
//! One connection does all of it, as `es_owner` from its first statement, under an advisory lock: programs that
//! start together take turns, and the later ones find nothing left to do. Each migration is a transaction with its
//! own row in `seaql_migrations`, the permissions are one, the functions are one: whatever fails leaves nothing half.

use sea_orm_migration::{
    MigratorTrait, migrator::MigrationStatus, sea_orm::DbErr, sea_orm::SqlxPostgresConnector,
};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::{
    Migrator,
    functions::{self, FunctionReport},
    permissions::{self, PermissionReport},
};

/// What `up` did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Migrations applied now, in order.
    pub migrations: Vec<String>,
    /// Rows of permissions and built-in roles written.
    pub permissions: PermissionReport,
    /// Functions applied now, and files gone.
    pub functions: FunctionReport,
}

/// Where a database stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Every migration of this program, and whether it is applied.
    pub migrations: Vec<(String, bool)>,
    /// Files of `sql/functions/` whose text differs from what was last applied.
    pub pending_functions: Vec<String>,
}

impl Status {
    /// Whether `up` would have nothing to do.
    pub fn is_current(&self) -> bool {
        self.pending_functions.is_empty() && self.migrations.iter().all(|(_, applied)| *applied)
    }
}

/// Why a database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// No connection as an administrator, or none that may become `es_owner`.
    #[error("no connection as es_owner, the owner of our tables: {0}")]
    Connect(#[source] sqlx::Error),
    /// A migration failed; it left nothing behind.
    #[error("a migration failed and was rolled back: {0}")]
    Migration(#[from] DbErr),
    /// A file of `sql/functions/` failed; none of them was applied.
    #[error("sql/functions/{file}.sql failed, no function was changed: {source}")]
    Function {
        /// Its name, without `.sql`.
        file: String,
        /// What the server said.
        source: sqlx::Error,
    },
    /// The `-- after:` lines of `sql/functions/` ask for the impossible.
    #[error("{0}")]
    Order(String),
    /// Any other statement failed.
    #[error("the database refused: {0}")]
    Database(#[from] sqlx::Error),
}

/// Applies every pending migration, then permissions and functions. `admin` must be allowed to `set role es_owner`.
pub async fn up(admin: &PgConnectOptions) -> Result<Report, MigrationError> {
    up_to(admin, None).await
}

/// As [`up`], but only so many pending migrations; permissions and functions follow when none is left.
pub async fn up_to(admin: &PgConnectOptions, steps: Option<u32>) -> Result<Report, MigrationError> {
    let pool = connect(admin).await?;
    let report = locked_up(&pool, steps).await;
    // Ends the session and with it the lock, also after an error.
    pool.close().await;
    report
}

/// Takes back the last `steps` migrations. Functions of `sql/functions/` are dropped first, for tables cannot go
/// while functions lean on them; the next [`up`] applies them again.
pub async fn down(admin: &PgConnectOptions, steps: u32) -> Result<Vec<String>, MigrationError> {
    let pool = connect(admin).await?;
    let undone = locked_down(&pool, steps).await;
    pool.close().await;
    undone
}

/// Looks, changes nothing and waits for nobody.
pub async fn status(admin: &PgConnectOptions) -> Result<Status, MigrationError> {
    let pool = connect(admin).await?;
    let status = look(&pool).await;
    pool.close().await;
    status
}

async fn locked_up(pool: &PgPool, steps: Option<u32>) -> Result<Report, MigrationError> {
    lock(pool).await?;
    let db = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let mut names = pending(&db).await?;
    let finished = steps.is_none_or(|steps| names.len() <= steps as usize);
    names.truncate(steps.map_or(usize::MAX, |steps| steps as usize));
    Migrator::up(&db, steps).await?;
    let mut report = Report {
        migrations: names,
        ..Report::default()
    };
    if finished {
        let mut connection = pool.acquire().await?;
        report.permissions = permissions::sync(&mut connection).await?;
        report.functions = functions::apply(&mut connection, functions::FILES).await?;
    }
    Ok(report)
}

async fn locked_down(pool: &PgPool, steps: u32) -> Result<Vec<String>, MigrationError> {
    lock(pool).await?;
    let db = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let applied = Migrator::get_migration_with_status_read_only(&db)
        .await?
        .into_iter()
        .filter(|migration| migration.status() == MigrationStatus::Applied)
        .map(|migration| migration.name().to_owned());
    let mut names: Vec<String> = applied.collect();
    names.reverse();
    names.truncate(steps as usize);
    if !names.is_empty() {
        functions::drop_all(&mut *pool.acquire().await?).await?;
        Migrator::down(&db, Some(steps)).await?;
    }
    Ok(names)
}

async fn look(pool: &PgPool) -> Result<Status, MigrationError> {
    let db = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let migrations = Migrator::get_migration_with_status_read_only(&db)
        .await?
        .into_iter()
        .map(|migration| {
            let applied = migration.status() == MigrationStatus::Applied;
            (migration.name().to_owned(), applied)
        })
        .collect();
    let mut connection = pool.acquire().await?;
    let pending_functions = functions::pending(&mut connection, functions::FILES).await?;
    Ok(Status {
        migrations,
        pending_functions,
    })
}

async fn pending(
    db: &sea_orm_migration::sea_orm::DatabaseConnection,
) -> Result<Vec<String>, DbErr> {
    Ok(Migrator::get_pending_migrations_read_only(db)
        .await?
        .into_iter()
        .map(|migration| migration.name().to_owned())
        .collect())
}

/// A pool of exactly one connection, which is `es_owner` from the start: were it ever opened again, it could not
/// come back as the administrator and make objects that a superuser owns.
async fn connect(admin: &PgConnectOptions) -> Result<PgPool, MigrationError> {
    let options = admin.clone().options([
        ("role", "es_owner"),
        ("search_path", "public,pg_temp"),
        ("timezone", "UTC"),
        ("client_min_messages", "warning"),
    ]);
    PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        // A connection that died must fail the step, for its lock died with it.
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(MigrationError::Connect)
}

/// Waits until no other program migrates this database; held until the connection ends.
async fn lock(pool: &PgPool) -> Result<(), MigrationError> {
    sqlx::query("select pg_advisory_lock(hashtext('eventsphere.migrate'))")
        .execute(pool)
        .await?;
    Ok(())
}
