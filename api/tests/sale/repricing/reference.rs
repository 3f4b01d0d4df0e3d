//! Figures: what stays, what comes, what goes, by discounts, fees, taxes and their rounding.

use serde_json::json;
use uuid::Uuid;

use super::{live, placed, sesame, sums};
use crate::{
    harness::outcome,
    shop::{HOLD, Shop},
};

async fn on_sale(prices: &[i64]) -> (Shop, Vec<Uuid>) {
    let shop = Shop::draft().await;
    let mut types = vec![];
    for price in prices {
        types.push(shop.unlimited(*price).await);
    }
    (shop, types)
}

const BUY_TWO_GET_ONE: [(&str, &str); 4] = [
    ("name", "'Three for two'"),
    ("kind", "'buy_x_get_y'"),
    ("rate_millionths", "1000000"),
    ("buy_quantity", "2"),
];

async fn three_for_two(shop: &Shop) {
    let mut rule = BUY_TWO_GET_ONE.to_vec();
    rule.push(("get_quantity", "1"));
    shop.adds("discount_rules", &rule).await;
}

/// 100.00 with a tier, an automatic discount, a code, a fee with a tax of its own and 19 % inside, as in
/// `pricing::reference`: what is there keeps all of it when every rule has become another one.
#[tokio::test]
async fn r04_what_stays_keeps_every_part_and_what_comes_has_those_of_now() {
    let (shop, types) = on_sale(&[10_000, 3000]).await;
    let tier = shop.tier(types[0], 8000, &[]).await;
    let off = [
        ("name", "'All'"),
        ("kind", "'percent'"),
        ("rate_millionths", "100000"),
    ];
    let rule = shop.adds("discount_rules", &off).await;
    let amount = [("amount_minor", "200"), ("currency", "'EUR'")];
    shop.code("SESAME", "amount_per_ticket", &amount).await;
    let fee = [
        ("kind", "'service'"),
        ("name", "'Service'"),
        ("amount_minor", "100"),
        ("currency", "'EUR'"),
        ("rate_millionths", "50000"),
        ("tax_name", "'Fee tax'"),
        ("tax_rate_millionths", "200000"),
    ];
    shop.adds("fee_rules", &fee).await;
    shop.tax(190_000, true).await;
    shop.publish().await;
    let (registration, guest) = placed(&shop, &[(types[0], 2)], sesame()).await;
    let columns = "list_price_minor, tier_minor, discount_minor, code_discount_minor, price_minor, fee_minor, \
                   added_minor, total_minor, tax_minor, net_minor";
    let before = "10000/2000/1000/200/7000/450/90/7540/1208/6332";
    assert_eq!(
        live(&shop, registration, columns).await,
        format!("{before} {before}")
    );

    // Everything becomes another: no tier, no discount, half the fee, 7 %.
    shop.db
        .run(&format!(
            "update price_tiers set ends_at = es.clock() where id = '{tier}'; \
             update discount_rules set active = false where id = '{rule}'; \
             update fee_rules set amount_minor = 50, rate_millionths = 0, tax_rate_millionths = 0; \
             update tax_rules set rate_millionths = 70000"
        ))
        .await;
    shop.db.advance(1).await;
    let answer = shop.add(&guest, registration, types[0]).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    // 100.00 - 2.00 by the code; 0.50 fee; 98.00 - 91.59 tax.
    let come = "10000/0/200/200/9800/50/0/9850/641/9209";
    assert_eq!(
        live(&shop, registration, columns).await,
        format!("{before} {before} {come}")
    );
    assert_eq!(answer["total_minor"], json!(2 * 7540 + 9850));
    assert_eq!(sums(&shop, registration).await, "26000/2200/950/3057/24930");

    // A unit goes and takes all of its parts along; another is swapped.
    let items = shop.units(registration).await;
    let answer = shop.cancel_units(&guest, registration, &items[..1]).await;
    assert_eq!(outcome(&answer), "units_cancelled", "{answer}");
    assert_eq!(
        live(&shop, registration, columns).await,
        format!("{before} {come}")
    );
    let answer = shop.swap(&guest, registration, items[1], types[1]).await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    let swapped = "3000/0/200/200/2800/50/0/2850/183/2667";
    assert_eq!(
        live(&shop, registration, columns).await,
        format!("{swapped} {come}")
    );
    assert_eq!(sums(&shop, registration).await, "13000/400/100/824/12700");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn an_expired_hold_is_bought_again_with_all_that_makes_prices_now() {
    let (shop, types) = on_sale(&[10_000]).await;
    let tier = shop.tier(types[0], 6000, &[("quantity", "2")]).await;
    let tenth = [("rate_millionths", "100000")];
    shop.code("SESAME", "percent", &tenth).await;
    shop.publish().await;
    let (registration, guest) = placed(&shop, &[(types[0], 2)], sesame()).await;
    assert_eq!(live(&shop, registration, "total_minor").await, "5400 5400");
    shop.db.advance(HOLD - 10).await;
    shop.tax(200_000, false).await;
    let longer = shop.extend(&guest, registration).await;
    assert_eq!(
        (
            outcome(&longer),
            &longer["taken_again"],
            &longer["total_minor"]
        ),
        ("extended", &json!(false), &json!(10_800)),
        "a live hold keeps its price: {longer}"
    );
    shop.db.advance(HOLD - 100).await;
    shop.set(json!({ "hold_extension_seconds": 86_400 })).await;
    shop.db.advance(HOLD).await;
    // One of the tier is gone meanwhile.
    let (other, _) = shop.placed(&[(types[0], 1)]).await;
    assert_eq!(shop.total(other).await, 7200);
    let again = shop.extend(&guest, registration).await;
    assert_eq!(
        (
            outcome(&again),
            &again["taken_again"],
            &again["total_before"]
        ),
        ("extended", &json!(true), &json!(10_800)),
        "{again}"
    );
    assert_eq!(
        live(
            &shop,
            registration,
            "price_minor, tax_minor, total_minor, tier_id is not null"
        )
        .await,
        "5400/1080/6480/t 9000/1800/10800/f"
    );
    assert_eq!(sums(&shop, registration).await, "16000/1600/0/2880/17280");
    let left = format!(
        "select capacity - claimed from capacity_pools p join price_tiers t on t.pool_id = p.id where t.id = '{tier}'"
    );
    assert_eq!(shop.db.ask_number(&left).await, 0);
    shop.db.assert_whole().await;
}

/// Five of 100.00 with 19 % inside are rounded as one document: 499.98. Taking one out rounds the rest anew: 4 x 84.03
/// net is 336.12, its tax 63.86.
#[tokio::test]
async fn a_document_is_rounded_again_when_a_unit_goes_or_comes() {
    for (rounding, five, four, six) in [
        ("per_unit", "50000/7985", "40000/6388", "60000/9582"),
        ("document_net", "49998/7983", "39998/6386", "59997/9579"),
        ("keep_gross", "50000/7983", "40000/6387", "60000/9580"),
    ] {
        let (shop, types) = on_sale(&[10_000]).await;
        shop.db
            .run(&format!("update events set tax_rounding = '{rounding}'"))
            .await;
        shop.tax(190_000, true).await;
        shop.publish().await;
        let (registration, guest) = placed(&shop, &[(types[0], 5)], json!({})).await;
        let told = async || {
            let sql = format!(
                "select concat_ws('/', total_minor, tax_minor) from registrations where id = '{registration}'"
            );
            shop.db.assert_whole().await;
            shop.db.ask(&sql).await.expect("a registration")
        };
        assert_eq!(told().await, five, "{rounding}");
        let items = shop.units(registration).await;
        shop.cancel_units(&guest, registration, &items[4..]).await;
        assert_eq!(told().await, four, "{rounding}: as if four had been bought");
        for _ in 0..2 {
            shop.add(&guest, registration, types[0]).await;
        }
        assert_eq!(told().await, six, "{rounding}: as if six had been bought");
        assert_eq!(
            live(&shop, registration, "price_minor").await,
            ["10000"; 6].join(" "),
            "{rounding}"
        );
    }
}

#[tokio::test]
async fn an_amount_off_the_registration_is_given_once_and_leaves_in_shares() {
    let (shop, types) = on_sale(&[10_000]).await;
    let amount = [("amount_minor", "1500"), ("currency", "'EUR'")];
    shop.code("SESAME", "amount_per_registration", &amount)
        .await;
    shop.publish().await;
    let (registration, guest) = placed(&shop, &[(types[0], 3)], sesame()).await;
    let off = "discount_minor";
    assert_eq!(live(&shop, registration, off).await, "500 500 500");
    shop.add(&guest, registration, types[0]).await;
    assert_eq!(live(&shop, registration, off).await, "500 500 500 0");
    let items = shop.units(registration).await;
    shop.cancel_units(&guest, registration, &items[..2]).await;
    assert_eq!(live(&shop, registration, off).await, "500 0");
    // What went took 10.00 along: they are there for who comes.
    shop.add(&guest, registration, types[0]).await;
    assert_eq!(live(&shop, registration, off).await, "500 0 1000");
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_fee_of_the_registration_is_charged_once_and_leaves_in_shares() {
    let (shop, types) = on_sale(&[10_000]).await;
    let fee = [
        ("kind", "'payment'"),
        ("name", "'Card'"),
        ("basis", "'registration'"),
        ("amount_minor", "90"),
        ("currency", "'EUR'"),
        ("rate_millionths", "10000"),
    ];
    shop.adds("fee_rules", &fee).await;
    shop.publish().await;
    let (registration, guest) = placed(&shop, &[(types[0], 2)], json!({})).await;
    assert_eq!(live(&shop, registration, "fee_minor").await, "145 145");
    shop.add(&guest, registration, types[0]).await;
    assert_eq!(
        live(&shop, registration, "fee_minor").await,
        "145 145 100",
        "the share of the price alone: 0.90 are borne by the others"
    );
    let items = shop.units(registration).await;
    shop.cancel_units(&guest, registration, &items[..1]).await;
    assert_eq!(live(&shop, registration, "fee_minor").await, "145 100");
    shop.add(&guest, registration, types[0]).await;
    assert_eq!(
        live(&shop, registration, "fee_minor").await,
        "145 100 145",
        "0.45 of 0.90 had gone with the first"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn who_got_one_for_two_does_not_keep_it_alone() {
    let (shop, types) = on_sale(&[1000, 10]).await;
    three_for_two(&shop).await;
    shop.publish().await;
    let (registration, guest) = placed(&shop, &[(types[0], 3)], json!({})).await;
    assert_eq!(
        live(&shop, registration, "price_minor").await,
        "1000 1000 0"
    );
    let items = shop.units(registration).await;
    // The bought ones become cheap: the one that was got is none any more, the cheapest of now is.
    let swaps: Vec<_> = items[..2]
        .iter()
        .map(|item| json!({ "item_id": item, "ticket_type_id": types[1] }))
        .collect();
    let answer = shop
        .change(&guest, registration, json!({ "swaps": swaps }))
        .await;
    assert_eq!(outcome(&answer), "changed", "{answer}");
    assert_eq!(live(&shop, registration, "price_minor").await, "10 0 1000");

    let (registration, guest) = placed(&shop, &[(types[0], 3)], json!({})).await;
    let items = shop.units(registration).await;
    let answer = shop.cancel_units(&guest, registration, &items[..2]).await;
    assert_eq!(answer["total_minor"], json!(1000), "{answer}");
    // In company again, one is free again, and only one.
    for expected in ["1000 1000", "1000 1000 0", "1000 1000 0 1000"] {
        shop.add(&guest, registration, types[0]).await;
        assert_eq!(live(&shop, registration, "price_minor").await, expected);
    }
    // A cheaper one that comes or goes changes nothing for the others.
    shop.add(&guest, registration, types[1]).await;
    let items = shop.units(registration).await;
    shop.cancel_units(&guest, registration, &items[4..]).await;
    assert_eq!(
        live(&shop, registration, "price_minor").await,
        "1000 1000 0 1000"
    );
    shop.db.assert_whole().await;
}

#[tokio::test]
async fn a_discount_for_many_ends_with_too_few_and_buyers_of_what_is_confirmed_agree_first() {
    let (shop, types) = on_sale(&[1000]).await;
    let many = [
        ("name", "'Groups'"),
        ("kind", "'percent'"),
        ("rate_millionths", "250000"),
        ("min_tickets", "5"),
    ];
    shop.adds("discount_rules", &many).await;
    shop.tax(190_000, true).await;
    shop.publish().await;
    let (first, guest) = placed(&shop, &[(types[0], 5)], json!({})).await;
    let (second, other) = placed(&shop, &[(types[0], 5)], json!({})).await;
    assert_eq!(shop.total(first).await, 3750);
    // The rule goes; those who have it keep it as long as they are five.
    shop.db
        .run("update discount_rules set active = false")
        .await;
    let items = shop.units(first).await;
    shop.add(&guest, first, types[0]).await;
    assert_eq!(shop.total(first).await, 4750);
    shop.cancel_units(&guest, first, &items[..1]).await;
    assert_eq!(
        live(&shop, first, "price_minor").await,
        "750 750 750 750 1000",
        "five are left"
    );
    shop.cancel_units(&guest, first, &items[1..2]).await;
    let columns = "price_minor, tax_minor, total_minor";
    let full = ["1000/160/1000"; 4].join(" ");
    assert_eq!(live(&shop, first, columns).await, full);
    shop.db.assert_whole().await;

    shop.db
        .run("update registrations set status = 'confirmed', confirmed_at = now(), expires_at = null; update pool_claims set expires_at = null")
        .await;
    let items = shop.units(second).await;
    let less = shop.cancel_units(&other, second, &items[..1]).await;
    assert_eq!(
        (outcome(&less), &less["total_minor"]),
        ("payment_required", &json!(4000)),
        "four cost more than the five did: {less}"
    );
    assert_eq!(shop.units(second).await.len(), 5);
    let less = shop
        .cancel_units(&shop.organizer(), second, &items[..1])
        .await;
    assert_eq!(outcome(&less), "units_cancelled", "{less}");
    assert_eq!(live(&shop, second, columns).await, full);
    let balance = format!("select balance_minor from registrations where id = '{second}'");
    assert_eq!(shop.db.ask_number(&balance).await, 250);
}

#[tokio::test]
async fn approving_charges_what_was_placed() {
    let (shop, types) = on_sale(&[10_000]).await;
    shop.tier(types[0], 6000, &[("quantity", "2")]).await;
    shop.tax(200_000, false).await;
    shop.publish().await;
    shop.set(json!({ "requires_approval": true, "pending_keeps_stock": false }))
        .await;
    let (registration, guest) = placed(&shop, &[(types[0], 2)], json!({})).await;
    let waits = shop.confirm(&guest, registration).await;
    assert_eq!(outcome(&waits), "pending_approval", "{waits}");
    shop.db
        .run("update price_tiers set price_minor = 9000; update tax_rules set rate_millionths = 0")
        .await;
    let answer = shop.approve(&[registration], "skip_failed").await;
    assert_eq!(
        outcome(&answer["results"][0]),
        "pending_payment",
        "{answer}"
    );
    assert_eq!(
        sums(&shop, registration).await,
        "12000/0/0/2400/14400",
        "as it was placed"
    );
    shop.db.assert_whole().await;
}
