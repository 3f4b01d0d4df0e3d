//! The command line: what can be asked for, and what each request starts.

mod fees;
mod jobs;
mod with_postgres;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::app::{self, Migration};
use crate::config::{Config, DatabaseConfig, LogConfig, Settings};
use crate::database;
use crate::error::StartError;

#[derive(Debug, Parser)]
#[command(
    name = "eventsphere",
    version,
    about = "A multi-tenant event platform behind one GraphQL API"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API.
    Serve(Serve),
    /// Run jobs and nothing else; several may, beside several that serve.
    Worker(Data),
    /// Bring the database up to date.
    #[command(subcommand)]
    Migrate(Migrate),
    /// Print the GraphQL schema.
    Schema,
    /// Tools for administrators and tests.
    #[command(subcommand)]
    Admin(Admin),
}

#[derive(Debug, Args)]
struct Serve {
    /// Fill in demo data and demo sign-ins (private database only).
    #[arg(long)]
    demo: bool,
    /// Host and port to listen on (BIND), 127.0.0.1:8080 by default.
    #[arg(long, value_name = "HOST:PORT")]
    bind: Option<String>,
    /// Run no jobs; `eventsphere worker` must, somewhere (WORKER=off).
    #[arg(long)]
    no_worker: bool,
    #[command(flatten)]
    data: Data,
}

#[derive(Clone, Debug, Args)]
struct Data {
    /// Folder of the private database (EVENTSPHERE_DATA).
    #[arg(long = "data", value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Data {
    fn onto(self, settings: Settings) -> Settings {
        settings.with(
            "EVENTSPHERE_DATA",
            self.folder
                .map(|folder| folder.to_string_lossy().into_owned()),
        )
    }
}

#[derive(Debug, Subcommand)]
enum Migrate {
    /// Apply what is missing.
    Up(Data),
    /// Take back the latest migrations. Their tables go with everything in them.
    Down {
        /// How many.
        #[arg(long, default_value_t = 1)]
        steps: u32,
        #[command(flatten)]
        data: Data,
    },
    /// Tell what is applied and what is missing.
    Status(Data),
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// Print the SQL that prepares a PostgreSQL server, for an administrator to run.
    BootstrapSql {
        /// Name of the database.
        #[arg(long, default_value = database::DATABASE)]
        database: String,
        /// Name of the login that serves requests.
        #[arg(long, default_value = database::LOGIN)]
        login: String,
    },
    /// Tell what waits: jobs by queue and state, events that were not relayed, workers.
    Jobs(Data),
    /// Let jobs that failed for good run again, those of all organizations.
    ReplayJobs {
        /// Only those of this kind, such as mail.deliver.
        #[arg(long)]
        kind: Option<String>,
        #[command(flatten)]
        data: Data,
    },
    /// Say what the platform takes of an organization's payments in one currency.
    PlatformFee(fees::PlatformFee),
    /// Run a command beside a throw-away PostgreSQL, told to it in TEST_DATABASE_ADMIN_URL, TEST_DATABASE_URL and
    /// TEST_DATABASE_PORT.
    WithPostgres(with_postgres::WithPostgres),
}

/// Runs the command; what goes wrong is printed as one line, and SQL for an administrator to standard output.
pub async fn run(cli: Cli) -> ExitCode {
    match dispatch(cli).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("eventsphere: {error}");
            if let Some(sql) = error.administrator_sql() {
                println!("{sql}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}

async fn dispatch(cli: Cli) -> Result<ExitCode, StartError> {
    let settings = Settings::from_environment();
    LogConfig::read(&settings)?.install();
    match cli.command {
        Command::Serve(serve) => {
            let worker = serve.no_worker.then(|| "off".to_owned());
            let settings = serve.data.onto(settings).with("BIND", serve.bind);
            let settings = settings.with("WORKER", worker);
            let config = Config::read(&settings, serve.demo)?;
            app::run(config, crate::assemble::router).await?;
        }
        Command::Worker(data) => {
            let config = Config::read(&data.onto(settings), false)?;
            app::run_alone(config, crate::assemble::worker).await?;
        }
        Command::Migrate(migrate) => {
            let (data, wanted) = match migrate {
                Migrate::Up(data) => (data, Migration::Up),
                Migrate::Down { steps, data } => (data, Migration::Down(steps)),
                Migrate::Status(data) => (data, Migration::Status),
            };
            let config = DatabaseConfig::read(&data.onto(settings))?;
            app::migrate_only(&config, wanted).await?;
        }
        Command::Schema => {
            let engine = crate::assemble::engine(&crate::assemble::verbs())
                .map_err(|error| StartError::Part(Box::new(error)))?;
            print!("{}", engine.sdl());
        }
        Command::Admin(Admin::BootstrapSql { database, login }) => {
            print!("{}", database::bootstrap_script(&database, &login));
        }
        Command::Admin(Admin::Jobs(data)) => {
            let config = Config::read(&data.onto(settings), false)?;
            app::run_alone(config, jobs::tell).await?;
        }
        Command::Admin(Admin::ReplayJobs { kind, data }) => {
            let config = Config::read(&data.onto(settings), false)?;
            app::run_alone(config, async |context| jobs::replay(context, kind).await).await?;
        }
        Command::Admin(Admin::PlatformFee(fee)) => {
            let config = Config::read(&fee.data.clone().onto(settings), false)?;
            app::run_alone(config, async |context| fees::set(context, fee).await).await?;
        }
        Command::Admin(Admin::WithPostgres(command)) => return command.run(&settings).await,
    }
    Ok(ExitCode::SUCCESS)
}
