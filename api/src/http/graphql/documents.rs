//! Which document a request means, and whether its sender may have it executed.
//!
//! A document comes as text, or by an identifier: the SHA-256 of its text (`extensions.persistedQuery` as Apollo's
//! clients send it, or `documentId` of GraphQL over HTTP), or a name that the caller's organization gave it. Text that
//! comes with its hash is remembered once it was found valid; later the hash alone will do. What an organization has
//! registered is found after that, and is all that a token bound to such documents gets.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::StatusCode;
use eventsphere_graphql::{
    answer::{self, Answer, Fail},
    document::{Document, hash_of},
    engine::Gate,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Refused, held_back, refused};
use crate::{fault::Fault, http::RequestHost, state::App, tenancy::Actor, vault::unhex};

/// Identifiers that organizations give are no longer than this, bytes.
pub const LONGEST_ID: usize = 128;

/// What a document is asked for by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DocumentKey {
    /// SHA-256 of its text.
    Sha256([u8; 32]),
    /// The identifier that an organization gave it.
    Named(String),
}

/// The documents that organizations have registered. The floor knows no such tables; the slice that does is given.
#[async_trait]
pub trait TrustedDocuments: Send + Sync {
    /// Hash of the document that this organization has registered under the key; what was true at most five seconds
    /// ago.
    async fn find(
        &self,
        app: &App,
        actor: &Actor,
        key: &DocumentKey,
    ) -> Result<Option<[u8; 32]>, Fault>;

    /// Its text.
    async fn text(
        &self,
        app: &App,
        actor: &Actor,
        hash: &[u8; 32],
    ) -> Result<Option<String>, Fault>;

    /// This organization has registered or removed something.
    fn forget(&self, org_id: Uuid);
}

/// The document of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// This text.
    Text(String),
    /// This text, to be remembered; the hash is what the client takes for its hash.
    Remember { text: String, hash: [u8; 32] },
    /// One that we should know.
    Known(DocumentKey),
}

/// What the parameters of a request ask for.
pub(super) fn wanted(
    query: Option<String>,
    document_id: Option<&str>,
    extensions: &Map<String, Value>,
) -> Result<Wanted, Refused> {
    let bad = |message: &str| Err(refused(StatusCode::BAD_REQUEST, message));
    let automatic = persisted_query(extensions)?.map(DocumentKey::Sha256);
    let key = match (document_id.map(identifier).transpose()?, automatic) {
        (Some(one), Some(other)) if one != other => {
            return bad("`documentId` and `extensions.persistedQuery` name different documents");
        }
        (one, other) => one.or(other),
    };
    match (query, key) {
        (None, None) => bad("`query` is missing"),
        (Some(text), None) => Ok(Wanted::Text(text)),
        // Some clients say "no text" by an empty one.
        (Some(text), Some(key)) if text.is_empty() => Ok(Wanted::Known(key)),
        (None, Some(key)) => Ok(Wanted::Known(key)),
        (Some(text), Some(DocumentKey::Sha256(hash))) => Ok(Wanted::Remember { text, hash }),
        (Some(_), Some(DocumentKey::Named(_))) => {
            bad("beside `query`, `documentId` must be `sha256:` and the hash of the text")
        }
    }
}

/// The hash in `extensions.persistedQuery`.
fn persisted_query(extensions: &Map<String, Value>) -> Result<Option<[u8; 32]>, Refused> {
    let bad = |message: &str| Err(refused(StatusCode::BAD_REQUEST, message));
    let given = match extensions.get("persistedQuery") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(given)) => given,
        Some(_) => return bad("`extensions.persistedQuery` must be an object"),
    };
    if given.get("version").and_then(Value::as_u64) != Some(1) {
        return bad("unsupported version of persisted queries; this server knows version 1");
    }
    match given
        .get("sha256Hash")
        .and_then(Value::as_str)
        .and_then(sha256)
    {
        Some(hash) => Ok(Some(hash)),
        None => bad("`sha256Hash` must be 64 hexadecimal digits in lower case"),
    }
}

