//! Where a database is and as whom to log in, in one value that both drivers understand and that never prints its
//! password.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio_postgres::config::Host as PgHost;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::{Tls, TlsError};

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// `extensions` must be on the path: without it `citext = text` quietly compares as text. `pg_temp` comes last so that
/// a temporary table never hides one of ours.
const SESSION_SETTINGS: [(&str, &str); 2] = [
    ("timezone", "UTC"),
    ("search_path", "public,extensions,pg_temp"),
];

#[derive(Clone, PartialEq, Eq)]
enum Host {
    Tcp(String),
    Socket(PathBuf),
}

#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseAddress {
    host: Host,
    port: u16,
    user: String,
    password: Option<String>,
    database: String,
    tls: Tls,
    /// `-c name=value` of the URL's `options`, before ours.
    settings: Vec<(String, String)>,
    /// What to name in messages: the variable it came from.
    origin: &'static str,
}

#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error("it must look like postgres://user:password@host:5432/database")]
    Shape,
    #[error("{0}; it must look like postgres://user:password@host:5432/database")]
    Driver(String),
    #[error("it names no {0}; it must look like postgres://user:password@host:5432/database")]
    Missing(&'static str),
    #[error(
        "it names several hosts; one is supported (put a load balancer or a DNS name before them)"
    )]
    SeveralHosts,
    #[error("its parameter `{0}` is not supported")]
    Parameter(String),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl DatabaseAddress {
    pub fn socket(dir: &Path, port: u16, user: &str, database: &str) -> Self {
        Self {
            host: Host::Socket(dir.to_owned()),
            port,
            user: user.to_owned(),
            password: None,
            database: database.to_owned(),
            tls: Tls::disabled(),
            settings: Vec::new(),
            origin: "private database",
        }
    }

    /// Parses `postgres://user:password@host:5432/database?sslmode=..&sslrootcert=..`; the host may be a
    /// percent-encoded socket folder. `origin` is the variable that
    /// holds it, for messages.
    pub fn parse(origin: &'static str, url: &str) -> Result<Self, AddressError> {
        let url = url.trim();
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(AddressError::Shape);
        }
        let (plain, parameters) = split_parameters(url);
        let mut tls = Tls::preferred();
        let mut for_driver = Vec::new();
        for (name, value) in parameters {
            match name.as_str() {
                "sslmode" => tls.set_mode(&value)?,
                "sslrootcert" => tls.set_root_certificate(PathBuf::from(value)),
                "sslcert" | "sslkey" | "sslcrl" | "service" | "passfile" => {
                    return Err(AddressError::Parameter(name));
                }
                _ => for_driver.push(format!("{name}={}", percent_encode(&value))),
            }
        }
        let for_driver = format!("{plain}?{}", for_driver.join("&"));
        let config: tokio_postgres::Config =
            for_driver.parse().map_err(|error: tokio_postgres::Error| {
                AddressError::Driver(driver_complaint(&error))
            })?;
        Self::from_config(origin, &config, tls)
    }

    fn from_config(
        origin: &'static str,
        config: &tokio_postgres::Config,
        tls: Tls,
    ) -> Result<Self, AddressError> {
        let host = match config.get_hosts() {
            [PgHost::Tcp(name)] if !name.is_empty() => Host::Tcp(name.clone()),
            [PgHost::Unix(dir)] => Host::Socket(dir.clone()),
            [] | [_] => return Err(AddressError::Missing("host")),
            _ => return Err(AddressError::SeveralHosts),
        };
        let user = config.get_user().filter(|user| !user.is_empty());
        let database = config.get_dbname().filter(|name| !name.is_empty());
        Ok(Self {
            tls: if matches!(host, Host::Socket(_)) {
                Tls::disabled()
            } else {
                tls
            },
            host,
            port: config.get_ports().first().copied().unwrap_or(5432),
            user: user.ok_or(AddressError::Missing("user"))?.to_owned(),
            password: config
                .get_password()
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            database: database
                .ok_or(AddressError::Missing("database"))?
                .to_owned(),
            settings: session_settings(config.get_options().unwrap_or_default())?,
            origin,
        })
    }

    pub fn with_database(&self, database: &str) -> Self {
        Self {
            database: database.to_owned(),
            ..self.clone()
        }
    }

    /// The variable it came from.
    pub fn origin(&self) -> &'static str {
        self.origin
    }

    pub fn user(&self) -> &str {
        &self.user
    }

    pub fn database(&self) -> &str {
        &self.database
    }

    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// `host:port`, or the socket's folder.
    pub fn place(&self) -> String {
        match &self.host {
            Host::Tcp(name) => format!("{name}:{}", self.port),
            Host::Socket(dir) => dir.display().to_string(),
        }
    }

    fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        let given = self
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        given.chain(SESSION_SETTINGS)
    }

    pub fn tokio_config(&self) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        match &self.host {
            Host::Tcp(name) => config.host(name),
            Host::Socket(dir) => config.host_path(dir),
        };
        config
            .port(self.port)
            .user(&self.user)
            .dbname(&self.database);
        if let Some(password) = &self.password {
            config.password(password);
        }
        let options: Vec<String> = self
            .settings()
            .map(|(name, value)| {
                format!(
                    "-c {name}={}",
                    value.replace('\\', "\\\\").replace(' ', "\\ ")
                )
            })
            .collect();
        config
            .options(options.join(" "))
            .application_name("eventsphere")
            .ssl_mode(self.tls.tokio_mode())
            .connect_timeout(CONNECT_PATIENCE)
            .keepalives_idle(Duration::from_secs(60));
        config
    }

    /// The TLS half of a tokio-postgres connection; `tokio_config` says whether it is used.
    pub fn tokio_tls(&self) -> Result<MakeRustlsConnect, TlsError> {
        Ok(MakeRustlsConnect::new(self.tls.client_config()?))
    }

    pub fn sqlx_options(&self) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass()
            .port(self.port)
            .username(&self.user)
            .database(&self.database)
            .application_name("eventsphere")
            .options(self.settings());
        let options = match &self.host {
            Host::Tcp(name) => options.host(name),
            Host::Socket(dir) => options.socket(dir),
        };
        let options = match &self.password {
            Some(password) => options.password(password),
            None => options,
        };
        self.tls.on_sqlx(options)
    }

    /// One connection outside any pool, driven by a task that ends with it.
    pub async fn connect(&self) -> Result<tokio_postgres::Client, super::ConnectError> {
        let failed = |source| super::ConnectError::new(self, source);
        let tls = self
            .tokio_tls()
            .map_err(|error| super::ConnectError::tls(self, error))?;
        let (client, connection) = self.tokio_config().connect(tls).await.map_err(failed)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a database connection ended");
            }
        });
        Ok(client)
    }

    /// The URL with its password, for handing on to a child process.
    pub fn to_url(&self) -> String {
        let password = match &self.password {
            Some(password) => format!(":{}", percent_encode(password)),
            None => String::new(),
        };
        self.render(&password)
    }

    fn render(&self, password: &str) -> String {
        let host = match &self.host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]"),
            Host::Tcp(name) => percent_encode(name),
            Host::Socket(dir) => percent_encode(&dir.to_string_lossy()),
        };
        let user = percent_encode(&self.user);
        let database = percent_encode(&self.database);
        let mut parameters = self.tls.parameters();
        if !self.settings.is_empty() {
            let settings: Vec<String> = self
                .settings
                .iter()
                .map(|(name, value)| format!("-c {name}={value}"))
                .collect();
            parameters.push(("options", settings.join(" ")));
        }
        let parameters: Vec<String> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={}", percent_encode(value)))
            .collect();
        let question = if parameters.is_empty() { "" } else { "?" };
        format!(
            "postgres://{user}{password}@{host}:{}/{database}{question}{}",
            self.port,
            parameters.join("&")
        )
    }
}

