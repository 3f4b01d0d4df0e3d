//! What people are told, by mail and otherwise. Who wants somebody to hear of something writes a letter in the transaction
//! that makes it true ([`send`], or `es.write_message` in SQL): a kind, a recipient, and what only the writer knows, such
//! as a code. Its text is made when it is delivered (`compose`), of what the database says then, by the organization's
//! own template or a built-in one. The job `mail.deliver` hands it to a provider and notes in the log how that ended; in
//! development, without a mail server, it lies in the mailbox (`/dev/mailbox`). What follows from events of the outbox
//! is written by the job `messages.follow`, reminders by the clock (`remind`). The same message to the same recipient is written once: a constraint says so.
//! Texts never repeat what a stranger typed (a name at sign-up, say): else anybody could send their words from us.

mod account;
mod builtin;
mod compose;
mod delete_template;
mod deliver;
mod email;
mod follow;
mod mailbox;
mod markup;
mod preview_template;
mod providers;
mod prune;
mod remind;
mod reports;
mod save_template;
mod send_test;
mod template;
mod unsubscribe;
mod variables;

use std::{sync::Arc, time::Duration};

use axum::Router;
use sea_orm::Value;
use serde_json::{Value as Json, json};

pub use mailbox::routes as mailbox_routes;
use providers::{Provider, Smtp};

use crate::{
    config::{KeptFor, MessagesConfig, ProviderUrls},
    fault::Fault,
    jobs::{Events, Queue, Registry, Schedule},
    state::App,
    statements::run,
    tenancy::TenantTx,
    verbs::Verbs,
};

/// What the program needs for messages. Cheap to clone.
#[derive(Clone)]
pub struct Messages {
    /// The mail server of the program, where one is configured.
    smtp: Option<Arc<dyn Provider>>,
    /// The address that mails come from.
    from: Arc<str>,
    /// What providers over HTTP are asked with.
    client: reqwest::Client,
    urls: Arc<ProviderUrls>,
    /// For how long what was sent is remembered.
    kept: KeptFor,
}

impl Messages {
    /// As configured.
    pub fn new(config: &MessagesConfig) -> Result<Self, Fault> {
        let smtp = match &config.smtp {
            Some(smtp) => Some(Arc::new(Smtp::new(smtp, config.timeout)?) as Arc<dyn Provider>),
            None => None,
        };
        Ok(Self {
            smtp,
            from: config.from.as_str().into(),
            client: providers::client(config.timeout).map_err(Fault::internal)?,
            urls: Arc::new(config.urls.clone()),
            kept: config.kept,
        })
    }
}

/// A letter about an account: which one, and what only its writer knows.
#[derive(Clone, Debug)]
pub struct Letter {
    kind: &'static str,
    variables: Json,
}

impl Letter {
    /// To an address that somebody just signed up with.
    pub fn verify_email(code: &str) -> Self {
        Self::with_code("verify_email", code)
    }

    /// To an address with an account that somebody signed up with again.
    pub fn already_signed_up() -> Self {
        Self::plain("already_signed_up")
    }

    /// To somebody who asked for a new password.
    pub fn reset_password(code: &str) -> Self {
        Self::with_code("reset_password", code)
    }

    /// After a password was changed.
    pub fn password_changed() -> Self {
        Self::plain("password_changed")
    }

    /// When wrong passwords have locked an account.
    pub fn locked() -> Self {
        Self::plain("account_locked")
    }

    fn plain(kind: &'static str) -> Self {
        Self {
            kind,
            variables: json!({}),
        }
    }

    fn with_code(kind: &'static str, code: &str) -> Self {
        Self {
            kind,
            variables: json!({ "code": code }),
        }
    }
}

/// Writes a letter about an account, and the job that delivers it, in a transaction of a system door. Letters of
/// organizations are written in SQL, by what they are about.
pub async fn send(tx: &TenantTx, recipient: &str, letter: Letter) -> Result<(), Fault> {
    let message =
        json!([{ "kind": letter.kind, "recipient": recipient, "variables": letter.variables }]);
    let value: Value = message.into();
    run(tx, "select es.write_messages($1)", [value]).await?;
    Ok(())
}

/// Routes that are always there.
pub fn routes() -> Router<App> {
    unsubscribe::routes()
}

/// Where providers report; they are no clients, so nobody's points are taken.
pub fn report_routes() -> Router<App> {
    reports::routes()
}

/// What people hear of.
const TOLD: Events = Events::Of(&[
    "registration.confirmed",
    "registration.cancelled",
    "registration.approved",
    "registration.rejected",
    "payment.refunded",
    "ticket.transferred",
]);

/// How long a job that wrote to many is kept after it was done, for those who watch it.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// The jobs of this slice.
pub fn jobs(registry: &mut Registry) {
    registry
        .queue(Queue::new("mail", 32, 8).behind())
        .add::<deliver::DeliverMail>()
        .add::<follow::Follow>()
        .on_many::<follow::Follow>(TOLD)
        .add::<remind::RemindPeople>()
        .add::<remind::Remind>()
        .every::<remind::Remind>(Schedule::seconds(30))
        .add::<reports::NoteReport>()
        .add::<prune::Prune>()
        .at::<prune::Prune>("17,47 * * * *");
}

/// The verbs of this slice.
pub fn verbs(registry: &mut Verbs) {
    registry
        .value(preview_template::preview())
        .add::<save_template::SaveMessageTemplate>()
        .add::<delete_template::DeleteMessageTemplate>()
        .add::<preview_template::PreviewMessageTemplate>()
        .add::<account::SaveMessageAccount>()
        .add::<account::DeleteMessageAccount>()
        .add::<send_test::SendTestMessage>();
}