/// An identifier as GraphQL over HTTP writes them; a bare hash, as generators of clients write it, counts as one.
fn identifier(id: &str) -> Result<DocumentKey, Refused> {
    let bad = |message: &str| Err(refused(StatusCode::BAD_REQUEST, message));
    if let Some(hash) = sha256(id.strip_prefix("sha256:").unwrap_or(id)) {
        return Ok(DocumentKey::Sha256(hash));
    }
    if id.contains(':') {
        return bad(
            "`documentId` must be `sha256:` and 64 hexadecimal digits in lower case, or a name",
        );
    }
    match is_name(id) {
        true => Ok(DocumentKey::Named(id.to_owned())),
        false => bad("`documentId` has 1 to 128 letters, digits and `-._~`"),
    }
}

/// Whether an organization may call a document so.
pub fn is_name(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(plain)
}

/// The hash that 64 hexadecimal digits in lower case write.
pub fn sha256(text: &str) -> Option<[u8; 32]> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    match text.len() == 64 && text.bytes().all(lower) {
        true => <[u8; 32]>::try_from(unhex(text)?).ok(),
        false => None,
    }
}

/// Why there is no document: an answer, or a refusal with a status of its own.
pub(super) enum Missing {
    Answered(Answer),
    Refused(Refused),
}

/// A registered document could not be looked up.
fn unread(host: &RequestHost, fault: Fault) -> Missing {
    match &fault {
        Fault::Throttled { .. } => {
            return Missing::Answered(held_back(&fault, &host.info.request_id));
        }
        Fault::Internal(cause) | Fault::Unavailable(cause) => {
            tracing::error!(%cause, "a registered document could not be looked up");
        }
        _ => {}
    }
    Missing::Refused(Refused {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: fault.code(),
        message: fault.to_string(),
    })
}

/// The document that is wanted, checked; or why it is not executed for this caller.
pub(super) async fn resolve(host: &RequestHost, wanted: Wanted) -> Result<Arc<Document>, Missing> {
    match wanted {
        Wanted::Text(text) => {
            if host.actor.trusted_only() {
                let key = DocumentKey::Sha256(hash_of(&text));
                registered(host, &key).await?.ok_or_else(untrusted)?;
            }
            checked(host, &text).await
        }
        Wanted::Remember { text, hash } => {
            if hash_of(&text) != hash {
                return Err(Missing::Refused(refused(
                    StatusCode::BAD_REQUEST,
                    "the hash is not that of `query`",
                )));
            }
            if host.actor.trusted_only() {
                let key = DocumentKey::Sha256(hash);
                registered(host, &key).await?.ok_or_else(untrusted)?;
                return checked(host, &text).await;
            }
            // Only what is valid is remembered.
            let document = checked(host, &text).await?;
            let remembered = &host.app.remembered;
            remembered.keep(host.actor.org_id().is_some(), hash, &text);
            Ok(document)
        }
        Wanted::Known(key) => known(host, &key).await,
    }
}

async fn known(host: &RequestHost, key: &DocumentKey) -> Result<Arc<Document>, Missing> {
    if let DocumentKey::Sha256(hash) = key
        && !host.actor.trusted_only()
        && let Some(text) = host.app.remembered.text(hash)
    {
        return match host.app.engine.known(hash) {
            Some(document) => Ok(document),
            None => checked(host, &text).await,
        };
    }
    let Some(hash) = registered(host, key).await? else {
        if host.actor.org_id().is_some() {
            // What is not there was looked for in the database.
            let throttle = &host.app.throttle;
            throttle.count_refused(&host.actor, host.info.ip).await;
        }
        return Err(match host.actor.trusted_only() {
            true => untrusted(),
            false => unknown(host),
        });
    };
    if let Some(document) = host.app.engine.known(&hash) {
        return Ok(document);
    }
    let trusted = &host.app.trusted_documents;
    let text = trusted.text(&host.app, &host.actor, &hash).await;
    match text.map_err(|fault| unread(host, fault))? {
        // What was valid when it was registered need not be so under the schema of today.
        Some(text) => host
            .app
            .engine
            .check(&text)
            .await
            .map_err(|fails| outlived(host, fails)),
        None => Err(unknown(host)),
    }
}

