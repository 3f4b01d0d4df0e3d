//! Money: an account at the sandbox, registrations that wait to be paid, and, behind the fence, what was paid, refused and
//! given back, so that every field of it says something.

use serde_json::json;

use super::{
    does,
    events::Shop,
    people::Founder,
    sales::{confirm, place_types},
};
use crate::fence::ask::Who;

/// For each confirmed registration a payment that came in and one that did not.
const PAYMENTS: &str = "
insert into payments (
  org_id, event_id, registration_id, account_id, provider, status, amount_minor, captured_minor, currency,
  provider_reference, checkout_url, failure, owed_back, succeeded_at
)
select
  r.org_id, r.event_id, r.id, a.id, a.provider, w.status, 500, case w.status when 'succeeded' then 500 else 0 end, 'EUR',
  concat_ws(' ', $2::text, w.status, r.id), concat('https://', $2::text, '.example/pay/', r.id),
  case w.status when 'failed' then $2 || ' card declined' end,
  case w.status when 'succeeded' then $2 || ' overpaid' end,
  case w.status when 'succeeded' then clock_timestamp() end
from registrations r
join payment_accounts a on a.org_id = r.org_id and a.provider = 'sandbox'
cross join (values ('succeeded'), ('failed')) as w (status)
where r.org_id = $1
  and r.status = 'confirmed'";

const REFUNDS: &str = "
insert into refunds (
  org_id, event_id, registration_id, payment_id, status, amount_minor, currency, reason, provider_reference, failure,
  settled_at
)
select
  p.org_id, p.event_id, p.registration_id, p.id, w.status, 100, 'EUR', $2 || ' ill', concat_ws(' ', $2::text, w.status),
  case w.status when 'failed' then $2 || ' card closed' end, clock_timestamp()
from payments p
cross join (values ('done'), ('failed')) as w (status)
where p.org_id = $1
  and p.provider = 'sandbox'
  and p.status = 'succeeded'";

const BOOKS: &str = "
insert into ledger_entries (
  org_id, kind, debit, credit, amount_minor, currency, event_id, registration_id, payment_id, refund_id
)
select org_id, 'capture', 'provider', 'buyer', captured_minor, currency, event_id, registration_id, id, null
from payments
where org_id = $1 and status = 'succeeded'
union all
select org_id, 'refund_promised', 'buyer', 'refunds', amount_minor, currency, event_id, registration_id, payment_id, id
from refunds
where org_id = $1
union all
select
  org_id, case status when 'done' then 'refund_paid' else 'refund_returned' end, 'refunds',
  case status when 'done' then 'provider' else 'buyer' end, amount_minor, currency, event_id, registration_id, payment_id, id
from refunds
where org_id = $1 and status <> 'in_transit'";

/// And what members do by hand: a payment that waits for them, and a refund of another.
const BY_HAND: &str = "
insert into payments (
  org_id, event_id, registration_id, account_id, provider, status, amount_minor, captured_minor, currency,
  provider_reference, instructions, due_at, succeeded_at
)
select
  r.org_id, r.event_id, r.id, a.id, a.provider, w.status, 300, case w.status when 'succeeded' then 300 else 0 end, 'EUR',
  concat_ws(' ', $2::text, w.status, 'by hand', r.id), $2 || ' bank account', clock_timestamp() + interval '5 days',
  case w.status when 'succeeded' then clock_timestamp() end
from registrations r
join payment_accounts a on a.org_id = r.org_id and a.provider = 'offline'
cross join (values ('succeeded'), ('pending')) as w (status)
where r.org_id = $1
  and r.status = 'confirmed'";

const REFUNDS_BY_HAND: &str = "
insert into refunds (org_id, event_id, registration_id, payment_id, status, amount_minor, currency, reason)
select p.org_id, p.event_id, p.registration_id, p.id, 'in_transit', 50, 'EUR', $2 || ' ill again'
from payments p
where p.org_id = $1
  and p.provider = 'offline'
  and p.status = 'succeeded'";

