//! Who asks, and what comes back: the bytes of the answer, without the number of the request.

use std::sync::Arc;

use reqwest::{RequestBuilder, Response, header::CONTENT_TYPE};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ledger::{self, Asked};
use crate::harness::TestApp;

/// Somebody who can send a request.
#[derive(Clone, Debug)]
pub struct Who {
    /// How a failing test calls them.
    pub name: String,
    /// Access or API token.
    pub token: Option<String>,
    /// Guest secret.
    pub guest: Option<String>,
    /// Their number among those who are asked the same: which way a question takes depends on it.
    pub turn: usize,
}

/// How a document comes to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Its text, by POST.
    PostText,
    /// Its hash as Apollo's clients say it, by POST.
    PostHash,
    /// Its hash as `documentId`, by POST.
    PostId,
    /// Its text, by GET.
    GetText,
    /// Its hash as Apollo's clients say it, by GET.
    GetHash,
    /// Its hash as `documentId`, by GET.
    GetId,
}

/// All ways.
pub const WAYS: [Way; 6] = [
    Way::PostText,
    Way::PostHash,
    Way::PostId,
    Way::GetText,
    Way::GetHash,
    Way::GetId,
];
/// An address with more than this in it is longer than servers take.
const LONGEST_ADDRESS: usize = 30_000;

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, with every request id blanked.
    pub text: String,
    /// What it answers.
    pub asked: Arc<Asked>,
}

/// Two answers are equal by their bytes, whatever was asked.
impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        (self.status, &self.text) == (other.status, &other.text)
    }
}

impl Answer {
    /// The body, read.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// The codes of its errors.
    pub fn codes(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .filter_map(|error| error["extensions"]["code"].as_str().map(str::to_owned))
            .collect()
    }
}

impl Who {
    /// Nobody in particular.
    pub fn anonymous() -> Self {
        Self {
            name: "anonymous".to_owned(),
            token: None,
            guest: None,
            turn: 0,
        }
    }

    /// Whoever holds the token.
    pub fn with_token(name: impl Into<String>, token: &Value) -> Self {
        Self {
            name: name.into(),
            token: Some(token.as_str().expect("a token").to_owned()),
            ..Self::anonymous()
        }
    }

    /// Whoever holds the guest secret.
    pub fn with_guest(name: impl Into<String>, secret: &Value) -> Self {
        Self {
            name: name.into(),
            guest: Some(secret.as_str().expect("a guest secret").to_owned()),
            ..Self::anonymous()
        }
    }

    /// Whether this is somebody of Bilbao, to whom things of Bilbao belong.
    fn is_rightful(&self) -> bool {
        self.name.contains("bilbao")
    }

    /// The way that this question of theirs takes: always the same one, and others of other people.
    fn way(&self, query: &str, variables: &Value) -> Way {
        let hash = Sha256::digest(query.as_bytes());
        let way = WAYS[(usize::from(hash[0]) + self.turn) % WAYS.len()];
        let is_read = !query.trim_start().starts_with("mutation");
        let long = variables.to_string().len() + query.len();
        match way {
            // What changes something does not come by GET.
            Way::GetText | Way::GetHash | Way::GetId if !is_read => Way::PostText,
            Way::GetText if long > LONGEST_ADDRESS => Way::GetHash,
            way => way,
        }
    }

    /// Asks, by the way that it is this person's turn for.
    pub async fn ask(&self, app: &TestApp, query: &str, variables: &Value) -> Answer {
        self.ask_by(self.way(query, variables), app, query, variables)
            .await
    }

    /// Asks by that way.
    pub async fn ask_by(&self, way: Way, app: &TestApp, query: &str, variables: &Value) -> Answer {
        ledger::schema(|| app.app.engine.sdl());
        let mut response = self.send(app, &parts(way, query, variables, false)).await;
        let mut text = response.1;
        // As a client does that has not sent it before.
        if text.contains("\"PERSISTED_QUERY_NOT_FOUND\"") {
            response = self.send(app, &parts(way, query, variables, true)).await;
            text = response.1;
        }
        let asked = Asked {
            query: query.to_owned(),
            variables: variables.clone(),
            way,
        };
        if self.is_rightful() {
            ledger::note_answered(&asked, &text);
        }
        Answer {
            status: response.0,
            text: without_chance(&text),
            asked: Arc::new(asked),
        }
    }

    /// Asks for the document that is registered under that name.
    pub async fn ask_named(
        &self,
        by_get: bool,
        app: &TestApp,
        (name, query): (&str, &str),
        variables: &Value,
    ) -> Answer {
        let said = json!({ "documentId": name, "variables": variables });
        let (status, text) = self.send(app, &(by_get, said)).await;
        let way = if by_get { Way::GetId } else { Way::PostId };
        let (query, variables) = (query.to_owned(), variables.clone());
        Answer {
            status,
            text: without_chance(&text),
            asked: Arc::new(Asked {
                query,
                variables,
                way,
            }),
        }
    }

