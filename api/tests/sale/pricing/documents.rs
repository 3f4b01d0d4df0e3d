//! Invoices of random carts over random catalogues, in currencies of every scale: lines and taxes add up to what the
//! registration costs, and credit notes over random parts add up to the invoice, cent for cent.

use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use super::{
    Shop,
    model::{Case, case},
    properties::{ask, run, stock, try_all},
};

const FAULTS: &str = "select coalesce(string_agg(concat_ws(' ', fault, detail), '; '), '') from es.invoice_faults() \
                      where fault <> 'invoiced_otherwise'";
/// Taxes by name and rate, as charged and as in the newest document of that kind.
const CHARGED: &str = "select coalesce(string_agg(concat_ws('/', name, rate_millionths, sum), ' ' order by rate_millionths desc, name), '') \
     from (select name, rate_millionths, sum(amount_minor) from registration_item_charges where kind <> 'fee' group by 1, 2) s";
const INVOICED: &str = "select coalesce(string_agg(concat_ws('/', t.name, t.rate_millionths, t.tax_minor), ' ' order by t.position), '') \
     from invoice_taxes t join invoices i on i.id = t.invoice_id where i.kind = 'invoice'";
/// What is taxed once and what is not make up the net sum, where no price has two taxes.
const BASES: &str = "select coalesce(sum(t.net_minor), 0) <= max(i.net_minor) from invoices i left join invoice_taxes t \
     on t.invoice_id = i.id where i.kind = 'invoice'";
const LEFT: &str =
    "select coalesce(es.invoice_left(id), 0)::bigint from invoices where kind = 'invoice'";
/// All documents together are nothing, line by line and rate by rate, once everything was taken back.
const REST: &str = "select count(*) from (
       select 1 from invoice_lines l join invoices i on i.id = l.invoice_id group by l.position
       having sum(case i.kind when 'invoice' then l.total_minor else -l.total_minor end) <> 0
         or sum(case i.kind when 'invoice' then l.tax_minor else -l.tax_minor end) <> 0
       union all
       select 1 from invoice_taxes t join invoices i on i.id = t.invoice_id group by t.position
       having sum(case i.kind when 'invoice' then t.tax_minor else -t.tax_minor end) <> 0
         or sum(case i.kind when 'invoice' then t.net_minor else -t.net_minor end) <> 0
     ) x";

async fn text(db: &mut PgConnection, sql: &str) -> String {
    sqlx::query(AssertSqlSafe(format!("select ({sql})::text")))
        .fetch_one(db)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{sql}"))
        .try_get::<Option<String>, _>(0)
        .expect("text")
        .unwrap_or_default()
}

async fn examine(shop: &Shop, db: &mut PgConnection, case: &Case) -> Result<(), String> {
    let types = stock(shop, db, case).await;
    let placed = ask(shop, db, "place_registration", case, &types, None).await;
    let Some(registration) = placed["registration_id"].as_str() else {
        return Ok(());
    };
    run(
        db,
        &format!(
            "select set_config('es.org', '{}', true), es.issue_invoice('{registration}')",
            shop.org
        ),
    )
    .await;
    let total = placed["total_minor"].as_i64().unwrap_or_default();
    let mut left: i64 = text(db, LEFT).await.parse().unwrap_or_default();
    if left != total {
        return Err(format!("{total} costs it, {left} are invoiced"));
    }
    let (charged, invoiced) = (text(db, CHARGED).await, text(db, INVOICED).await);
    if total > 0 && charged != invoiced {
        return Err(format!("charged {charged}, invoiced {invoiced}"));
    }
    if case.taxes.len() < 2 && text(db, BASES).await == "false" {
        return Err("taxes are on more than there is".to_owned());
    }
    while left > 0 {
        let faults = text(db, FAULTS).await;
        if !faults.is_empty() {
            return Err(faults);
        }
        // An odd part of it, so that nothing divides well; what is small goes whole.
        let part = if left < 20 { left } else { left * 37 / 101 + 1 };
        let credit = format!("select es.credit_invoice('{registration}', {part}, 'refund', null)");
        run(db, &credit).await;
        let after = text(db, LEFT).await.parse().unwrap_or_default();
        if after != left - part {
            return Err(format!("{part} of {left} were credited, {after} are left"));
        }
        left = after;
    }
    let faults = text(db, FAULTS).await;
    match (text(db, REST).await.as_str(), faults.is_empty()) {
        ("0", true) => Ok(()),
        (rest, _) => Err(format!("{rest} lines or rates are left; {faults}")),
    }
}

#[test]
fn invoices_of_any_cart_add_up_and_credit_notes_take_back_exactly_them() {
    try_all(case(), 60, examine);
}

/// The reference of the domain's rules: 5 x 100.00 with 19 % included.
#[tokio::test]
async fn the_invoice_of_five_of_100_with_19_percent_inside_says_what_each_rounding_makes_of_it() {
    for (rounding, expected) in [
        ("per_unit", "420.15 79.85 500.00"),
        ("document_net", "420.15 79.83 499.98"),
        ("keep_gross", "420.17 79.83 500.00"),
    ] {
        let shop = Shop::draft().await;
        let sql = format!("update events set tax_rounding = '{rounding}'");
        shop.db.run(&sql).await;
        let ticket = shop.unlimited(10_000).await;
        shop.tax(190_000, true).await;
        shop.publish().await;
        let (registration, _) = shop.placed(&[(ticket, 5)]).await;
        shop.db
            .run(&format!(
                "begin; select set_config('es.org', '{}', true), es.issue_invoice('{registration}'); commit",
                shop.org
            ))
            .await;
        let sums = "select concat_ws(' ', es.money_text(net_minor, currency), es.money_text(tax_minor, currency), \
                    es.money_text(total_minor, currency)) from invoices";
        assert_eq!(shop.db.ask(sums).await.unwrap(), expected, "{rounding}");
        let rates =
            "select concat_ws(' ', name, rate_millionths, net_minor, tax_minor) from invoice_taxes";
        let said = shop.db.ask(rates).await.unwrap();
        let [net, tax, _] = expected.split(' ').collect::<Vec<_>>()[..] else {
            unreachable!()
        };
        let cents = |text: &str| text.replace('.', "");
        assert_eq!(said, format!("VAT 190000 {} {}", cents(net), cents(tax)));
    }
}
