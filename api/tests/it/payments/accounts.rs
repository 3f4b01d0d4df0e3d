//! Accounts at providers: what keys they take, and what is seen of them.

use serde_json::{Value, json};

use super::peers::keys;
use crate::harness::{Organizer, TestApp};

/// Keys by name.
type Keys<'a> = &'a [(&'a str, &'a str)];

async fn opens(organizer: &Organizer, provider: &str, credentials: Keys<'_>) -> Value {
    let input = json!({
        "provider": provider, "name": format!("{provider} {}", credentials.len()), "credentials": keys(credentials),
    });
    let selection = "webhookUrl paymentAccount { id provider live }";
    let caller = &organizer.caller;
    caller.tries("createPaymentAccount", selection, input).await
}

const STRIPE: [(&str, &str); 2] = [
    ("secret_key", "sk_live_51H8gKLkdI"),
    ("publishable_key", "pk_live_51H8gKLkdI"),
];

#[tokio::test]
async fn keys_have_the_form_of_their_provider_and_say_whether_the_money_is_real() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let wrong: [(&str, Keys<'_>, &str); 9] = [
        (
            "stripe",
            &STRIPE[..1],
            "`publishable_key` has 8 to 500 characters",
        ),
        (
            "stripe",
            &[("secret_key", "pk_live_51H8gKLkdI"), STRIPE[1]],
            "`secret_key` begins with sk_test_ or sk_live_ or rk_test_ or rk_live_",
        ),
        (
            "stripe",
            &[STRIPE[0], STRIPE[1], ("webhook_secret", "secret of ours")],
            "`webhook_secret` begins with whsec_",
        ),
        (
            "stripe",
            &[STRIPE[0], STRIPE[1], ("client_id", "12345678")],
            "the provider has no key of that name",
        ),
        (
            "paypal",
            &[
                ("client_id", "12345678"),
                ("client_secret", "12345678"),
                ("environment", "test"),
            ],
            "`environment` is `sandbox` or `live`, as the app is",
        ),
        (
            "toss",
            &[("secret_key", "live_gsk_12345")],
            "`secret_key` begins with test_sk_ or live_sk_",
        ),
        ("paystack", &[], "`secret_key` has 8 to 500 characters"),
        ("offline", &[], "`instructions` has 1 to 2000 characters"),
        (
            "offline",
            &[("instructions", "cash"), ("due_days", "91")],
            "`due_days` is days that they have, 1 to 90; 7 when left out",
        ),
    ];
    for (provider, credentials, sentence) in wrong {
        let refused = opens(&organizer, provider, credentials).await;
        assert_eq!(refused["userErrors"][0]["code"], "CREDENTIALS_INVALID");
        assert_eq!(refused["userErrors"][0]["message"], sentence);
    }
    // Its money is for trying out, and a configured database is not.
    let refused = opens(&organizer, "sandbox", &[]).await;
    assert_eq!(refused["userErrors"][0]["code"], "PROVIDER_UNKNOWN");

    let made = opens(&organizer, "stripe", &STRIPE).await;
    assert_eq!(made["paymentAccount"]["live"], true);
    let url = made["webhookUrl"].as_str().unwrap();
    assert!(
        url.starts_with(&format!("{}/webhooks/stripe/", app.url)),
        "{url}"
    );
    // Without a secret of the webhook nothing is believed.
    let told = app.http().post(url).body("{}").send().await.unwrap();
    assert_eq!(told.status(), 400);

    let test = keys(&[("secret_key", "sk_test_51H8gKLkdI")]);
    let input = json!({ "paymentAccountId": made["paymentAccount"]["id"], "credentials": test });
    let selection = "paymentAccount { live name }";
    let changed = organizer
        .caller
        .does("updatePaymentAccount", selection, input)
        .await;
    assert_eq!(changed["paymentAccount"]["live"], false);
    let fine: [(&str, Keys<'_>, bool); 4] = [
        (
            "paypal",
            &[
                ("client_id", "12345678"),
                ("client_secret", "12345678"),
                ("environment", "live"),
            ],
            true,
        ),
        ("paystack", &[("secret_key", "sk_test_123456")], false),
        (
            "toss",
            &[
                ("secret_key", "live_sk_123456"),
                ("client_key", "live_ck_123456"),
            ],
            true,
        ),
        ("offline", &[("instructions", "cash")], true),
    ];
    for (provider, credentials, live) in fine {
        let made = opens(&organizer, provider, credentials).await;
        assert_eq!(made["paymentAccount"]["live"], live, "{made:#}");
    }
}
