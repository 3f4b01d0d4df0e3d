//! Where buyers are sent after they paid: to the shops that the organization names, to pages of this server, nowhere else.

use serde_json::{Value, json};

use super::{Buyer, Stage};
use crate::harness::key;

const SHOP: &str = "https://shop.example/thanks?order=1";

impl Stage {
    async fn starts(&self, buyer: &Buyer, back: &str) -> Value {
        let input = json!({ "registrationId": buyer.registration, "returnUrl": back, "idempotencyKey": key() });
        let caller = &buyer.caller;
        caller
            .tries("createPayment", "payment { id status }", input)
            .await
    }

    async fn sends_to(&self, origins: &[&str]) -> Value {
        let input = json!({ "paymentAccountId": self.account_id, "returnOrigins": origins });
        let selection = "paymentAccount { returnOrigins }";
        let member = &self.organizer.caller;
        member.tries("updatePaymentAccount", selection, input).await
    }

    /// Where the newest payment's page sends its buyer; `None` when it keeps them.
    async fn leads(&self) -> Option<String> {
        let admin = self.app.database.admin().await;
        let sql = "select id::text from payments order by created_at desc, id desc limit 1";
        let id: String = admin.query_one(sql, &[]).await.expect("a payment").get(0);
        let stays = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let url = format!("{}/payments/return/{id}", self.app.url);
        let answer = stays
            .build()
            .unwrap()
            .get(url)
            .send()
            .await
            .expect("a page");
        let to = answer.headers().get("location");
        to.map(|to| to.to_str().expect("text").to_owned())
    }
}

#[tokio::test]
async fn buyers_are_sent_where_the_organization_allows_and_nowhere_else() {
    let stage = Stage::new().await;
    let buyer = stage.buyer().await;
    let refused = stage.starts(&buyer, SHOP).await;
    let code = &refused["userErrors"][0]["code"];
    assert_eq!(code, "RETURN_URL_NOT_ALLOWED", "{refused:#}");
    assert_eq!(stage.number("select count(*) from payments").await, 0);

    // Pages of this server need no permission.
    let home = format!("{}/playground", stage.app.url);
    let made = stage.starts(&buyer, &home).await;
    assert_eq!(made["payment"]["status"], "PENDING", "{made:#}");
    assert_eq!(stage.leads().await, Some(home));

    let set = stage
        .sends_to(&["https://Shop.example/", "https://shop.example"])
        .await;
    let kept = &set["paymentAccount"]["returnOrigins"];
    assert_eq!(kept, &json!(["https://shop.example"]), "{set:#}");
    let made = stage.starts(&buyer, SHOP).await;
    assert_eq!(made["payment"]["status"], "PENDING", "{made:#}");
    assert_eq!(stage.leads().await.as_deref(), Some(SHOP));
    for foul in [
        "https://shop.example.evil.example/thanks",
        "https://shop.example@evil.example/thanks",
        "https://shop.example:8443/thanks",
        "http://shop.example/thanks",
        "https://evil.example/?https://shop.example",
    ] {
        let refused = stage.starts(&buyer, foul).await;
        let code = refused["userErrors"][0]["code"].as_str();
        let codes = ["RETURN_URL_NOT_ALLOWED", "INVALID"];
        assert!(
            code.is_some_and(|code| codes.contains(&code)),
            "{foul}: {refused:#}"
        );
    }
    for foul in ["javascript:alert(1)", "/thanks", "//shop.example/", ""] {
        let refused = stage.starts(&buyer, foul).await;
        assert_eq!(
            refused["userErrors"][0]["code"], "INVALID",
            "{foul}: {refused:#}"
        );
    }

    // What is not allowed any more is not followed any more.
    stage.sends_to(&[]).await;
    assert_eq!(stage.leads().await, None);
}

#[tokio::test]
async fn only_what_a_browser_is_safe_with_can_be_allowed() {
    let stage = Stage::new().await;
    for foul in [
        "http://shop.example",
        "https://shop.example/thanks",
        "https://*",
        "shop",
    ] {
        let refused = stage.sends_to(&["http://localhost:3000", foul]).await;
        let error = &refused["userErrors"][0];
        assert_eq!(error["code"], "INVALID", "{foul}: {refused:#}");
        assert_eq!(error["field"], json!(["returnOrigins", "1"]), "{foul}");
    }
    let many: Vec<String> = (0..21)
        .map(|n| format!("https://shop-{n}.example"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let refused = stage.sends_to(&many).await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID");
    let set = stage.sends_to(&many[..20]).await;
    assert_eq!(set["userErrors"], json!([]));
}
