//! Where the provider has to be asked whether it sent something, many who make things up do not make it asked without end.

use std::{net::Ipv4Addr, sync::Arc};

use super::{
    contract::Trial,
    peers::{PayPal, Peer, Told, Toss},
};

impl Trial {
    /// Sends a webhook from another address of this machine.
    async fn send_from(&self, last: u8, hook: &super::peers::Hook, name: &str) -> (u16, bool) {
        let client =
            reqwest::Client::builder().local_address(Some(Ipv4Addr::new(127, 0, 0, last).into()));
        let client = client.build().expect("a client");
        let url = format!(
            "{}/webhooks/{name}/{}",
            self.stage.app.url, self.stage.account
        );
        let mut request = client.post(url).body(hook.body.clone());
        for (name, value) in &hook.headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await.expect("an answer");
        let says_when = answer.headers().contains_key("retry-after");
        (answer.status().as_u16(), says_when)
    }
}

async fn is_not_asked_without_end(peer: Arc<dyn Peer>) {
    let trial = Trial::of(peer.clone()).await;
    let name = peer.kind().name;
    let started = trial.started().await;
    peer.pay(&trial.stage, &started.payment, &started.key, false)
        .await;
    let mut forged = peer.hook(&started.key, Told::Paid, true);
    if name == "toss" {
        // Of a payment that Toss knows nothing of: else it would be a hint like any other.
        forged.body = forged
            .body
            .replace(&started.key, &uuid::Uuid::new_v4().to_string());
    }
    let (before, begun) = (peer.books().asked(), std::time::Instant::now());
    let mut statuses = vec![];
    for last in 2..=4 {
        for _ in 0..320 {
            statuses.push(trial.send_from(last, &forged, name).await);
        }
    }
    let many = |wanted: u16| {
        statuses
            .iter()
            .filter(|(status, _)| *status == wanted)
            .count()
    };
    // What comes back while this runs: one a second.
    let back = usize::try_from(begun.elapsed().as_secs()).expect("not long") + 5;
    assert!(
        (600..=600 + back).contains(&many(400)),
        "{} were asked about",
        many(400)
    );
    assert_eq!(many(400) + many(429), statuses.len());
    assert!(
        statuses
            .iter()
            .all(|(status, says)| *status == 400 || *says)
    );
    let asked = peer.books().asked() - before;
    assert!(asked <= 650 + back, "asked {asked} times");
    assert_eq!(statuses[0].0, 400);
    assert_eq!(
        statuses[319].0, 429,
        "one address is not listened to any more"
    );
    assert_eq!(
        trial
            .stage
            .number("select count(*) from payment_events")
            .await,
        0
    );

    // What the provider itself sends meanwhile is to be sent again; the sale is found without it.
    let genuine = peer.hook(&started.key, Told::Paid, false);
    assert_eq!(trial.send_from(5, &genuine, name).await, (429, true));
    trial.poll().await;
    trial
        .stage
        .becomes(&started.buyer, "CONFIRMED", "PAID")
        .await;
    trial.end().await;
}

#[tokio::test]
async fn r18_paypal_is_not_asked_without_end_about_what_others_make_up() {
    is_not_asked_without_end(Arc::new(PayPal::default())).await;
}

#[tokio::test]
async fn r18_toss_is_not_asked_without_end_about_what_others_make_up() {
    is_not_asked_without_end(Arc::new(Toss::default())).await;
}

#[tokio::test]
async fn r18_what_the_provider_sends_counts_against_nobody() {
    let peer = Arc::new(PayPal::default());
    let trial = Trial::of(peer.clone()).await;
    let started = trial.started().await;
    peer.pay(&trial.stage, &started.payment, &started.key, false)
        .await;
    let genuine = peer.hook(&started.key, Told::Paid, false);
    for _ in 0..320 {
        assert_eq!(trial.send_from(2, &genuine, "paypal").await.0, 200);
    }
    trial
        .stage
        .becomes(&started.buyer, "CONFIRMED", "PAID")
        .await;
    trial.end().await;
}
