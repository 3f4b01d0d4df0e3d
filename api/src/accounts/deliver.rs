//! Delivers a letter. Where no mail server is configured the mailbox is where letters go, and there it lies already: what
//! is left to do is to say so.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    fault::Fault,
    jobs::{Failed, Handler, Policy, Priority, Running},
    statements,
};

/// The job; `es.write_letter` enqueues it with the letter.
pub(super) struct DeliverMail;

/// Which letter.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    letter_id: Uuid,
}

#[async_trait]
impl Handler for DeliverMail {
    type Payload = Payload;

    const KIND: &'static str = "mail.deliver";

    fn policy() -> Policy {
        Policy::new().queue("mail").priority(Priority::Urgent)
    }

    async fn run(job: &Running, payload: Payload) -> Result<(), Failed> {
        let tx = job.begin().await?;
        statements::run(
            &tx,
            "update mail_messages set delivered_at = es.clock() where id = $1 and delivered_at is null",
            [payload.letter_id.into()],
        )
        .await
        .map_err(Fault::from)?;
        job.finish_in(&tx).await?;
        tx.commit().await.map_err(Fault::from)?;
        Ok(())
    }
}