/// For each payment that came in a dispute that was lost.
const DISPUTES: &str = "
insert into disputes (
  org_id, event_id, registration_id, payment_id, status, provider_reference, amount_minor, fee_minor, currency, reason,
  withdrawn_at, settled_at
)
select
  org_id, event_id, registration_id, id, 'lost', $2 || ' dispute', 200, 15, 'EUR', $2 || ' stolen', clock_timestamp(),
  clock_timestamp()
from payments
where org_id = $1
  and status = 'succeeded'";

const DISPUTED: &str = "
insert into ledger_entries (
  org_id, kind, debit, credit, amount_minor, currency, event_id, registration_id, payment_id, dispute_id
)
select
  d.org_id, w.kind, w.debit, w.credit, d.amount_minor, d.currency, d.event_id, d.registration_id, d.payment_id, d.id
from disputes d
cross join (
  values ('dispute_withdrawn', 'disputes', 'provider'), ('dispute_lost', 'buyer', 'disputes')
) as w (kind, debit, credit)
where d.org_id = $1";

const FEES: &str = "
insert into ledger_entries (
  org_id, kind, debit, credit, amount_minor, currency, event_id, registration_id, payment_id, base_minor
)
select
  org_id, 'platform_fee', 'fees', 'platform', 12, currency, event_id, registration_id, id, captured_minor
from payments
where org_id = $1
  and status = 'succeeded'";

const TERMS: &str = "
insert into platform_fee_terms (org_id, currency, rate_millionths, fixed_minor, returned_on_refund)
select $1::uuid, c, 25000, 50, true
from unnest('{EUR,USD,JPY}'::text[]) as c";

const CALLED_OFF: &str = "
insert into event_cancellations (org_id, event_id, kept_fixed_minor, kept_per_ticket_minor, currency, registrations, finished_at)
select org_id, id, 100, 10, 'EUR', 7, clock_timestamp()
from events
where org_id = $1
  and slug in ($2 || '-over-day', $2 || '-shelved-day', $2 || '-scrap-day')";

const RECONCILED: &str = "
insert into reconciliations (
  org_id, account_id, status, from_at, to_at, whole, compared, differing, failure, finished_at
)
select
  a.org_id, a.id, w.status, now() - interval '3 days', now(), true, 4, 1,
  case w.status when 'failed' then $2 || ' nobody answered' end, now()
from payment_accounts a
cross join (values ('done'), ('done'), ('failed')) as w (status)
where a.org_id = $1";

const DIFFERENCES: &str = "
insert into reconciliation_differences (
  org_id, reconciliation_id, kind, payment_id, provider_reference, ours_minor, theirs_minor, currency
)
select c.org_id, c.id, 'captured', p.id, $2 || ' elsewhere', 500, 400, 'EUR'
from reconciliations c
join payments p on p.org_id = c.org_id and p.status = 'succeeded'
where c.org_id = $1
  and c.status = 'done'";

/// Who sells, as documents say it.
const SELLER: &str = "
update organizations
set legal_name = $2 || ' society ltd', billing_address = $2 || ' street', tax_number = $2 || ' tax'
where id = $1";

/// For each payment that came in an invoice, and for each refund that is done a credit note.
const INVOICES: &str = "
insert into invoices (
  org_id, event_id, registration_id, kind, year, series_number, number, seller_name, seller_address, seller_tax_number,
  seller_country, buyer_name, buyer_email, event_title, net_minor, tax_minor, total_minor, currency, issued_at
)
select
  p.org_id, p.event_id, p.registration_id, 'invoice', 2020, row_number() over (order by p.id),
  concat_ws('-', $2::text, 'INV', row_number() over (order by p.id)), o.legal_name, o.billing_address, o.tax_number, 'DE',
  $2 || ' buyer', lower($2) || '@invoices.example', $2 || ' day', 420, 80, 500, 'EUR', clock_timestamp()
