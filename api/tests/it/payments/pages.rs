//! What buyers see of us: the pages that say how a payment stands, in their language, also when there is none.

use super::Stage;

struct Seen {
    status: u16,
    text: String,
}

impl Stage {
    async fn sees(&self, path: &str, languages: &str) -> Seen {
        let request = self.app.http().get(format!("{}{path}", self.app.url));
        let answer = request.header("accept-language", languages).send().await;
        let answer = answer.expect("a page");
        let headers = answer.headers();
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(headers["cache-control"], "no-store");
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        Seen {
            status: answer.status().as_u16(),
            text: answer.text().await.expect("text"),
        }
    }
}

impl Seen {
    fn says(&self, status: u16, sentences: &[&str]) {
        assert_eq!(self.status, status, "{}", self.text);
        for sentence in sentences {
            assert!(
                self.text.contains(sentence),
                "no {sentence:?}: {}",
                self.text
            );
        }
    }
}

#[tokio::test]
async fn a_payment_that_does_not_exist_is_told_to_people() {
    let stage = Stage::new().await;
    for path in [
        "/payments/pay/019b0000-0000-7000-8000-000000000000",
        "/payments/return/019b0000-0000-7000-8000-000000000000",
        "/payments/return/nonsense",
        "/sandbox/pay/nonsense",
    ] {
        let seen = stage.sees(path, "").await;
        seen.says(404, &["lang=\"en\"", "There is no such payment."]);
    }
    let seen = stage.sees("/payments/pay/nonsense", "de-AT,en;q=0.5").await;
    seen.says(404, &["lang=\"de\"", "Diese Zahlung gibt es nicht."]);
}

#[tokio::test]
async fn one_who_comes_back_reads_what_it_is_about_how_it_stands_and_where_to_go_on() {
    let stage = Stage::new().await;
    let title = "Ink & <Index>";
    let admin = stage.app.database.admin().await;
    let update = "update events set title = $1";
    admin.execute(update, &[&title]).await.expect("a title");
    let buyer = stage.buyer().await;
    let paying = stage.pay(&buyer).await;
    let back = format!("/payments/return/{}", paying.key);
    let page = format!("{}/sandbox/pay/{}", stage.app.url, paying.reference);
    let way = format!("href=\"{page}\"");
    let seen = stage.sees(&back, "").await;
    seen.says(
        200,
        &[
            "<h1>Ink &amp; &lt;Index&gt;</h1>",
            "<p class=\"whose\">The north · <span>REG-",
            "10.00 <span>EUR</span>",
            "We wait for word",
            "Not paid yet?",
            &way,
        ],
    );
    let seen = stage.sees(&back, "fr;q=0.9, de;q=0.8").await;
    seen.says(200, &["lang=\"de\"", "Wir warten", "Noch nicht bezahlt?"]);

    stage.press(&paying, "decline").await;
    let seen = stage.sees(&back, "").await;
    seen.says(200, &["The payment did not succeed"]);
    assert!(!seen.text.contains(&page), "{}", seen.text);
    let again = stage.pay(&buyer).await;
    stage.press(&again, "silent").await;
    // Its webhook never comes, and the one who is back need not wait for the clock.
    let back = format!("/payments/return/{}", again.key);
    let seen = stage.sees(&back, "").await;
    seen.says(200, &["This is paid. Thank you."]);
    assert!(!seen.text.contains("Not paid yet"), "{}", seen.text);
}
