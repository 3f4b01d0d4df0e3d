//! The jobs of reconciliations: what the provider lists, or says of each payment that we know, goes to the database, which
//! compares it with the books.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Account, CallFailed, Listed, Paid, Provider, RefundFact, RefundWord, accounts,
    apply::own,
    check::known,
    settle::{self, unanswered},
};
use crate::{
    fault::Fault,
    jobs::{Backoff, Failed, Handler, Policy, Running},
    tenancy::SystemReason,
};

/// Starts a reconciliation for every account that took money lately, by the clock.
pub(super) struct ReconcileAll;

#[async_trait]
impl Handler for ReconcileAll {
    type Payload = ();

    const KIND: &'static str = "payments.reconcile_all";

    async fn run(job: &Running, (): ()) -> Result<(), Failed> {
        let started = job
            .app
            .door
            .decide_as_system(SystemReason::Payments, "due_reconciliations", &json!({}))
            .await
            .map_err(Fault::from)?;
        tracing::info!(%started, "reconciliations");
        job.app.jobs.wake();
        Ok(())
    }
}

/// Asks one provider and compares.
pub(super) struct Reconcile;

/// Which reconciliation.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    reconciliation_id: Uuid,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    account_id: Uuid,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    payments: Vec<Uuid>,
}

#[async_trait]
impl Handler for Reconcile {
    type Payload = Payload;

    const KIND: &'static str = "payments.reconcile";

    fn policy() -> Policy {
        Policy::new()
            .queue("payments")
            .attempts(5)
            .backoff(Backoff::new(
                Duration::from_secs(10),
                Duration::from_secs(600),
            ))
            .time_limit(Duration::from_secs(900))
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let org_id = own(job)?;
        let id = payload.reconciliation_id;
        let request = json!({ "reconciliation_id": id });
        let wanted = settle::decide(&job.app, org_id, "reconciliation_to_do", &request).await?;
        if wanted.is_null() {
            return Ok(());
        }
        let wanted: Wanted = serde_json::from_value(wanted).map_err(Fault::internal)?;
        match said(job, org_id, &wanted).await {
            Ok((listed, whole)) => {
                let request = json!({ "reconciliation_id": id, "whole": whole, "listed": listed });
                settle::decide(&job.app, org_id, "finish_reconciliation", &request).await?;
                Ok(())
            }
            Err(failed) => {
                if let (true, Failed::Later { reason, .. }) | (_, Failed::Never(reason)) =
                    (job.last, &failed)
                {
                    let request = json!({ "reconciliation_id": id, "failure": reason });
                    settle::decide(&job.app, org_id, "fail_reconciliation", &request).await?;
                }
                Err(failed)
            }
        }
    }
}

/// What the provider says moved, and whether that is everything it knows.
async fn said(job: &Running, org_id: Uuid, wanted: &Wanted) -> Result<(Vec<Listed>, bool), Failed> {
    let app = &job.app;
    let (account, provider) = accounts::of_ours(app, wanted.account_id).await?;
    let asked = provider.list(app, &account, wanted.from, wanted.to);
    if let Some(listed) = app.payments.call(asked).await.map_err(unanswered)? {
        return Ok((listed, true));
    }
    let mut listed = vec![];
    for id in &wanted.payments {
        if job.stopping() {
            return Err(Failed::GiveBack);
        }
        listed.extend(one(job, (org_id, *id), &account, &*provider).await?);
    }
    Ok((listed, false))
}

/// What it says of a payment that we know; `None` when it does not know it.
async fn one(
    job: &Running,
    (org_id, id): (Uuid, Uuid),
    account: &Account,
    provider: &dyn Provider,
) -> Result<Option<Listed>, Failed> {
    let app = &job.app;
    let Some(payment) = known(app, org_id, id).await? else {
        return Ok(None);
    };
    let order = payment.order();
    let fact = match app
        .payments
        .call(provider.fetch(app, account, &order))
        .await
    {
        // What it will not speak of it does not know.
        Err(CallFailed::Refused(_)) => None,
        fact => fact.map_err(unanswered)?,
    };
    let Some(fact) = fact else {
        return Ok(None);
    };
    let paid = Paid {
        payment_id: id,
        reference: &fact.provider_reference,
    };
    let refunded_minor = match fact.captured_minor {
        Some(_) => refunded(job, account, provider, paid).await?,
        None => None,
    };
    Ok(Some(Listed {
        payment_id: Some(id),
        captured_minor: fact.captured_minor.unwrap_or(0),
        refunded_minor,
        disputed_minor: None,
        currency: fact.currency.unwrap_or(order.currency),
        provider_reference: fact.provider_reference,
    }))
}

/// What went back so far; `None` where the provider cannot say. What is on its way is not gone, here and in the books.
async fn refunded(
    job: &Running,
    account: &Account,
    provider: &dyn Provider,
    paid: Paid<'_>,
) -> Result<Option<i64>, Failed> {
    let app = &job.app;
    let asked = provider.refunds(app, account, paid);
    let known = app.payments.call(asked).await.map_err(unanswered)?;
    let gone = |known: Vec<RefundFact>| {
        let done = known.iter().filter(|one| one.status == RefundWord::Done);
        done.map(|one| one.amount_minor).sum()
    };
    Ok(known.map(gone))
}
