//! Calls that are repeated under their key until they are answered, and what they were told.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::farm::{Ports, Signs};
use crate::dice::Dice;

/// Longest that a call may go without an answer, servers that are down and start again included.
const PATIENCE: Duration = Duration::from_secs(90);

/// Who asks.
#[derive(Clone, Debug)]
pub enum Who {
    Visitor,
    /// By a guest secret.
    Guest(String),
    /// By an API token of the organization.
    Staff(Arc<str>),
}

/// A call under one key, and what it was told first.
#[derive(Clone, Debug)]
pub struct Kept {
    pub who: Who,
    pub verb: &'static str,
    pub input: Value,
    /// What is the same each time.
    pub told: Value,
    /// How the registration stood when it was told first.
    pub status: String,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// The connection could not be made: nothing was sent.
    Away,
    /// It was sent, and the connection broke: nobody knows.
    Lost,
    /// The server said to try again.
    #[expect(dead_code, reason = "told when nobody ever answers")]
    Later(String),
}

/// Where everybody sends their calls from.
#[derive(Clone)]
pub struct Desk {
    pub http: reqwest::Client,
    pub ports: Ports,
    pub signs: Arc<Signs>,
    /// All calls that were answered.
    pub book: Arc<Mutex<Vec<Kept>>>,
    /// How often each verb was done.
    pub done: Arc<Mutex<BTreeMap<&'static str, usize>>>,
    /// Calls whose first sending was lost, and calls that were told the same by both processes.
    pub lost: Arc<AtomicUsize>,
    pub repeated: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let heard = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        write!(
            to,
            "{} calls, {} sendings lost, {} told again; {} killed, {} stopped",
            heard(&self.signs.answered),
            heard(&self.lost),
            heard(&self.repeated),
            heard(&self.signs.killed),
            heard(&self.signs.stopped),
        )
    }
}

impl Desk {
    pub fn new(ports: Ports, signs: Arc<Signs>) -> Self {
        Self {
            http: reqwest::Client::builder()
                .timeout(Duration::from_secs(40))
                .build()
                .expect("a client"),
            ports,
            signs,
            book: Arc::default(),
            done: Arc::default(),
            lost: Arc::default(),
            repeated: Arc::default(),
        }
    }

    /// Calls until it is answered, sometimes twice, sometimes twice at once at both servers; the payload. All answers
    /// must say the same.
    pub async fn call(
        &self,
        dice: &mut Dice,
        who: &Who,
        verb: &'static str,
        mut input: Value,
    ) -> Value {
        input["idempotencyKey"] = json!(uuid::Uuid::new_v4());
        let at = dice.below(2);
        let mut answers = match dice.below(8) {
            0 => {
                let (one, other) = tokio::join!(
                    self.insist(at, who, verb, &input),
                    self.insist(1 - at, who, verb, &input)
                );
                vec![one, other]
            }
            1 if verb != "transferTicket" => vec![
                self.insist(at, who, verb, &input).await,
                self.insist(1 - at, who, verb, &input).await,
            ],
            _ => vec![self.insist(at, who, verb, &input).await],
        };
        let told = stable(&answers[0]);
        // Of many some may be done, and others refused.
        if is_done(&told) || told["registrations"].get(0).is_some() {
            *self.done.lock().expect("unbroken").entry(verb).or_default() += 1;
        }
        for again in &answers[1..] {
            assert_eq!(stable(again), told, "told differently: {verb} {input}");
            self.repeated.fetch_add(1, Ordering::Relaxed);
        }
        self.signs.answered.fetch_add(1, Ordering::Relaxed);
        let status = answers[0]["registration"]["status"].as_str();
        let status = status.unwrap_or_default();
        self.book.lock().expect("unbroken").push(Kept {
            who: who.clone(),
            verb,
            input,
            told,
            status: status.to_owned(),
        });
        answers.swap_remove(0)
    }

