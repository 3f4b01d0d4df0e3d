//! Documents that ask for very many columns: answered as far as PostgreSQL takes them, refused before it beyond.

use serde_json::json;

use crate::harness::{EventSetup, TestApp};

/// The same relation so many times, each with some sixty columns.
fn wide(times: usize) -> String {
    let each: String = (1..=times)
        .map(|n| format!("a{n}: sessions(first: 1) {{ nodes {{ ...S }} }} "))
        .collect();
    format!(
        "query {{ events(first: 1) {{ nodes {{ slug {each} }} }} }}
         fragment S on Session {{
           id title description room track startsAt endsAt position createdAt updatedAt
           event {{
             id slug title summary description status visibility format timeZone currency startsAt endsAt holdSeconds
             maxTicketsPerRegistration requiresApproval calendarSequence publishedAt cancelledAt createdAt updatedAt
             organization {{ ...O }}
             venue {{
               id name addressLine city region postalCode country timeZone createdAt updatedAt
               organization {{ ...O }}
             }}
           }}
         }}
         fragment O on Organization {{
           id slug name country defaultCurrency timeZone supportEmail createdAt updatedAt
         }}"
    )
}

#[tokio::test]
async fn a_very_wide_document_is_answered_and_one_beyond_all_bounds_is_refused() {
    let app = TestApp::start().await;
    let organizer = app.organizer("acme").await;
    organizer.event(&EventSetup::default()).await;
    let data = organizer.caller.ask(&wide(20), json!({})).await;
    let node = &data["events"]["nodes"][0];
    assert_eq!(node.as_object().map(|node| node.len()), Some(21));
    for n in 1..=20 {
        let session = &node[format!("a{n}")]["nodes"][0];
        assert_eq!(session["title"], "Opening", "{session}");
        assert_eq!(session["event"]["organization"]["slug"], "acme");
        assert_eq!(session["event"]["venue"], json!(null));
    }

    let answer = organizer.caller.send(&wide(30), json!({})).await;
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    assert_eq!(
        error["message"],
        "an operation reads at most 1600 different columns"
    );
}
