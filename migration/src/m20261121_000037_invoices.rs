//! Invoices and credit notes: documents that are written once, with numbers that have no gaps.

use crate::{fence::Fence, sql_migration};

sql_migration!("m20261121_000037_invoices", up(), DOWN.to_owned());

const OF_VISIBLE_REGISTRATION: &str =
    "registration_id = any (array(select r.id from registrations r))";

fn up() -> String {
    let mut all = vec![SELLERS.to_owned(), TABLES.to_owned()];
    all.push(
        Fence::tenant("invoice_series")
            .verbs("select, insert, update")
            .touched()
            .up(),
    );
    for table in ["invoices", "invoice_lines", "invoice_taxes"] {
        // What was issued stays as it is: not even es_system holds the privilege to change it.
        let fence = Fence::tenant(table)
            .verbs("select, insert")
            .member_reads("payments:read")
            .attendees_see(OF_VISIBLE_REGISTRATION)
            .also(match table {
                "invoices" => "revoke update, delete on invoices from es_system",
                "invoice_lines" => "revoke update, delete on invoice_lines from es_system",
                _ => "revoke update, delete on invoice_taxes from es_system",
            });
        all.push(fence.up());
    }
    all.push(WRITTEN_ONCE.to_owned());
    all.concat()
}

/// Who sells, as the law wants it said on a document.
const SELLERS: &str = r"
alter table organizations
  add column legal_name text,
  add column billing_address text,
  add column tax_number text,
  add constraint organizations_legal_name_length check (char_length(legal_name) between 1 and 200),
  add constraint organizations_billing_address_length check (char_length(billing_address) between 1 and 500),
  add constraint organizations_tax_number_length check (char_length(tax_number) between 1 and 50);
grant update (legal_name, billing_address, tax_number) on organizations to es_member;

-- What was kept of the price of something cancelled.
alter table registrations
  add column kept_minor bigint not null default 0,
  add constraint registrations_kept_range check (kept_minor between 0 and total_minor);
";

const TABLES: &str = r#"
create table invoice_series (
  id uuid primary key default es.new_id(),
  org_id uuid not null references organizations (id),
  kind text collate "C" not null
    constraint invoice_series_kind check (kind in ('invoice', 'credit_note')),
  year integer not null,
  last_number integer not null default 0,
  created_at timestamptz not null default es.clock(),
  updated_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint invoice_series_key unique (org_id, kind, year)
);

create table invoices (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  registration_id uuid not null,
  kind text collate "C" not null
    constraint invoices_kind check (kind in ('invoice', 'credit_note')),
  year integer not null,
  series_number integer not null,
  number text collate "C" not null,
  corrects_id uuid,
  refund_id uuid,
  reason text,
  seller_name text not null,
  seller_address text,
  seller_tax_number text,
  seller_country text,
  buyer_name text not null,
  buyer_email text collate "C" not null,
  event_title text not null,
  net_minor bigint not null,
  tax_minor bigint not null,
  total_minor bigint not null,
  currency text not null,
  issued_at timestamptz not null,
  created_at timestamptz not null default es.clock(),
  unique (org_id, id),
  unique (org_id, event_id, registration_id, id),
  constraint invoices_number_key unique (org_id, number),
  constraint invoices_series_key unique (org_id, kind, year, series_number),
  constraint invoices_registration_fk foreign key (org_id, event_id, registration_id)
    references registrations (org_id, event_id, id),
  constraint invoices_corrects_fk foreign key (org_id, event_id, registration_id, corrects_id)
    references invoices (org_id, event_id, registration_id, id),
  constraint invoices_refund_fk foreign key (org_id, refund_id) references refunds (org_id, id),
  constraint invoices_corrects_by_kind check ((kind = 'credit_note') = (corrects_id is not null)),
  constraint invoices_refund_by_kind check (kind = 'credit_note' or refund_id is null),
  constraint invoices_parts check (total_minor > 0 and tax_minor between 0 and total_minor and net_minor = total_minor - tax_minor),
  constraint invoices_currency_shape check (currency ~ '^[A-Z]{3}$')
);
-- A refund is documented once.
create unique index invoices_refund_key on invoices (refund_id) where refund_id is not null;
create index invoices_registration_idx on invoices (registration_id, issued_at, id);
create index invoices_event_idx on invoices (event_id, issued_at, id);
create index invoices_issued_idx on invoices (org_id, issued_at, id);
create index invoices_kind_idx on invoices (org_id, kind, issued_at, id);
create index invoices_corrects_idx on invoices (corrects_id, issued_at, id);

create table invoice_lines (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  registration_id uuid not null,
  invoice_id uuid not null,
  position integer not null,
  kind text collate "C" not null constraint invoice_lines_kind check (kind in ('ticket', 'fee')),
  description text not null,
  quantity integer not null constraint invoice_lines_quantity_range check (quantity > 0),
  net_minor bigint not null,
  tax_minor bigint not null,
  total_minor bigint not null,
  currency text not null,
  created_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint invoice_lines_position_key unique (invoice_id, position),
  constraint invoice_lines_invoice_fk foreign key (org_id, event_id, registration_id, invoice_id)
    references invoices (org_id, event_id, registration_id, id),
  constraint invoice_lines_parts check (net_minor = total_minor - tax_minor)
);
create index invoice_lines_registration_idx on invoice_lines (registration_id);

create table invoice_taxes (
  id uuid primary key default es.new_id(),
  org_id uuid not null,
  event_id uuid not null,
  registration_id uuid not null,
  invoice_id uuid not null,
  position integer not null,
  name text not null,
  rate_millionths integer not null,
  net_minor bigint not null,
  tax_minor bigint not null,
  currency text not null,
  created_at timestamptz not null default es.clock(),
  unique (org_id, id),
  constraint invoice_taxes_position_key unique (invoice_id, position),
  constraint invoice_taxes_invoice_fk foreign key (org_id, event_id, registration_id, invoice_id)
    references invoices (org_id, event_id, registration_id, id)
);
create index invoice_taxes_registration_idx on invoice_taxes (registration_id);
"#;

const WRITTEN_ONCE: &str = "
create function es.refuse_correction()
returns trigger
language plpgsql
set search_path = pg_catalog, public, es, pg_temp
as $body$
begin
  raise exception 'a document is written once: correct it by a credit note' using errcode = 'ES403';
end
$body$;
revoke execute on function es.refuse_correction() from public;
create trigger written_once before update or delete on invoices
  for each row execute function es.refuse_correction();
create trigger written_once before update or delete on invoice_lines
  for each row execute function es.refuse_correction();
create trigger written_once before update or delete on invoice_taxes
  for each row execute function es.refuse_correction();
create trigger never_emptied before truncate on invoices
  for each statement execute function es.refuse_correction();
create trigger never_emptied before truncate on invoice_lines
  for each statement execute function es.refuse_correction();
create trigger never_emptied before truncate on invoice_taxes
  for each statement execute function es.refuse_correction();
";

const DOWN: &str = "
drop table invoice_taxes;
drop table invoice_lines;
drop table invoices;
drop table invoice_series;
drop function es.refuse_correction();
alter table registrations drop column kept_minor;
alter table organizations
  drop column legal_name,
  drop column billing_address,
  drop column tax_number;
";
