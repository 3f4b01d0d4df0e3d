//! Turns failures of disks, servers and logins into one line with the cause and the way out.

use std::io::ErrorKind;
use std::path::Path;

use tokio_postgres::error::SqlState;

use super::address::DatabaseAddress;

const OTHER_FOLDER: &str = "choose another data folder (--data or EVENTSPHERE_DATA)";

/// A file or folder of the data folder that could not be read, made or written.
pub fn folder(path: &Path, error: &std::io::Error) -> String {
    let path = path.display();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!(
                "the disk is full: {path} cannot be written; free some space (1 GB is plenty to begin with) or {OTHER_FOLDER}"
            )
        }
        ErrorKind::ReadOnlyFilesystem => {
            format!("the disk is read-only: {path} cannot be written; {OTHER_FOLDER}")
        }
        ErrorKind::PermissionDenied => {
            format!(
                "no permission for {path} ({error}); make it writable for this user or {OTHER_FOLDER}"
            )
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            format!(
                "{path} is in the way: a file stands where a folder is needed; move it or {OTHER_FOLDER}"
            )
        }
        _ => format!("{path} cannot be used: {error}; {OTHER_FOLDER}"),
    }
}

/// What initdb or the server wrote before it gave up.
pub fn server_output(what: &str, output: &str, log: Option<&Path>) -> String {
    let known = [
        ("No space left on device", format!("the disk is full; free some space or {OTHER_FOLDER}")),
        ("Disk quota exceeded", format!("the disk quota is used up; free some space or {OTHER_FOLDER}")),
        ("Read-only file system", format!("the disk is read-only; {OTHER_FOLDER}")),
        (
            "Address already in use",
            "its port is taken by another program; try again".to_owned(),
        ),
        (
            "pre-existing shared memory block",
            "processes of an earlier Postgres still use this database; end them (`ps -ef | grep postgres`) and start again".to_owned(),
        ),
        (
            "Cannot allocate memory",
            "there is not enough memory (about 300 MB are needed); end other programs".to_owned(),
        ),
        (
            "could not find the database system",
            "files of the database are missing; restore a backup, or move the data folder away to begin anew".to_owned(),
        ),
        (
            "could not locate a valid checkpoint record",
            "the database files are damaged; restore a backup, or move the data folder away to begin anew".to_owned(),
        ),
        (
            "Permission denied",
            format!("it may not use its files; give them back to their owner or {OTHER_FOLDER}"),
        ),
    ];
    let cause = known.iter().find(|(sign, _)| output.contains(sign));
    let said = last_complaint(output);
    let mut line = match (cause, said) {
        (Some((_, cause)), Some(said)) => format!("{what}: {cause} (it said: {said})"),
        (Some((_, cause)), None) => format!("{what}: {cause}"),
        (None, Some(said)) => format!("{what}: {said}"),
        (None, None) => format!("{what} and said nothing"),
    };
    if let Some(log) = log {
        line.push_str(&format!("; see {}", log.display()));
    }
    line
}

/// The last line that tells of trouble, without its time stamp.
fn last_complaint(output: &str) -> Option<String> {
    const SIGNS: [&str; 4] = ["PANIC:", "FATAL:", "ERROR:", "error:"];
    let of_sign = |sign: &&str| {
        output.lines().rev().find_map(|line| {
            line.split_once(*sign)
                .map(|(_, rest)| rest.trim().to_owned())
        })
    };
    SIGNS.iter().find_map(of_sign).or_else(|| {
        output
            .lines()
            .rev()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map(str::to_owned)
    })
}

/// A login that did not come about.
pub fn connecting(address: &DatabaseAddress, error: &tokio_postgres::Error) -> String {
    let variable = address.origin();
    let (place, user, database) = (address.place(), address.user(), address.database());
    let cause = root_cause(error);
    let Some(code) = error.code() else {
        return if cause.contains("does not support TLS") {
            format!(
                "{variable}: the server at {place} does not offer TLS; switch it on there, or say sslmode=disable in {variable}"
            )
        } else if cause.contains("certificate") {
            format!(
                "{variable}: the certificate of {place} is not trusted ({cause}); name its authority with sslrootcert=FILE in {variable}"
            )
        } else {
            format!(
                "{variable}: no database server answers at {place} ({cause}); is it running, and are host and port right?"
            )
        };
    };
    if *code == SqlState::INVALID_PASSWORD {
        format!(
            "{variable}: {place} refused login {user} with this password; correct it in {variable}, or create the login (`eventsphere admin bootstrap-sql` shows how)"
        )
    } else if *code == SqlState::INVALID_CATALOG_NAME {
        format!(
            "{variable}: database {database} does not exist at {place}; set DATABASE_ADMIN_URL to let eventsphere create it, or run the SQL of `eventsphere admin bootstrap-sql`"
        )
    } else if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        format!(
            "{variable}: {place} does not let login {user} in ({cause}); create it (`eventsphere admin bootstrap-sql`) or allow it in pg_hba.conf"
        )
    } else if *code == SqlState::TOO_MANY_CONNECTIONS {
        format!(
            "{variable}: {place} has no free connection; raise max_connections there or lower DATABASE_POOL_SIZE"
        )
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        format!(
            "{variable}: login {user} may not connect to database {database} at {place}; run `grant connect on database` as an administrator"
        )
    } else {
        format!("{variable}: {place} answered: {cause}")
    }
}

/// The innermost error's text: the driver's own wrapper says only "error connecting to server".
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner
        .to_string()
        .trim_start_matches("FATAL: ")
        .trim_start_matches("ERROR: ")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_cause_that_postgres_wrote() {
        let output = "2026-01-01 UTC [7] FATAL:  could not write lock file \"postmaster.pid\": No space left on device\n\
                      2026-01-01 UTC [7] LOG:  database system is shut down\n";
        let line = server_output(
            "Postgres did not start",
            output,
            Some(Path::new("/d/postgres.log")),
        );
        assert!(
            line.contains("the disk is full") && line.contains("could not write lock file"),
            "{line}"
        );
        assert!(
            line.ends_with("see /d/postgres.log") && !line.contains('\n'),
            "{line}"
        );
    }

    #[test]
    fn unknown_trouble_is_quoted() {
        let line = server_output(
            "initdb failed",
            "initdb: error: invalid locale name \"xx\"\n",
            None,
        );
        assert_eq!(line, "initdb failed: invalid locale name \"xx\"");
        assert_eq!(
            server_output("initdb failed", "\n", None),
            "initdb failed and said nothing"
        );
    }

    #[test]
    fn disks_and_permissions_have_their_own_words() {
        let path = Path::new("/d");
        for (kind, words) in [
            (ErrorKind::StorageFull, "disk is full"),
            (ErrorKind::ReadOnlyFilesystem, "disk is read-only"),
            (ErrorKind::PermissionDenied, "no permission"),
            (ErrorKind::NotADirectory, "a file stands"),
        ] {
            let line = folder(path, &kind.into());
            assert!(
                line.contains(words) && line.contains("EVENTSPHERE_DATA"),
                "{line}"
            );
        }
    }
}
