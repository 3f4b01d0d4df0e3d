//! Who hears of what others decided about a registration, a ticket, a payment.

use serde_json::{Value, json};

use super::mailbox;
use crate::{
    harness::{Caller, Database, EventSetup, Organizer, TestApp, key},
    jobs::{Worker, until},
};

struct Sale {
    app: TestApp,
    north: Organizer,
    event: Value,
    visitor: Caller,
}

impl Sale {
    async fn of(price: i64, approval: bool) -> Self {
        let settings = [("PAYMENT_SANDBOX", "on")];
        let app = TestApp::over(Database::fresh().await, &settings).await;
        let north = app.organizer("north").await;
        let setup = EventSetup {
            price,
            places: 50,
            ..EventSetup::default()
        };
        let event = north.event(&setup).await;
        let settings = json!({ "eventId": event["id"], "requiresApproval": approval });
        north.caller.does("updateEvent", "", settings).await;
        let visitor = app.visitor();
        Self {
            app,
            north,
            event,
            visitor,
        }
    }

    /// So many places, as far as the buyer's own confirmation leads; the payload and the guest.
    async fn registered(&self, quantity: i64) -> (Value, Caller) {
        let placed = self
            .visitor
            .place(&self.event, &self.event["types"][0], quantity)
            .await;
        let guest = self
            .visitor
            .with_guest(placed["guestSecret"].as_str().expect("a secret"));
        let confirmed = guest.confirm(&placed["registration"]["id"]).await;
        assert_eq!(confirmed["userErrors"], json!([]), "{confirmed:#}");
        (confirmed["registration"].clone(), guest)
    }

    /// The letters of that kind to that address, once there are so many.
    async fn letters(&self, to: &str, kind: &str, many: usize) -> Vec<Value> {
        let found = async || {
            let all = mailbox(&self.app, to).await;
            all.into_iter()
                .filter(|mail| mail["kind"] == kind && mail["state"] == "sent")
                .collect::<Vec<_>>()
        };
        until(kind, async || found().await.len() >= many).await;
        let letters = found().await;
        assert_eq!(letters.len(), many, "{letters:#?}");
        letters
    }
}