    /// The one of these verbs that was done least: so a storm need not be long to have seen everything.
    pub fn rarest<const N: usize>(&self, verbs: [&'static str; N]) -> &'static str {
        let done = self.done.lock().expect("unbroken");
        let times = |verb: &&str| done.get(verb).copied().unwrap_or(0);
        verbs.into_iter().min_by_key(times).expect("some verb")
    }

    /// The payload of that call, from that server or whichever answers.
    pub async fn insist(
        &self,
        first: usize,
        who: &Who,
        verb: &'static str,
        input: &Value,
    ) -> Value {
        let mut at = first;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let why = match self.send(at, who, verb, input).await {
                Ok(payload) => return payload,
                Err(why) => why,
            };
            if matches!(why, Unanswered::Lost) {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
            assert!(
                Instant::now() < deadline,
                "never answered: {why:?} {verb} {input}"
            );
            at = 1 - at;
            // Whoever is told to come later, or finds nobody, does so in a moment.
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Sends it once.
    pub async fn send(
        &self,
        at: usize,
        who: &Who,
        verb: &'static str,
        input: &Value,
    ) -> Result<Value, Unanswered> {
        let port = self.ports[at].load(Ordering::Relaxed);
        if port == 0 {
            return Err(Unanswered::Away);
        }
        let mut kind = verb.to_owned();
        kind[..1].make_ascii_uppercase();
        let query = format!(
            "mutation($input: {kind}Input!) {{ {verb}(input: $input) {{ {} userErrors {{ code field }} }} }}",
            selection(verb)
        );
        // A client of its own each time: how often one address may ask is another test's matter.
        let [a, b, c, ..] = uuid::Uuid::new_v4().into_bytes();
        let mut request = self
            .http
            .post(format!("http://127.0.0.1:{port}/graphql"))
            .header("accept", "application/json")
            .header("x-forwarded-for", format!("11.{a}.{b}.{c}"))
            .json(&json!({ "query": query, "variables": { "input": input } }));
        match who {
            Who::Visitor => {}
            Who::Guest(secret) => request = request.header("x-guest-secret", secret),
            Who::Staff(token) => request = request.bearer_auth(token),
        }
        let response = request.send().await.map_err(|error| match error {
            error if error.is_connect() => Unanswered::Away,
            _ => Unanswered::Lost,
        })?;
        let mut answer: Value = response.json().await.map_err(|_| Unanswered::Lost)?;
        if let Some(error) = answer["errors"].get(0) {
            let code = error["extensions"]["code"].as_str().unwrap_or("");
            assert!(
                ["UNAVAILABLE", "TIMEOUT", "THROTTLED"].contains(&code),
                "{verb} {input} as {who:?} gave {answer:#}"
            );
            return Err(Unanswered::Later(error.to_string()));
        }
        Ok(answer["data"][verb].take())
    }
}

/// What is asked back of each verb.
fn selection(verb: &str) -> &'static str {
    const REGISTRATION: &str =
        "registration { id confirmationNumber status items { nodes { id cancelledAt ticketType { id } } }
         tickets { nodes { id status } } }";
    match verb {
        "placeRegistration" => {
            "guestSecret priceChange { total { minorUnits } } registration { id confirmationNumber status
             items { nodes { id cancelledAt ticketType { id } } } }"
        }
        "extendRegistration" => "takenAgain priceChanged registration { id }",
        "confirmRegistration" | "cancelRegistration" | "changeRegistration" => REGISTRATION,
        "approveRegistration" | "rejectRegistration" => "registration { id }",
        "approveRegistrations" | "rejectRegistrations" => "registrations { id }",
        "transferTicket" | "cancelTransfer" => "transfer { id }",
        "acceptTransfer" => "guestSecret ticket { id code }",
        "declineTransfer" => "declined",
        "createHold" | "changeHold" => "holdKey hold { id }",
        "releaseHold" => "hold { id }",
        "reservePromoCodeStock" => "reserved promoCode { id }",
        "joinWaitlist" => "guestSecret waitlistEntry { id }",
        "acceptWaitlistOffer" => {
            "guestSecret waitlistEntry { id } registration { id confirmationNumber status
             items { nodes { id cancelledAt ticketType { id } } } }"
        }
        "declineWaitlistOffer" | "leaveWaitlist" => "waitlistEntry { id }",
        "createPayment" => "payment { id status providerReference }",
        "refundPayment" => "refund { id }",
        other => panic!("what does {other} answer?"),
    }
}

/// A payload without what changes with time: entities are read as they are now.
pub fn stable(payload: &Value) -> Value {
    let mut told = payload.clone();
    if let Some(registration) = told.get_mut("registration").and_then(Value::as_object_mut) {
        for name in ["status", "items", "tickets"] {
            registration.remove(name);
        }
    }
    told
}

/// Whether it was done.
pub fn is_done(told: &Value) -> bool {
    told["userErrors"] == json!([])
}