from payments p
join organizations o on o.id = p.org_id
where p.org_id = $1
  and p.status = 'succeeded'";

const CREDIT_NOTES: &str = "
insert into invoices (
  org_id, event_id, registration_id, kind, year, series_number, number, corrects_id, refund_id, reason, seller_name,
  buyer_name, buyer_email, event_title, net_minor, tax_minor, total_minor, currency, issued_at
)
select
  i.org_id, i.event_id, i.registration_id, 'credit_note', 2020, i.series_number,
  concat_ws('-', $2::text, 'CN', i.series_number), i.id, r.id, 'refund', i.seller_name, i.buyer_name, i.buyer_email,
  i.event_title, 84, 16, 100, 'EUR', clock_timestamp()
from invoices i
join refunds r on r.registration_id = i.registration_id and r.status = 'done'
where i.org_id = $1";

const LINES: &str = "
insert into invoice_lines (
  org_id, event_id, registration_id, invoice_id, position, kind, description, quantity, net_minor, tax_minor, total_minor,
  currency
)
select
  org_id, event_id, registration_id, id, 1, 'ticket', $2 || ' ticket', 1, net_minor, tax_minor, total_minor, currency
from invoices
where org_id = $1";

const TAXES: &str = "
insert into invoice_taxes (
  org_id, event_id, registration_id, invoice_id, position, name, rate_millionths, net_minor, tax_minor, currency
)
select org_id, event_id, registration_id, id, 1, $2 || ' tax', 190000, net_minor, tax_minor, currency
from invoices
where org_id = $1";

/// Opens an account, lets people owe money, and writes what came of such.
pub async fn fill(founder: &Founder<'_>, buyer: &Who, shop: &Shop) {
    let tag = founder.tag;
    let origins = [
        "https://example.org".to_owned(),
        format!("https://{tag}.example"),
    ];
    let account = json!({
        "provider": "sandbox", "name": format!("{tag} till"), "returnOrigins": origins,
    });
    founder.does("createPaymentAccount", "", account).await;
    let account = json!({
        "provider": "offline", "name": format!("{tag} cash box"), "returnOrigins": origins,
        "credentials": [{ "credential": "instructions", "value": format!("{tag} bank account") }],
    });
    founder.does("createPaymentAccount", "", account).await;
    for (who, name, event) in [
        (buyer, "buyer", "open"),
        (&founder.owner, "owner", "closed"),
    ] {
        let on_sale = shop.event(event);
        let types = [&on_sale.ticket_type, &on_sale.extra];
        let placed = place_types(founder, (who, name), on_sale, &types).await;
        confirm(founder, who, &placed).await;
        let input = json!({
            "registrationId": placed["registration"]["id"], "idempotencyKey": crate::harness::key(),
        });
        does(founder.app, who, "createPayment", "", input).await;
    }
    let admin = founder.app.database.admin().await;
    let seller = admin.execute(SELLER, &[&founder.org, &tag]).await;
    assert_eq!(seller.expect("a seller"), 1);
    let written = [
        (PAYMENTS, true),
        (DISPUTES, true),
        (DISPUTED, false),
        (FEES, false),
        (TERMS, false),
        (CALLED_OFF, true),
        (RECONCILED, true),
        (DIFFERENCES, true),
        (REFUNDS, true),
        (INVOICES, true),
        (CREDIT_NOTES, true),
        (LINES, true),
        (TAXES, true),
        (BY_HAND, true),
        (REFUNDS_BY_HAND, true),
        (BOOKS, false),
    ];
    for (sql, named) in written {
        let written = match named {
            true => admin.execute(sql, &[&founder.org, &tag]).await,
            false => admin.execute(sql, &[&founder.org]).await,
        };
        assert!(written.expect("money") > 1, "{sql}");
    }
}