    /// Status and body.
    async fn send(&self, app: &TestApp, (by_get, said): &(bool, Value)) -> (u16, String) {
        let url = format!("{}/graphql", app.url);
        let request = match by_get {
            false => app.http().post(url).json(said),
            true => {
                let pairs = said.as_object().into_iter().flatten();
                let pairs = pairs.map(|(name, value)| match value {
                    Value::String(text) => format!("{name}={}", escaped(text)),
                    other => format!("{name}={}", escaped(&other.to_string())),
                });
                let pairs = pairs.collect::<Vec<_>>().join("&");
                let request = app.http().get(format!("{url}?{pairs}"));
                request.header(CONTENT_TYPE, "application/json")
            }
        };
        let response = self.signed(request).send().await.expect("an answer");
        if *by_get {
            self.may_be_kept_by_nobody_else(&response);
        }
        let status = response.status().as_u16();
        (status, response.text().await.expect("a body"))
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        let mut request = request
            .header("accept", "application/graphql-response+json")
            .header("user-agent", format!("browser-of-{}", self.name));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(guest) = &self.guest {
            request = request.header("x-guest-secret", guest);
        }
        request
    }

    /// What caches may keep is what anybody gets, and they keep it apart from what others may ask for.
    fn may_be_kept_by_nobody_else(&self, response: &Response) {
        let headers = response.headers();
        let control = headers["cache-control"].to_str().expect("ASCII");
        if self.token.is_some() || self.guest.is_some() {
            assert_eq!(control, "no-store", "{}", self.name);
        }
        let kept = control != "no-store";
        assert_eq!(headers.contains_key("etag"), kept, "{}", self.name);
        if kept {
            let vary = headers.get_all("vary").iter();
            let vary: String = vary
                .map(|one| one.to_str().expect("ASCII").to_lowercase() + ",")
                .collect();
            for name in ["authorization", "x-guest-secret", "accept"] {
                assert!(vary.contains(name), "{} {vary}", self.name);
            }
        }
    }

    /// Asks, and takes nothing for an answer that failed for a reason that would hide a leak.
    pub async fn asks(&self, app: &TestApp, query: &str, variables: &Value) -> Answer {
        let answer = self.ask(app, query, variables).await;
        // A question that was refused whole would prove nothing.
        assert_eq!(
            answer.status, 200,
            "{} {query} {variables}: {}",
            self.name, answer.text
        );
        for code in answer.codes() {
            assert!(
                matches!(
                    code.as_str(),
                    "FORBIDDEN" | "UNAUTHENTICATED" | "NOT_FOUND" | "CONFLICT"
                ),
                "{} {query} {variables}: {}",
                self.name,
                answer.text
            );
        }
        answer
    }
}

/// Whether it goes by GET, and what is said. `with_text`: the text beside its hash, for one that is not known.
fn parts(way: Way, query: &str, variables: &Value, with_text: bool) -> (bool, Value) {
    let digest = || {
        let hash = Sha256::digest(query.as_bytes());
        hash.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let persisted = || json!({ "persistedQuery": { "version": 1, "sha256Hash": digest() } });
    let mut said = match way {
        Way::PostText | Way::GetText => json!({ "query": query }),
        Way::PostHash | Way::GetHash => json!({ "extensions": persisted() }),
        Way::PostId | Way::GetId => json!({ "documentId": format!("sha256:{}", digest()) }),
    };
    said["variables"] = variables.clone();
    if with_text {
        // Only beside a hash that clients of Apollo send is a text remembered; the hash alone names it from then on.
        said = json!({ "query": query, "extensions": persisted(), "variables": variables });
    }
    // The text is too long for an address where its hash is asked for by one.
    let by_get = matches!(way, Way::GetText | Way::GetHash | Way::GetId);
    let fits = said.to_string().len() < LONGEST_ADDRESS;
    (by_get && fits, said)
}

fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    let each = text.as_bytes().iter().map(|byte| match plain(byte) {
        true => char::from(*byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    each.collect()
}

/// What differs between two equal answers: the request's id, and what is left of the caller's own points.
fn without_chance(text: &str) -> String {
    let text = without(text, "\"requestId\":\"", '"');
    without(&text, "\"available\":", ',').replace("\"available\":,", "\"available\":0,")
}

/// The text without what stands between each mark and the next `end`.
fn without(text: &str, mark: &str, end: char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(mark) {
        out.push_str(before);
        out.push_str(mark);
        rest = after.find(end).map_or("", |at| &after[at..]);
    }
    out.push_str(rest);
    out
}
