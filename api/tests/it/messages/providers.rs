//! One contract for all providers over HTTP: against a stand-in that answers as they were seen to answer, each must send what
//! it was seen to want, take yes, no, not now and no such number for what they are, and tell no secret.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::post,
};
use serde_json::{Value, json};

use super::log;
use crate::{
    harness::TestApp,
    jobs::{Worker, until},
};

/// What a provider answers, and what it wants to be asked.
struct Recorded {
    provider: &'static str,
    channel: &'static str,
    name: &'static str,
    sender: &'static str,
    /// Where a message is sent to.
    path: &'static str,
    /// Header and value that prove who sends.
    proof: (&'static str, &'static str),
    /// Parts of the body.
    wants: &'static [&'static str],
    /// Status, header `X-Message-Id`, body; the reference that comes of it.
    yes: (u16, &'static str, &'static str, &'static str),
    /// Nobody is there.
    nobody: (u16, &'static str),
    /// Not like this.
    no: (u16, &'static str),
    /// Not now.
    later: (u16, &'static str),
}

const RECORDED: [Recorded; 4] = [
    Recorded {
        provider: "SENDGRID",
        channel: "EMAIL",
        name: "north",
        sender: "hello@north.example",
        path: "/v3/mail/send",
        proof: ("authorization", "Bearer s3cret"),
        wants: &[
            "\"personalizations\":[{\"to\":[{\"email\":\"{to}\"}]",
            "\"from\":{\"email\":\"hello@north.example\",\"name\":\"The north\"}",
            "\"type\":\"text/plain\"",
            "\"type\":\"text/html\"",
            "\"List-Unsubscribe-Post\":\"List-Unsubscribe=One-Click\"",
        ],
        yes: (202, "14c5d75ce93", "", "14c5d75ce93"),
        nobody: (
            400,
            r#"{"errors":[{"message":"Does not contain a valid address.","field":"personalizations.0.to.0.email","help":null}]}"#,
        ),
        no: (
            403,
            r#"{"errors":[{"message":"The from address does not match a verified Sender Identity.","field":"from","help":null}]}"#,
        ),
        later: (
            429,
            r#"{"errors":[{"field":null,"message":"too many requests"}]}"#,
        ),
    },
    Recorded {
        provider: "TWILIO",
        channel: "SMS",
        name: "AC0123456789abcdef0123456789abcdef",
        sender: "+15005550006",
        path: "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json",
        // base64 of AC0123456789abcdef0123456789abcdef:s3cret
        proof: (
            "authorization",
            "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpzM2NyZXQ=",
        ),
        wants: &["To=%2B{digits}", "From=%2B15005550006", "Body="],
        yes: (
            201,
            "",
            r#"{"sid":"SM8b1c4f3a2d5e6f708192a3b4c5d6e7f8","status":"queued","error_code":null}"#,
            "SM8b1c4f3a2d5e6f708192a3b4c5d6e7f8",
        ),
        nobody: (
            400,
            r#"{"code":21211,"message":"The 'To' number is not a valid phone number.","status":400}"#,
        ),
        no: (
            401,
            r#"{"code":20003,"message":"Authenticate","status":401}"#,
        ),
        later: (
            429,
            r#"{"code":20429,"message":"Too Many Requests","status":429}"#,
        ),
    },
    Recorded {
        provider: "AFRICAS_TALKING",
        channel: "SMS",
        name: "northern",
        sender: "NORTH",
        path: "/version1/messaging",
        proof: ("apikey", "s3cret"),
        wants: &[
            "username=northern",
            "to=%2B{digits}",
            "from=NORTH",
            "message=",
        ],
        yes: (
            201,
            "",
            r#"{"SMSMessageData":{"Message":"Sent to 1/1 Total Cost: KES 0.8000","Recipients":[{"statusCode":101,"number":"+254711000001","cost":"KES 0.8000","status":"Success","messageId":"ATXid_1"}]}}"#,
            "ATXid_1",
        ),
        nobody: (
            201,
            r#"{"SMSMessageData":{"Message":"Sent to 0/1","Recipients":[{"statusCode":403,"number":"x","cost":"0","status":"InvalidPhoneNumber","messageId":"None"}]}}"#,
        ),
        no: (
            201,
            r#"{"SMSMessageData":{"Message":"Sent to 0/1","Recipients":[{"statusCode":405,"number":"x","cost":"0","status":"InsufficientBalance","messageId":"None"}]}}"#,
        ),
        later: (
            201,
            r#"{"SMSMessageData":{"Message":"Sent to 0/1","Recipients":[{"statusCode":501,"number":"x","cost":"0","status":"GatewayError","messageId":"None"}]}}"#,
        ),
    },
    Recorded {
        provider: "WHATSAPP_CLOUD",
        channel: "WHATSAPP",
        name: "106540352242922",
        sender: "+15550783881",
        path: "/v23.0/106540352242922/messages",
        proof: ("authorization", "Bearer s3cret"),
        wants: &[
            "\"messaging_product\":\"whatsapp\"",
            "\"to\":\"{digits}\"",
            "\"type\":\"text\"",
            "\"preview_url\":false",
        ],
        yes: (
            200,
            "",
            r#"{"messaging_product":"whatsapp","contacts":[{"input":"254711000001","wa_id":"254711000001"}],"messages":[{"id":"wamid.HBgLM"}]}"#,
            "wamid.HBgLM",
        ),
        nobody: (
            400,
            r#"{"error":{"message":"(#131026) Message undeliverable","type":"OAuthException","code":131026}}"#,
        ),
        no: (
            401,
            r#"{"error":{"message":"Error validating access token","type":"OAuthException","code":190}}"#,
        ),
        later: (
            400,
            r#"{"error":{"message":"(#130429) Rate limit hit","type":"OAuthException","code":130429}}"#,
        ),
    },
];

/// What was asked: path, headers, body; and what is answered next.
#[derive(Clone, Default)]
struct StandIn {
    asked: Arc<Mutex<Vec<(String, HeaderMap, String)>>>,
    answers: Arc<Mutex<(u16, &'static str, &'static str)>>,
}

async fn answer(
    State(stand_in): State<StandIn>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let body = String::from_utf8_lossy(&body).into_owned();
    stand_in
        .asked
        .lock()
        .unwrap()
        .push((format!("/{path}"), headers, body));
    let (status, id, body) = *stand_in.answers.lock().unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("x-message-id", id)], body)
}

async fn stand_in() -> (StandIn, String) {
    let stand_in = StandIn::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let routes = Router::new()
        .route("/{*path}", post(answer))
        .with_state(stand_in.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (stand_in, url)
}

#[tokio::test]
async fn every_provider_keeps_the_contract() {
    let (stand_in, url) = stand_in().await;
    let names = [
        "SENDGRID_URL",
        "TWILIO_URL",
        "AFRICAS_TALKING_URL",
        "WHATSAPP_URL",
    ];
    let settings = names.map(|name| (name, url.as_str()));
    let app = TestApp::start_with(&settings).await;
    let north = app.organizer("north").await;
    let worker = Worker::start(&app);
    for (index, recorded) in RECORDED.iter().enumerate() {
        let input = json!({
            "provider": recorded.provider, "name": recorded.name, "sender": recorded.sender, "secret": "s3cret",
        });
        let saved = "messageAccount { id channel provider name sender }";
        let account = north.caller.does("saveMessageAccount", saved, input).await;
        assert_eq!(account["messageAccount"]["channel"], recorded.channel);
        let (yes, id, body, reference) = recorded.yes;
        for (number, (answer, state)) in [
            ((yes, id, body), "SENT"),
            ((recorded.nobody.0, "", recorded.nobody.1), "BOUNCED"),
            ((recorded.no.0, "", recorded.no.1), "FAILED"),
            ((recorded.later.0, "", recorded.later.1), "QUEUED"),
            ((503, "", "<html>"), "QUEUED"),
        ]
        .into_iter()
        .enumerate()
        {
            let digits = format!("2547110{index}000{number}");
            let to = match recorded.channel {
                "EMAIL" => format!("ann-{number}@example.org"),
                _ => format!("+{digits}"),
            };
            *stand_in.answers.lock().unwrap() = answer;
            let input = json!({ "kind": "REMINDER", "channel": recorded.channel, "to": to });
            north
                .caller
                .does("sendTestMessage", "delivery { state }", input)
                .await;
            let case = format!("{} {state}", recorded.provider);
            until(&case, async || {
                let entry = log(&north.caller, &to).await[0].clone();
                entry["state"] == state && entry["attempts"] != 0
            })
            .await;
            let entry = log(&north.caller, &to).await[0].clone();
            // Others that were put off may have been asked for meanwhile.
            let key = match recorded.channel {
                "EMAIL" => &to,
                _ => &digits,
            };
            let asked = stand_in.asked.lock().unwrap().clone();
            let (path, headers, body) = asked
                .into_iter()
                .find(|(.., body)| body.contains(key))
                .expect("it was asked");
            assert_eq!(path, recorded.path, "{case}");
            assert_eq!(headers[recorded.proof.0], recorded.proof.1, "{case}");
            for part in recorded.wants {
                let part = part.replace("{to}", &to).replace("{digits}", &digits);
                assert!(body.contains(&part), "{case}: {part}\n{body}");
            }
            assert_eq!(
                entry["provider"],
                recorded.provider.to_lowercase(),
                "{case}"
            );
            match state {
                "SENT" => assert_eq!(
                    (&entry["providerReference"], &entry["failure"]),
                    (&json!(reference), &Value::Null)
                ),
                _ => assert!(entry["failure"].is_string(), "{case}: {entry:#}"),
            }
            assert!(!entry.to_string().contains("s3cret"), "{case}");
        }
    }
    let bounced = "select count(*) from message_suppressions where reason = 'bounce'";
    assert_eq!(app.database.count(bounced).await, 4);
    worker.stop().await;
}

#[tokio::test]
async fn a_secret_lies_sealed_and_without_an_account_nothing_goes_out_by_sms() {
    let app = TestApp::start().await;
    let north = app.organizer("north").await;
    let test = json!({ "kind": "REMINDER", "channel": "SMS", "to": "+254711000001" });
    let refused = north
        .caller
        .tries("sendTestMessage", "", test.clone())
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "NO_ACCOUNT");
    let input =
        json!({ "provider": "TWILIO", "name": "AC1", "sender": "+1", "secret": "do not tell" });
    let saved = north
        .caller
        .does("saveMessageAccount", "messageAccount { id }", input)
        .await;
    let told = "select count(*) from message_account_secrets where position('do not tell'::bytea in sealed) > 0";
    assert_eq!(app.database.count(told).await, 0);
    let audit =
        "select count(*) from audit_log where to_jsonb(audit_log)::text like '%do not tell%'";
    assert_eq!(app.database.count(audit).await, 0);
    let id = json!({ "id": saved["messageAccount"]["id"] });
    north.caller.does("deleteMessageAccount", "", id).await;
    assert_eq!(
        app.database
            .count("select count(*) from message_account_secrets")
            .await,
        0
    );
    assert_eq!(
        north.caller.tries("sendTestMessage", "", test).await["userErrors"][0]["code"],
        "NO_ACCOUNT"
    );
    for (field, value) in [("name", "../x"), ("sender", ""), ("secret", "a\nb")] {
        let mut input =
            json!({ "provider": "TWILIO", "name": "AC1", "sender": "+1", "secret": "s" });
        input[field] = json!(value);
        let refused = north.caller.tries("saveMessageAccount", "", input).await;
        assert_eq!(
            refused["userErrors"][0]["field"],
            json!([field]),
            "{refused:#}"
        );
    }
}