impl fmt::Display for DatabaseAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(if self.password.is_some() { ":***" } else { "" }))
    }
}

impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatabaseAddress({self})")
    }
}

/// The driver's words name the part it could not read, never the password.
fn driver_complaint(error: &tokio_postgres::Error) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    source.unwrap_or_else(|| error.to_string())
}

fn split_parameters(url: &str) -> (&str, Vec<(String, String)>) {
    let Some((plain, query)) = url.split_once('?') else {
        return (url, Vec::new());
    };
    let parameters = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(name), percent_decode(value))
        })
        .collect();
    (plain, parameters)
}

/// `-c name=value -cname=value --name=value`, as libpq's `options` allows them.
fn session_settings(options: &str) -> Result<Vec<(String, String)>, AddressError> {
    let mut words = options.split_whitespace();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let pair = if word == "-c" {
            words.next()
        } else {
            word.strip_prefix("--").or_else(|| word.strip_prefix("-c"))
        };
        let (name, value) = pair
            .and_then(|pair| pair.split_once('='))
            .ok_or_else(|| AddressError::Parameter(format!("options={options}")))?;
        settings.push((name.to_owned(), value.to_owned()));
    }
    Ok(settings)
}

fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match hex {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_prints_the_password() {
        let address = DatabaseAddress::parse(
            "DATABASE_URL",
            "postgres://app:s3cret%40@db.example:6543/events",
        )
        .expect("parses");
        assert_eq!(address.password(), Some("s3cret@"));
        for text in [
            format!("{address}"),
            format!("{address:?}"),
            format!("{:?}", Some(&address)),
        ] {
            assert!(!text.contains("s3cret"), "{text}");
            assert!(text.contains("app:***@db.example:6543/events"), "{text}");
        }
    }

    #[test]
    fn survives_being_written_and_read() {
        for url in [
            "postgres://app:p%20w%2F%3A@db.example:6543/ev%20ents?sslmode=require",
            "postgres://es_app@%2Ftmp%2Fa%20b%2Frun:5432/eventsphere",
            "postgres://app@db/events?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&options=-c%20work_mem%3D8MB",
            "postgresql://app@[::1]:5433/events",
        ] {
            let address = DatabaseAddress::parse("DATABASE_URL", url).expect(url);
            assert_eq!(
                DatabaseAddress::parse("DATABASE_URL", &address.to_url()).expect(url),
                address,
                "{url}"
            );
        }
    }

    #[test]
    fn both_drivers_get_the_same_address() {
        let address =
            DatabaseAddress::parse("DATABASE_URL", "postgres://app:x@db.example:6543/events")
                .expect("parses");
        let config = address.tokio_config();
        assert_eq!(config.get_hosts(), [PgHost::Tcp("db.example".to_owned())]);
        assert_eq!(
            (config.get_ports(), config.get_user(), config.get_dbname()),
            (&[6543][..], Some("app"), Some("events"))
        );
        let options = address.sqlx_options();
        assert_eq!(
            (options.get_host(), options.get_port()),
            ("db.example", 6543)
        );
        assert_eq!(
            (options.get_username(), options.get_database()),
            ("app", Some("events"))
        );
        assert_eq!(config.get_options(), options.get_options());
    }

    #[test]
    fn says_what_is_wrong() {
        for (url, part) in [
            ("mysql://app@db/events", "must look like"),
            ("localhost:5432", "must look like"),
            ("postgres://app@db", "names no database"),
            ("postgres://db/events", "names no user"),
            ("postgres://app@db:port/events", "port"),
            ("postgres://app@a,b/events", "several hosts"),
            ("postgres://app@db/events?sslmode=maybe", "sslmode"),
            ("postgres://app@db/events?sslkey=x", "sslkey"),
            ("postgres://app@db/events?colour=red", "colour"),
        ] {
            let text = DatabaseAddress::parse("DATABASE_URL", url)
                .expect_err(url)
                .to_string();
            assert!(text.contains(part), "{url}: {text}");
        }
    }
}
