//! What PostgreSQL itself says: all that was paid is there, once.

use crate::{Failure, ground::Ground};

/// Every sale has its rows, as often as it should, and stock and books add up.
pub async fn all_that_was_paid_is_there(ground: &Ground, sold: usize) -> Result<(), Failure> {
    ground.quiet_down().await?;
    let client = ground.admin().await?;
    let tables = [
        ("registrations", "status = 'confirmed'"),
        (
            "payments",
            "status = 'succeeded' and captured_minor = 2500 and owed_back is null",
        ),
        ("sandbox_payments", "status = 'succeeded'"),
        ("payment_events", "status = 'applied' and told = 1"),
        ("ledger_entries", "kind = 'capture' and amount_minor = 2500"),
        ("tickets", "status = 'valid'"),
        ("(select distinct item_id from tickets) as t", "true"),
        ("invoices", "kind = 'invoice' and total_minor = 2500"),
        ("outbox", "type = 'registration.confirmed'"),
        ("outbox", "type = 'payment.succeeded'"),
        ("outbox", "type = 'ticket.issued'"),
        ("message_deliveries", "kind = 'registration_confirmed'"),
    ];
    for (table, condition) in tables {
        let statement = format!("select count(*) from {table} where {condition}");
        let found: i64 = client.query_one(&statement, &[]).await?.get(0);
        if usize::try_from(found)? != sold {
            let problem = format!("{sold} were paid, but {found} rows of {table} are {condition}");
            return Err(problem.into());
        }
    }
    for check in ["check_stock_integrity", "check_ledger_integrity"] {
        let statement = format!("select fault || ' ' || detail from {check}()");
        let faults = client.query(&statement, &[]).await?;
        if let Some(fault) = faults.first() {
            let first: String = fault.get(0);
            return Err(format!("{check}: {} faults, the first: {first}", faults.len()).into());
        }
    }
    Ok(())
}
