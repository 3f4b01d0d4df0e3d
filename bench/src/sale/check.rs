//! What PostgreSQL itself says: how its log is flushed, and whether all that was sold is there.

use crate::{Failure, ground::Ground};

/// Makes a flush of the log take 1 ms and more, or as long as it takes. PostgreSQL does that itself: with
/// `commit_delay` whoever flushes waits before, holding the lock that every other flush needs; `commit_siblings` of 0
/// makes it wait always. Who commits meanwhile is flushed along, which a slow disk would not do: that favours whoever
/// commits often.
pub async fn slow_flushes(ground: &Ground, slow: bool) -> Result<(), Failure> {
    let client = ground.admin().await?;
    let settings = match slow {
        true => [
            "alter system set commit_delay = 1000",
            "alter system set commit_siblings = 0",
        ],
        false => [
            "alter system reset commit_delay",
            "alter system reset commit_siblings",
        ],
    };
    for setting in settings {
        client.execute(setting, &[]).await?;
    }
    client.execute("select pg_reload_conf()", &[]).await?;
    // Told to every process by a signal, which comes when it comes.
    let wanted = if slow { "1000" } else { "0" };
    for _ in 0..100 {
        let client = ground.admin().await?;
        let row = client
            .query_one("select current_setting('commit_delay')", &[])
            .await?;
        if row.get::<_, String>(0) == wanted {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Err("PostgreSQL does not take commit_delay".into())
}

/// Every sale that somebody was told of has its rows, and the stock adds up.
pub async fn all_that_was_sold_is_there(ground: &Ground, sold: usize) -> Result<(), Failure> {
    let client = ground.admin().await?;
    let tables = [
        ("registrations", "status = 'confirmed'", 1),
        ("registration_items", "attendee_id is not null", 1),
        ("registration_secrets", "true", 1),
        ("attendees", "true", 1),
        (
            "pool_claims",
            "released_at is null and expires_at is null",
            1,
        ),
        ("tickets", "status = 'valid'", 1),
        ("outbox_sequences", "object_type = 'registration'", 1),
        ("outbox_sequences", "object_type = 'ticket'", 1),
        ("outbox", "true", 3),
        ("audit_log", "true", 2),
    ];
    for (table, condition, each) in tables {
        let statement = format!("select count(*) from {table} where {condition}");
        let found: i64 = client.query_one(&statement, &[]).await?.get(0);
        if usize::try_from(found)? != sold * each {
            return Err(format!("{sold} were sold, but {table} has {found} rows").into());
        }
    }
    let faults = client
        .query(
            "select fault || ' ' || detail from check_stock_integrity()",
            &[],
        )
        .await?;
    match faults.first() {
        None => Ok(()),
        Some(fault) => Err(format!(
            "the stock does not add up: {} faults, the first: {}",
            faults.len(),
            fault.get::<_, String>(0)
        )
        .into()),
    }
}
