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

/// Opens an account, lets people owe money, and writes what came of such.
pub async fn fill(founder: &Founder<'_>, buyer: &Who, shop: &Shop) {
    let tag = founder.tag;
    let account = json!({ "provider": "sandbox", "name": format!("{tag} till") });
    founder.does("createPaymentAccount", "", account).await;
    let account = json!({
        "provider": "offline", "name": format!("{tag} cash box"),
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
    let written = [
        (PAYMENTS, true),
        (REFUNDS, true),
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
