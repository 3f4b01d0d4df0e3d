//! Random carts over random catalogues: what the database says a cart costs is what a second opinion says, and its parts
//! add up. Each case is a transaction that is rolled back, all over one connection.

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde_json::{Value as Json, json};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use uuid::Uuid;

use super::{
    Shop,
    model::{Case, Discount, Fee, Tax, Unit, case, divide},
};

/// An item as it was stored, and what it was charged for: (kind, name, rate, amount).
pub struct Item {
    pub list: i64,
    pub tier_off: i64,
    pub discount: i64,
    pub code: i64,
    pub price: i64,
    pub fee: i64,
    pub tax: i64,
    pub added: i64,
    pub total: i64,
    pub net: i64,
}

#[test]
fn what_a_cart_costs_is_what_a_second_opinion_says_and_adds_up() {
    try_all(case(), 100, examine);
}

/// Tries that many cases, or `PRICING_CASES`, each in a transaction of its own that is taken back.
pub fn try_all<S: Strategy>(
    cases: S,
    many: u32,
    examine: impl AsyncFn(&Shop, &mut PgConnection, &S::Value) -> Result<(), String>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (shop, connection) = runtime.block_on(async {
        let shop = Shop::draft().await;
        shop.unlimited(0).await;
        shop.publish().await;
        let connection = shop
            .db
            .admin
            .acquire()
            .await
            .expect("a connection")
            .detach();
        (shop, tokio::sync::Mutex::new(connection))
    });
    let asked = std::env::var("PRICING_CASES").ok();
    let asked = asked.and_then(|text| text.parse().ok()).unwrap_or(many);
    let config = Config {
        cases: asked,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&cases, |case| {
            runtime.block_on(async {
                let mut connection = connection.lock().await;
                run(&mut connection, "begin").await;
                let tried = examine(&shop, &mut connection, &case).await;
                run(&mut connection, "rollback").await;
                tried.map_err(TestCaseError::fail)
            })
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

pub async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

macro_rules! demand {
    ($condition:expr, $($said:tt)+) => {
        if !$condition {
            return Err(format!($($said)+));
        }
    };
}

async fn examine(shop: &Shop, db: &mut PgConnection, case: &Case) -> Result<(), String> {
    let types = stock(shop, db, case).await;
    let seen = ask(shop, db, "price_checkout", case, &types, None).await;
    if case.code.is_some() && !case.code_applies() {
        demand!(seen["outcome"] == "code_not_applicable", "{seen}");
        return Ok(());
    }
    let total = seen["total_minor"].as_i64().ok_or(seen.to_string())?;
    let off_by_one = ask(
        shop,
        db,
        "place_registration",
        case,
        &types,
        Some(total + 1),
    )
    .await;
    demand!(off_by_one["outcome"] == "price_changed", "{off_by_one}");
    demand!(off_by_one["total_minor"] == total, "{off_by_one}");
    let placed = ask(shop, db, "place_registration", case, &types, Some(total)).await;
    demand!(placed["outcome"] == "placed", "{placed}");

    let items = items(db).await;
    let units = case.units();
    agree(&units, &items)?;
    adds_up(&items, total)?;
    answer_adds_up(&seen, &items)?;
    taxes(case, &units, &items, db).await?;
    whole(db).await
}

/// R20: nothing does not fit together.
pub async fn whole(db: &mut PgConnection) -> Result<(), String> {
    let faults =
        "select coalesce(string_agg(fault || detail, ' '), '') from check_stock_integrity()";
    let faults: String = sqlx::query(faults)
        .fetch_one(db)
        .await
        .expect("faults")
        .get(0);
    demand!(faults.is_empty(), "R20: {faults}");
    Ok(())
}

/// Makes the catalogue of the case; the keys of its types.
pub async fn stock(shop: &Shop, db: &mut PgConnection, case: &Case) -> Vec<Uuid> {
    let (org, event, currency) = (shop.org, shop.event, case.currency);
    let mut sql = format!(
        "delete from ticket_types; update events set currency = '{currency}', tax_rounding = '{}', max_tickets_per_registration = 100;",
        case.rounding
    );
    let mut types = vec![];
    for kind in &case.types {
        let id = Uuid::now_v7();
        types.push(id);
        let sold_as = if kind.donation { "donation" } else { "fixed" };
        sql += &format!(
            "insert into ticket_types (id, org_id, event_id, name, price_minor, currency, price_kind, max_per_registration) \
             values ('{id}', '{org}', '{event}', 'T', {}, '{currency}', '{sold_as}', 100);",
            kind.price
        );
        for (position, (price, quantity)) in kind.tiers.iter().enumerate() {
            let quantity = quantity.map_or("null".to_owned(), |n| n.to_string());
            sql += &format!(
                "insert into price_tiers (org_id, event_id, ticket_type_id, name, price_minor, currency, quantity, position) \
                 values ('{org}', '{event}', '{id}', 'Tier', {price}, '{currency}', {quantity}, {position});"
            );
        }
    }
    if let Some(rule) = &case.automatic {
        let (columns, values) = value(rule, currency);
        let only = rule
            .only
            .map_or("null".to_owned(), |at| format!("'{}'", types[at]));
        sql += &format!(
            "insert into discount_rules (org_id, event_id, name, ticket_type_id, min_tickets, {columns}) \
             values ('{org}', '{event}', 'All', {only}, {}, {values});",
            rule.min
        );
    }
    if let Some(code) = &case.code {
        let (columns, values) = value(code, currency);
        sql += &format!(
            "insert into promo_codes (org_id, event_id, code, {columns}) values ('{org}', '{event}', 'SESAME', {values});"
        );
        if let Some(at) = code.only {
            sql += &format!(
                "insert into promo_code_ticket_types (org_id, event_id, promo_code_id, ticket_type_id) \
                 select org_id, event_id, id, '{}' from promo_codes;",
                types[at]
            );
        }
    }
    for (
        position,
        Tax {
            name,
            rate,
            inclusive,
        },
    ) in case.taxes.iter().enumerate()
    {
        sql += &format!(
            "insert into tax_rules (org_id, event_id, name, rate_millionths, inclusive, position) \
             values ('{org}', '{event}', '{name}', {rate}, {inclusive}, {position});"
        );
    }
    for (
        position,
        Fee {
            basis,
            amount,
            rate,
            tax_rate,
            tax_inclusive,
        },
    ) in case.fees.iter().enumerate()
    {
        sql += &format!(
            "insert into fee_rules (org_id, event_id, kind, name, basis, amount_minor, currency, rate_millionths, tax_name, \
             tax_rate_millionths, tax_inclusive, position) values ('{org}', '{event}', 'service', 'F{position}', '{basis}', \
             {amount}, '{currency}', {rate}, 'Fee tax', {tax_rate}, {tax_inclusive}, {position});"
        );
    }
    run(db, &sql).await;
    types
}

fn value(rule: &Discount, currency: &str) -> (&'static str, String) {
    (
        "kind, rate_millionths, amount_minor, currency, buy_quantity, get_quantity",
        format!(
            "'{}', {}, {}, '{currency}', {}, {}",
            rule.kind, rule.rate, rule.amount, rule.buy, rule.get
        ),
    )
}

/// A visitor asks that function for the cart of the case.
pub async fn ask(
    shop: &Shop,
    db: &mut PgConnection,
    function: &str,
    case: &Case,
    types: &[Uuid],
    expected: Option<i64>,
) -> Json {
    let mut request = shop.request(&[]);
    request["items"] = case
        .cart
        .iter()
        .map(|(of, quantity, given)| {
            let mut item = json!({ "ticket_type_id": types[*of], "quantity": quantity });
            if case.types[*of].donation {
                item["price_minor"] = json!(given);
                item["currency"] = json!(case.currency);
            }
            item
        })
        .collect();
    if case.code.is_some() {
        request["code"] = json!("sesame");
    }
    if let Some(total) = expected {
        request["expected_total_minor"] = json!(total);
        request["expected_currency"] = json!(case.currency);
    }
    run(
        db,
        &format!(
            "select set_config('es.org', '{}', true); set local role es_public",
            shop.org
        ),
    )
    .await;
    let sql = format!("select public.{function}($1::jsonb)::text");
    let answer: String = sqlx::query(AssertSqlSafe(sql))
        .bind(request.to_string())
        .fetch_one(&mut *db)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{case:?}"))
        .get(0);
    run(db, "reset role").await;
    serde_json::from_str(&answer).expect("JSON")
}

pub async fn items(db: &mut PgConnection) -> Vec<Item> {
    let sql = "select list_price_minor, tier_minor, discount_minor, code_discount_minor, price_minor, fee_minor, \
               tax_minor, added_minor, total_minor, net_minor from registration_items where cancelled_at is null order by position";
    let rows = sqlx::query(sql).fetch_all(db).await.expect("items");
    rows.iter()
        .map(|row| Item {
            list: row.get(0),
            tier_off: row.get(1),
            discount: row.get(2),
            code: row.get(3),
            price: row.get(4),
            fee: row.get(5),
            tax: row.get(6),
            added: row.get(7),
            total: row.get(8),
            net: row.get(9),
        })
        .collect()
}

/// Up to the fees, unit by unit.
pub fn agree(units: &[Unit], items: &[Item]) -> Result<(), String> {
    demand!(units.len() == items.len(), "{} items", items.len());
    for (at, (unit, item)) in units.iter().zip(items).enumerate() {
        let ours = [
            unit.list,
            unit.list - unit.tier,
            unit.discount + unit.code,
            unit.code,
            unit.price,
            unit.fees.iter().sum(),
        ];
        let theirs = [
            item.list,
            item.tier_off,
            item.discount,
            item.code,
            item.price,
            item.fee,
        ];
        demand!(ours == theirs, "unit {at}: {ours:?} but stored {theirs:?}");
    }
    Ok(())
}

pub fn adds_up(items: &[Item], total: i64) -> Result<(), String> {
    for item in items {
        demand!(
            item.list - item.tier_off - item.discount == item.price,
            "price"
        );
        demand!(item.price + item.fee + item.added == item.total, "total");
        demand!(item.net + item.tax == item.total, "net and tax");
        let parts = [
            item.list, item.price, item.fee, item.tax, item.total, item.net,
        ];
        demand!(parts.iter().all(|part| *part >= 0), "{parts:?}");
    }
    let sum: i64 = items.iter().map(|item| item.total).sum();
    demand!(sum == total, "items cost {sum}, together {total}");
    Ok(())
}

/// What the buyer is shown before is the sum of what is stored then.
fn answer_adds_up(seen: &Json, items: &[Item]) -> Result<(), String> {
    let number = |key: &str| seen[key].as_i64().unwrap_or(i64::MIN);
    let sum_of = |list: &str, key: &str| -> i64 {
        let rows = seen[list].as_array().into_iter().flatten();
        rows.map(|row| row[key].as_i64().unwrap_or(i64::MIN / 1000))
            .sum()
    };
    let stored = |part: fn(&Item) -> i64| -> i64 { items.iter().map(part).sum() };
    for (ours, theirs, what) in [
        (
            number("subtotal_minor"),
            stored(|i| i.price + i.discount),
            "subtotal",
        ),
        (number("discount_minor"), stored(|i| i.discount), "discount"),
        (number("fee_minor"), stored(|i| i.fee), "fees"),
        (number("tax_minor"), stored(|i| i.tax), "taxes"),
        (sum_of("lines", "total_minor"), stored(|i| i.total), "lines"),
        (sum_of("lines", "quantity"), items.len() as i64, "quantity"),
        (
            sum_of("discounts", "amount_minor"),
            stored(|i| i.discount),
            "list of discounts",
        ),
        (
            sum_of("fees", "amount_minor"),
            stored(|i| i.fee),
            "list of fees",
        ),
        (
            sum_of("taxes", "amount_minor"),
            stored(|i| i.tax),
            "list of taxes",
        ),
    ] {
        demand!(
            ours == theirs,
            "{what}: {ours} shown, {theirs} stored: {seen}"
        );
    }
    Ok(())
}

/// Everything taxed: (amount, its taxes).
fn entries(case: &Case, units: &[Unit]) -> Vec<(i64, Vec<Tax>)> {
    let mut entries = vec![];
    for unit in units {
        if !case.taxes.is_empty() && unit.price > 0 {
            entries.push((unit.price, case.taxes.clone()));
        }
        for (fee, minor) in case.fees.iter().zip(&unit.fees) {
            if fee.tax_rate > 0 && *minor > 0 {
                let tax = Tax {
                    name: "Fee tax",
                    rate: fee.tax_rate,
                    inclusive: fee.tax_inclusive,
                };
                entries.push((*minor, vec![tax]));
            }
        }
    }
    entries
}

fn inside(taxes: &[Tax]) -> i128 {
    taxes
        .iter()
        .filter(|tax| tax.inclusive)
        .map(|tax| i128::from(tax.rate))
        .sum()
}

/// Net of an amount that contains taxes.
fn net(amount: i64, inside: i128) -> i64 {
    divide(i128::from(amount) * 1_000_000, 1_000_000 + inside)
}

/// The tax of a document, by the event's rounding, as the law books say it rather than as the functions work it out.
pub async fn taxes(
    case: &Case,
    units: &[Unit],
    items: &[Item],
    db: &mut PgConnection,
) -> Result<(), String> {
    let entries = entries(case, units);
    let rated = |amount: i128, rate: i64| divide(amount * i128::from(rate), 1_000_000);
    let stored: i64 = items.iter().map(|item| item.tax).sum();
    let listed: i64 = items.iter().map(|item| item.price + item.fee).sum();
    let total: i64 = items.iter().map(|item| item.total).sum();
    match case.rounding {
        "per_unit" => {
            let tax: i64 = entries
                .iter()
                .map(|(amount, taxes)| {
                    let net = net(*amount, inside(taxes));
                    let on_top = taxes.iter().filter(|tax| !tax.inclusive);
                    amount - net + on_top.map(|tax| rated(net.into(), tax.rate)).sum::<i64>()
                })
                .sum();
            demand!(tax == stored, "per unit: {tax}, stored {stored}");
            for (amount, taxes) in &entries {
                if let [
                    Tax {
                        rate,
                        inclusive: true,
                        ..
                    },
                ] = taxes[..]
                {
                    let back = net(*amount, rate.into());
                    let again = back + rated(back.into(), rate);
                    demand!((again - amount).abs() <= 1, "{amount} came back as {again}");
                }
            }
        }
        "document_net" => {
            let mut groups: Vec<(&str, i64, i128)> = vec![];
            for (amount, taxes) in &entries {
                let net = i128::from(net(*amount, inside(taxes)));
                for tax in taxes {
                    match groups
                        .iter_mut()
                        .find(|(name, rate, _)| (*name, *rate) == (tax.name, tax.rate))
                    {
                        Some((.., sum)) => *sum += net,
                        None => groups.push((tax.name, tax.rate, net)),
                    }
                }
            }
            for (name, rate, sum) in groups {
                let sql = "select coalesce(sum(amount_minor), 0)::bigint from registration_item_charges c \
                           join registration_items i on i.id = c.item_id and i.cancelled_at is null \
                           where kind <> 'fee' and name = $1 and rate_millionths = $2";
                let stored: i64 = sqlx::query(sql)
                    .bind(name)
                    .bind(rate as i32)
                    .fetch_one(&mut *db)
                    .await
                    .expect("a sum")
                    .get(0);
                let tax = rated(sum, rate);
                demand!(
                    tax == stored,
                    "document: {name} at {rate} is {tax}, stored {stored}"
                );
            }
        }
        _ => {
            if entries
                .iter()
                .all(|(_, taxes)| taxes.iter().all(|tax| tax.inclusive))
            {
                demand!(
                    total == listed,
                    "what was listed is {listed}, charged {total}"
                );
            }
            if case.fees.is_empty()
                && !entries.is_empty()
                && case.taxes.iter().all(|tax| tax.inclusive)
            {
                let tax = listed_tax(&entries);
                demand!(tax == stored, "whole: {tax}, stored {stored}");
            }
        }
    }
    Ok(())
}

/// The tax inside of the sum of all entries, which have the same taxes.
fn listed_tax(entries: &[(i64, Vec<Tax>)]) -> i64 {
    let sum: i64 = entries.iter().map(|(amount, _)| amount).sum();
    sum - net(sum, inside(&entries[0].1))
}