fn says(letter: &Value, parts: &[&str]) {
    let text = letter["body"].as_str().expect("a text");
    for part in parts {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(letter["html"].as_str().is_some_and(|html| !html.is_empty()));
}

#[tokio::test]
async fn a_buyer_hears_of_approval_with_the_time_to_pay_and_of_rejection_with_its_reason() {
    let sale = Sale::of(1000, true).await;
    let mut waiting = vec![];
    for _ in 0..2 {
        waiting.push(sale.registered(1).await.0);
    }
    let worker = Worker::start(&sale.app);
    let approve = json!({ "registrationId": waiting[0]["id"], "idempotencyKey": key() });
    let selection = "registration { status expiresAt }";
    let member = &sale.north.caller;
    let approved = member.does("approveRegistration", selection, approve).await;
    assert_eq!(approved["registration"]["status"], "PENDING_PAYMENT");
    let reject = json!({
        "registrationId": waiting[1]["id"], "reason": "The hall is full.", "idempotencyKey": key(),
    });
    member.does("rejectRegistration", "", reject).await;
    let letters = sale
        .letters("vera@example.org", "registration_approved", 1)
        .await;
    let number = |registration: &Value| {
        let number = registration["confirmationNumber"].as_str();
        number.expect("a number").to_owned()
    };
    says(
        &letters[0],
        &[
            "Hello Vera Visitor",
            "is approved",
            "(Europe/Berlin)",
            "10.00 EUR",
            &number(&waiting[0]),
        ],
    );
    let letters = sale
        .letters("vera@example.org", "registration_rejected", 1)
        .await;
    says(
        &letters[0],
        &[
            "could not be accepted",
            "Reason: The hall is full.",
            &number(&waiting[1]),
        ],
    );
    worker.stop().await;
}

#[tokio::test]
async fn an_approval_without_money_is_told_by_the_confirmation_alone() {
    let sale = Sale::of(0, true).await;
    let (registration, _) = sale.registered(1).await;
    let worker = Worker::start(&sale.app);
    let approve = json!({ "registrationId": registration["id"], "idempotencyKey": key() });
    let member = &sale.north.caller;
    member.does("approveRegistration", "", approve).await;
    sale.letters("vera@example.org", "registration_confirmed", 1)
        .await;
    let left = "select count(*) from jobs where kind = 'messages.follow' and status <> 'done'";
    until("all is told", async || {
        sale.app.database.count(left).await == 0
    })
    .await;
    let approved = "select count(*) from message_deliveries where kind = 'registration_approved'";
    assert_eq!(sale.app.database.count(approved).await, 0);
    worker.stop().await;
}

#[tokio::test]
async fn single_places_that_are_cancelled_are_told_with_what_stays_each_time_once() {
    let sale = Sale::of(0, false).await;
    let (registration, guest) = sale.registered(3).await;
    let items = "query($id: ID!) { registration(id: $id) { items { nodes { id } } } }";
    let items = guest.ask(items, json!({ "id": registration["id"] })).await;
    let items = items["registration"]["items"]["nodes"].clone();
    let worker = Worker::start(&sale.app);
    let cancel = |index: usize, repeated: &str| {
        json!({
            "registrationId": registration["id"], "itemIds": [items[index]["id"]], "reason": "two are enough",
            "idempotencyKey": repeated,
        })
    };
    let member = &sale.north.caller;
    let first = key();
    for _ in 0..2 {
        member
            .does("cancelRegistration", "", cancel(0, &first))
            .await;
    }
    let letters = sale
        .letters("vera@example.org", "tickets_cancelled", 1)
        .await;
    says(
        &letters[0],
        &[
            "one of your tickets for Rust Day",
            "Reason: two are enough",
            "These stay good",
            "Guest 1",
            "Guest 2",
        ],
    );
    assert!(
        !letters[0]["body"]
            .as_str()
            .expect("a text")
            .contains("Guest 0")
    );
    member
        .does("cancelRegistration", "", cancel(1, &key()))
        .await;
    sale.letters("vera@example.org", "tickets_cancelled", 2)
        .await;
    worker.stop().await;
}

#[tokio::test]
async fn both_sides_hear_of_a_ticket_that_was_handed_on_and_its_holder_of_its_end() {
    let sale = Sale::of(0, false).await;
    let (registration, guest) = sale.registered(1).await;
    let ticket = &registration["tickets"]["nodes"][0];
    let offer =
        json!({ "ticketId": ticket["id"], "email": "next@example.org", "idempotencyKey": key() });
    guest.does("transferTicket", "", offer).await;
    let code = sale.app.mailed_code("next@example.org").await;
    let accept = json!({ "code": code, "name": "Nina Next", "idempotencyKey": key() });
    let accepted = sale
        .visitor
        .does("acceptTransfer", "ticket { code }", accept)
        .await;
    let worker = Worker::start(&sale.app);
    let received = sale.letters("next@example.org", "ticket_received", 1).await;
    let new_code = accepted["ticket"]["code"].as_str().expect("a code");
    says(
        &received[0],
        &[
            "Hello Nina Next",
            "the ticket is yours",
            new_code,
            "Standard",
        ],
    );
    let old_code = ticket["code"].as_str().expect("a code");
    assert!(
        !received[0]["body"]
            .as_str()
            .expect("a text")
            .contains(old_code)
    );
    let handed = sale
        .letters("vera@example.org", "ticket_handed_over", 1)
        .await;
    says(&handed[0], &["Hello Vera Visitor", "was accepted"]);
    let text = handed[0]["body"].as_str().expect("a text");
    assert!(!text.contains(new_code) && !text.contains("Nina"), "{text}");

    let off = json!({ "eventId": sale.event["id"] });
    sale.north.caller.does("cancelEvent", "", off).await;
    for to in ["vera@example.org", "next@example.org"] {
        let letters = sale.letters(to, "event_cancelled", 1).await;
        let number = registration["confirmationNumber"]
            .as_str()
            .expect("a number");
        let text = letters[0]["body"].as_str().expect("a text");
        assert_eq!(
            text.contains(number),
            to == "vera@example.org",
            "the number is the buyer's: {text}"
        );
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_buyer_hears_of_each_refund() {
    let sale = Sale::of(1000, false).await;
    let account = json!({
        "provider": "sandbox", "name": "till",
        "credentials": [{ "credential": "webhook_secret", "value": "whsec-of-sixteen-letters" }],
    });
    let member = &sale.north.caller;
    member.does("createPaymentAccount", "", account).await;
    let worker = Worker::start(&sale.app);
    let (registration, guest) = sale.registered(1).await;
    let pay = json!({ "registrationId": registration["id"], "idempotencyKey": key() });
    let paying = guest
        .does("createPayment", "payment { id checkoutUrl }", pay)
        .await["payment"]
        .clone();
    let page = paying["checkoutUrl"].as_str().expect("a page");
    let pressed = sale.app.http().post(page).body("outcome=succeed");
    let form = pressed.header("content-type", "application/x-www-form-urlencoded");
    assert!(form.send().await.expect("an answer").status().is_success());
    sale.letters("vera@example.org", "registration_confirmed", 1)
        .await;
    for (minor, many) in [("250", 1), ("300", 2)] {
        let refund = json!({
            "paymentId": paying["id"], "amount": { "minorUnits": minor, "currencyCode": "EUR" }, "reason": "late",
            "idempotencyKey": key(),
        });
        member.does("refundPayment", "", refund).await;
        sale.letters("vera@example.org", "payment_refunded", many)
            .await;
    }
    let letters = sale
        .letters("vera@example.org", "payment_refunded", 2)
        .await;
    says(&letters[0], &["3.00 EUR", "sent back"]);
    says(&letters[1], &["2.50 EUR"]);
    worker.stop().await;
}