/// Hash of what the caller's organization has registered under that key. Who acts in none has nothing.
async fn registered(host: &RequestHost, key: &DocumentKey) -> Result<Option<[u8; 32]>, Missing> {
    match host.actor.org_id() {
        Some(_) => {
            let trusted = &host.app.trusted_documents;
            let found = trusted.find(&host.app, &host.actor, key).await;
            found.map_err(|fault| unread(host, fault))
        }
        None => Ok(None),
    }
}

async fn checked(host: &RequestHost, text: &str) -> Result<Arc<Document>, Missing> {
    match host.app.engine.document(text, host).await {
        Ok(document) => Ok(document),
        Err(answer) => {
            let throttle = &host.app.throttle;
            throttle.count_refused(&host.actor, host.info.ip).await;
            Err(Missing::Answered(answer))
        }
    }
}

/// By this message and this code clients know that they should send the text.
fn unknown(host: &RequestHost) -> Missing {
    let fail = Fail::new("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound");
    Missing::Answered(answer::refused(&[fail], &host.info.request_id))
}

fn untrusted() -> Missing {
    Missing::Refused(Refused {
        status: StatusCode::FORBIDDEN,
        code: "FORBIDDEN",
        message: "this token executes only documents that its organization has registered \
                  (registerTrustedDocuments), and this is none of them"
            .to_owned(),
    })
}

fn outlived(host: &RequestHost, mut fails: Vec<Fail>) -> Missing {
    for fail in &mut fails {
        let reason = &fail.message;
        fail.message =
            format!("this document was registered, but the schema has changed since: {reason}");
        if !host.may_introspect() {
            fail.without_suggestion();
        }
    }
    Missing::Answered(answer::refused(&fails, &host.info.request_id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HASH: &str = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";

    fn of(query: Option<&str>, id: Option<&str>, extensions: Value) -> Option<Wanted> {
        let extensions = extensions.as_object().cloned().unwrap_or_default();
        wanted(query.map(str::to_owned), id, &extensions).ok()
    }

    fn automatic(version: u64, hash: &str) -> Value {
        json!({ "persistedQuery": { "version": version, "sha256Hash": hash, "miss": true } })
    }

    #[test]
    fn both_ways_of_asking_by_hash_mean_the_same() {
        let hash = sha256(HASH).unwrap();
        let known = Some(Wanted::Known(DocumentKey::Sha256(hash)));
        let id = format!("sha256:{HASH}");
        assert_eq!(of(None, None, automatic(1, HASH)), known);
        assert_eq!(of(None, Some(&id), json!({})), known);
        assert_eq!(of(None, Some(HASH), json!({})), known);
        assert_eq!(of(Some(""), Some(&id), automatic(1, HASH)), known);
        let text = "{ a }".to_owned();
        let remember = Some(Wanted::Remember { text, hash });
        assert_eq!(of(Some("{ a }"), None, automatic(1, HASH)), remember);
        assert_eq!(of(Some("{ a }"), Some(&id), json!({})), remember);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let upper = HASH.to_ascii_uppercase();
        for extensions in [
            automatic(2, HASH),
            automatic(1, &upper),
            automatic(1, &HASH[1..]),
            automatic(1, ""),
            json!({ "persistedQuery": { "sha256Hash": HASH } }),
            json!({ "persistedQuery": { "version": "1", "sha256Hash": HASH } }),
            json!({ "persistedQuery": { "version": 1 } }),
            json!({ "persistedQuery": HASH }),
        ] {
            assert_eq!(of(Some("{ a }"), None, extensions.clone()), None);
            assert_eq!(of(None, None, extensions), None);
        }
        let long = "a".repeat(LONGEST_ID + 1);
        for id in [
            "",
            "a b",
            "sha256:",
            "sha256:abc",
            "md5:abc",
            "x-ours:1",
            &long,
        ] {
            assert_eq!(of(None, Some(id), json!({})), None, "{id}");
        }
        assert_eq!(of(None, Some("mine"), automatic(1, HASH)), None);
        assert_eq!(of(Some("{ a }"), Some("mine"), json!({})), None);
        assert_eq!(of(None, None, json!({})), None);
    }
}
