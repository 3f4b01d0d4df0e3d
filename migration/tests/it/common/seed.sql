-- One row at least in every tenant table of one organization. Every @ is the organization's letter (a hex digit).
-- Run as es_owner, whose policies let backfills through.

insert into users (id, email, name)
values
  ('@0000000-0000-7000-8000-000000000001', 'owner@@example.org', 'Owner @'),
  ('@0000000-0000-7000-8000-000000000002', 'buyer@@example.org', 'Buyer @');

insert into organizations (id, slug, name)
values ('@0000000-0000-7000-8000-0000000000aa', 'org-@', 'Organization @');

insert into device_sessions (id, user_id, org_id, expires_at)
values ('@0000000-0000-7000-8000-000000000003', '@0000000-0000-7000-8000-000000000001',
  '@0000000-0000-7000-8000-0000000000aa', now() + interval '1 day');

insert into mail_messages (org_id, kind, recipient, subject, body_text)
values ('@0000000-0000-7000-8000-0000000000aa', 'invitation', 'x@example.org', 'Hello', 'Hello');

insert into roles (id, org_id, key, name, permissions, built_in)
values ('@0000000-0000-7000-8000-000000000004', '@0000000-0000-7000-8000-0000000000aa', 'owner', 'Owner', '{}', true);

insert into members (org_id, user_id, role_id)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-000000000001',
  '@0000000-0000-7000-8000-000000000004');

insert into invitations (id, org_id, email, role_id, expires_at)
values ('@0000000-0000-7000-8000-000000000005', '@0000000-0000-7000-8000-0000000000aa', 'new@example.org',
  '@0000000-0000-7000-8000-000000000004', now() + interval '1 day');

insert into invitation_secrets (invitation_id, org_id, token_hash)
values ('@0000000-0000-7000-8000-000000000005', '@0000000-0000-7000-8000-0000000000aa', 'invitation-@');

insert into branding (org_id)
values ('@0000000-0000-7000-8000-0000000000aa');

insert into api_tokens (id, org_id, name, prefix, scopes)
values ('@0000000-0000-7000-8000-000000000006', '@0000000-0000-7000-8000-0000000000aa', 'Token', 'es_', '{events:read}');

insert into api_token_secrets (token_id, org_id, secret_hash)
values ('@0000000-0000-7000-8000-000000000006', '@0000000-0000-7000-8000-0000000000aa', 'token-@');

insert into trusted_documents (org_id, sha256, name, text)
values ('@0000000-0000-7000-8000-0000000000aa', encode(sha256('{ a }'), 'hex'), 'A', '{ a }');

insert into venues (id, org_id, name)
values
  ('@0000000-0000-7000-8000-000000000007', '@0000000-0000-7000-8000-0000000000aa', 'Hall'),
  ('@0000000-0000-7000-8000-000000000008', '@0000000-0000-7000-8000-0000000000aa', 'Secret cellar');

-- 1 public, 2 unlisted, 3 private, 4 draft: each with a date, a session and a ticket type.
insert into events (id, org_id, venue_id, slug, title, status, visibility, time_zone, currency, starts_at, ends_at)
values
  ('@0000000-0000-7000-8000-0000000000e1', '@0000000-0000-7000-8000-0000000000aa',
    '@0000000-0000-7000-8000-000000000007', 'open', 'Open', 'published', 'public', 'UTC', 'EUR', now(), now() + interval '1 hour'),
  ('@0000000-0000-7000-8000-0000000000e2', '@0000000-0000-7000-8000-0000000000aa',
    null, 'unlisted', 'Unlisted', 'published', 'unlisted', 'UTC', 'EUR', now(), now() + interval '1 hour'),
  ('@0000000-0000-7000-8000-0000000000e3', '@0000000-0000-7000-8000-0000000000aa',
    '@0000000-0000-7000-8000-000000000008', 'private', 'Private', 'published', 'private', 'UTC', 'EUR', now(), now() + interval '1 hour'),
  ('@0000000-0000-7000-8000-0000000000e4', '@0000000-0000-7000-8000-0000000000aa',
    null, 'draft', 'Draft', 'draft', 'public', 'UTC', 'EUR', now(), now() + interval '1 hour');

insert into occurrences (id, org_id, event_id, starts_at, ends_at)
select ('@0000000-0000-7000-8000-0000000000c' || right(e.id::text, 1))::uuid, org_id, id, starts_at, ends_at
from events e
where org_id = '@0000000-0000-7000-8000-0000000000aa';

insert into event_online_access (org_id, event_id, join_url)
select org_id, id, 'https://example.org/join'
from events
where org_id = '@0000000-0000-7000-8000-0000000000aa';

insert into event_signing_keys (org_id, event_id, key_number, public_key, private_key_encrypted)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1', 1, 'public', 'private');

insert into sessions (id, org_id, event_id, title, starts_at, ends_at)
select ('@0000000-0000-7000-8000-0000000000b' || right(e.id::text, 1))::uuid, org_id, id, 'Talk', starts_at, ends_at
from events e
where org_id = '@0000000-0000-7000-8000-0000000000aa';

-- The second speaks at the draft only.
insert into speakers (id, org_id, name)
values
  ('@0000000-0000-7000-8000-0000000000f1', '@0000000-0000-7000-8000-0000000000aa', 'Ada'),
  ('@0000000-0000-7000-8000-0000000000f4', '@0000000-0000-7000-8000-0000000000aa', 'Unannounced');

insert into session_speakers (org_id, event_id, session_id, speaker_id)
values
  ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1',
    '@0000000-0000-7000-8000-0000000000b1', '@0000000-0000-7000-8000-0000000000f1'),
  ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e4',
    '@0000000-0000-7000-8000-0000000000b4', '@0000000-0000-7000-8000-0000000000f4');

insert into ticket_types (id, org_id, event_id, name, currency)
select ('@0000000-0000-7000-8000-0000000000d' || right(e.id::text, 1))::uuid, org_id, id, 'Standard', 'EUR'
from events e
where org_id = '@0000000-0000-7000-8000-0000000000aa';

insert into ticket_types (id, org_id, event_id, name, currency, hidden, active)
values
  ('@0000000-0000-7000-8000-0000000000d8', '@0000000-0000-7000-8000-0000000000aa',
    '@0000000-0000-7000-8000-0000000000e1', 'Hidden', 'EUR', true, true),
  ('@0000000-0000-7000-8000-0000000000d9', '@0000000-0000-7000-8000-0000000000aa',
    '@0000000-0000-7000-8000-0000000000e1', 'Not sold', 'EUR', false, false);

insert into capacity_pools (id, org_id, event_id, name, capacity, claimed)
values ('@0000000-0000-7000-8000-000000000010', '@0000000-0000-7000-8000-0000000000aa',
  '@0000000-0000-7000-8000-0000000000e1', 'Pool', 5, 1);

insert into ticket_type_pools (org_id, event_id, ticket_type_id, pool_id)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1',
  '@0000000-0000-7000-8000-0000000000d1', '@0000000-0000-7000-8000-000000000010');

-- An extra of the open event that everybody may see, and one that only members do.
insert into ticket_types (id, org_id, event_id, name, currency)
values ('@0000000-0000-7000-8000-0000000000d5', '@0000000-0000-7000-8000-0000000000aa',
  '@0000000-0000-7000-8000-0000000000e1', 'Parking', 'EUR');

insert into ticket_type_add_ons (id, org_id, event_id, ticket_type_id, add_on_id)
values
  ('@0000000-0000-7000-8000-000000000071', '@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1',
    '@0000000-0000-7000-8000-0000000000d1', '@0000000-0000-7000-8000-0000000000d5'),
  ('@0000000-0000-7000-8000-000000000072', '@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1',
    '@0000000-0000-7000-8000-0000000000d1', '@0000000-0000-7000-8000-0000000000d9');

-- Triggers make the pools of both.
insert into price_tiers (org_id, event_id, ticket_type_id, name, price_minor, currency)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1',
  '@0000000-0000-7000-8000-0000000000d1', 'Early', 0, 'EUR');

insert into promo_codes (id, org_id, event_id, code, kind, rate_millionths)
values ('@0000000-0000-7000-8000-000000000073', '@0000000-0000-7000-8000-0000000000aa',
  '@0000000-0000-7000-8000-0000000000e1', 'SAVE-@', 'percent', 100000);

insert into promo_code_ticket_types (org_id, event_id, promo_code_id, ticket_type_id)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1',
  '@0000000-0000-7000-8000-000000000073', '@0000000-0000-7000-8000-0000000000d1');

insert into discount_rules (org_id, event_id, name, kind, rate_millionths, min_tickets)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1', 'Groups', 'percent', 100000, 10);

insert into tax_rules (org_id, event_id, name, rate_millionths)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1', 'VAT', 190000);

insert into fee_rules (org_id, event_id, kind, name, rate_millionths)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1', 'service', 'Service', 20000);

-- The first attendee was registered by the buyer, the second by a guest.
insert into attendees (id, org_id, email, name)
values
  ('@0000000-0000-7000-8000-000000000011', '@0000000-0000-7000-8000-0000000000aa', 'first@example.org', 'First'),
  ('@0000000-0000-7000-8000-000000000012', '@0000000-0000-7000-8000-0000000000aa', 'second@example.org', 'Second');

-- The buyer is confirmed for the private event with the hidden kind of the open one out of reach; the guest holds a
-- place at the open event.
insert into registrations (
  id, org_id, event_id, occurrence_id, user_id, confirmation_number, status, buyer_name, buyer_email, currency,
  total_minor, expires_at
)
values
  ('@0000000-0000-7000-8000-000000000021', '@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e3',
    '@0000000-0000-7000-8000-0000000000c3', '@0000000-0000-7000-8000-000000000002', 'REG-1', 'confirmed', 'Buyer',
    'buyer@example.org', 'EUR', 0, null),
  ('@0000000-0000-7000-8000-000000000022', '@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1',
    '@0000000-0000-7000-8000-0000000000c1', null, 'REG-2', 'held', 'Guest', 'guest@example.org', 'EUR', 0,
    now() + interval '15 minutes');

insert into registration_secrets (registration_id, org_id, secret_hash)
values ('@0000000-0000-7000-8000-000000000022', '@0000000-0000-7000-8000-0000000000aa', 'guest-@');

insert into registration_items (
  id, org_id, event_id, registration_id, ticket_type_id, attendee_id, position, price_minor, currency
)
values
  ('@0000000-0000-7000-8000-000000000031', '@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e3',
    '@0000000-0000-7000-8000-000000000021', '@0000000-0000-7000-8000-0000000000d3', '@0000000-0000-7000-8000-000000000011',
    1, 0, 'EUR'),
  ('@0000000-0000-7000-8000-000000000032', '@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1',
    '@0000000-0000-7000-8000-000000000022', '@0000000-0000-7000-8000-0000000000d8', '@0000000-0000-7000-8000-000000000012',
    1, 0, 'EUR');

insert into registration_item_charges (
  org_id, event_id, registration_id, item_id, kind, fee_kind, name, rate_millionths, inclusive, amount_minor, currency
)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e3',
  '@0000000-0000-7000-8000-000000000021', '@0000000-0000-7000-8000-000000000031', 'fee', 'service', 'Service', 0, false,
  100, 'EUR');

insert into pool_claims (org_id, event_id, pool_id, registration_id, quantity)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1',
  '@0000000-0000-7000-8000-000000000010', '@0000000-0000-7000-8000-000000000022', 1);

insert into tickets (org_id, event_id, registration_id, item_id, ticket_type_id, attendee_id, code)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e3',
  '@0000000-0000-7000-8000-000000000021', '@0000000-0000-7000-8000-000000000031', '@0000000-0000-7000-8000-0000000000d3',
  '@0000000-0000-7000-8000-000000000011', 'code-@');

insert into registration_sources (id, org_id, fingerprint, utm_source)
values ('@0000000-0000-7000-8000-000000000071', '@0000000-0000-7000-8000-0000000000aa', 'source-@', 'letter');

update registrations
set source_id = '@0000000-0000-7000-8000-000000000071'
where id = '@0000000-0000-7000-8000-000000000022';

insert into ticket_transfers (org_id, event_id, ticket_id, recipient_email, expires_at)
select org_id, event_id, id, 'next@example.org', now() + interval '1 day'
from tickets
where code = 'code-@';

insert into ticket_transfer_secrets (transfer_id, org_id, secret_hash)
select x.id, x.org_id, 'transfer-@'
from ticket_transfers x
join tickets t on t.id = x.ticket_id
where t.code = 'code-@';

insert into ticket_secrets (ticket_id, org_id, secret_hash)
select id, org_id, 'ticket-@'
from tickets
where code = 'code-@';

insert into check_in_lists (id, org_id, event_id, name)
values ('@0000000-0000-7000-8000-000000000041', '@0000000-0000-7000-8000-0000000000aa',
  '@0000000-0000-7000-8000-0000000000e3', 'Door');

insert into check_in_list_ticket_types (org_id, event_id, list_id, ticket_type_id)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e3',
  '@0000000-0000-7000-8000-000000000041', '@0000000-0000-7000-8000-0000000000d3');

-- Let in, refused the second time, and a code of nothing.
insert into check_ins (id, org_id, event_id, list_id, ticket_id, direction, outcome, scanned_at, nonce)
select
  ('@0000000-0000-7000-8000-00000000005' || n)::uuid, t.org_id, t.event_id,
  '@0000000-0000-7000-8000-000000000041', case when n < 3 then t.id end, 'entry',
  (array['admitted', 'already_in', 'unknown'])[n], now(), 'nonce-@-' || n
from tickets t, generate_series(1, 3) as n
where t.org_id = '@0000000-0000-7000-8000-0000000000aa';

insert into audit_log (org_id, actor, action, object_type, object_id)
values ('@0000000-0000-7000-8000-0000000000aa', 'system:test', 'event.published', 'event', '@0000000-0000-7000-8000-0000000000e1');

insert into deprecated_uses (org_id, caller, coordinate, day, uses)
values ('@0000000-0000-7000-8000-0000000000aa', 'member', 'Query.old', '2026-11-21T00:00:00Z', 3);

insert into outbox (org_id, type, object_type, object_id, sequence)
values ('@0000000-0000-7000-8000-0000000000aa', 'event.published', 'event', '@0000000-0000-7000-8000-0000000000e1', 1);

insert into outbox_sequences (org_id, object_type, object_id, last_sequence)
values ('@0000000-0000-7000-8000-0000000000aa', 'event', '@0000000-0000-7000-8000-0000000000e1', 1);

insert into idempotency_keys (org_id, actor, operation, key, argument_hash)
values ('@0000000-0000-7000-8000-0000000000aa', 'guest', 'placeRegistration', 'key-of-@-12345678', 'hash');

insert into stock_holds (id, org_id, event_id, pool_id, name, quantity)
values ('@0000000-0000-7000-8000-000000000061', '@0000000-0000-7000-8000-0000000000aa',
  '@0000000-0000-7000-8000-0000000000e1', '@0000000-0000-7000-8000-000000000010', 'Crew', 1);

insert into hold_secrets (hold_id, org_id, secret_hash)
values ('@0000000-0000-7000-8000-000000000061', '@0000000-0000-7000-8000-0000000000aa', 'hold-@');

-- Nobody's that the tests act as.
insert into waitlist_entries (id, org_id, event_id, occurrence_id, name, email, status)
values ('@0000000-0000-7000-8000-000000000062', '@0000000-0000-7000-8000-0000000000aa',
  '@0000000-0000-7000-8000-0000000000e1', '@0000000-0000-7000-8000-0000000000c1', 'Wait', 'wait@example.org', 'offered');

insert into waitlist_lines (org_id, event_id, entry_id, ticket_type_id, quantity)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1',
  '@0000000-0000-7000-8000-000000000062', '@0000000-0000-7000-8000-0000000000d8', 1);

insert into waitlist_secrets (secret_hash, org_id, entry_id)
values ('waiting-@', '@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-000000000062');

insert into waitlist_offers (org_id, event_id, entry_id, expires_at, offered_at)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1',
  '@0000000-0000-7000-8000-000000000062', now() + interval '1 day', now());

insert into jobs (org_id, kind, queue, priority, lane, status, max_attempts, run_at, finished_at)
values ('@0000000-0000-7000-8000-0000000000aa', 'mail.deliver', 'mail', 0, '@0000000-0000-7000-8000-0000000000aa',
  'dead', 12, now(), now());

insert into payment_accounts (id, org_id, provider, name)
values ('@0000000-0000-7000-8000-000000000081', '@0000000-0000-7000-8000-0000000000aa', 'sandbox', 'Till');

insert into payment_account_secrets (account_id, org_id, sealed)
values ('@0000000-0000-7000-8000-000000000081', '@0000000-0000-7000-8000-0000000000aa', 'sealed-@');

insert into payments (
  id, org_id, event_id, registration_id, account_id, provider, status, amount_minor, captured_minor, currency, succeeded_at
)
select
  '@0000000-0000-7000-8000-000000000082', r.org_id, r.event_id, r.id, '@0000000-0000-7000-8000-000000000081', 'sandbox',
  'succeeded', 500, 500, 'EUR', now()
from registrations r
where r.id = '@0000000-0000-7000-8000-000000000022';

insert into refunds (id, org_id, event_id, registration_id, payment_id, amount_minor, currency)
select '@0000000-0000-7000-8000-000000000083', p.org_id, p.event_id, p.registration_id, p.id, 100, p.currency
from payments p
where p.id = '@0000000-0000-7000-8000-000000000082';

insert into ledger_entries (org_id, kind, debit, credit, amount_minor, currency, event_id, registration_id, payment_id)
select p.org_id, 'capture', 'provider', 'buyer', p.captured_minor, p.currency, p.event_id, p.registration_id, p.id
from payments p
where p.id = '@0000000-0000-7000-8000-000000000082';

insert into disputes (
  id, org_id, event_id, registration_id, payment_id, provider_reference, amount_minor, currency
)
select
  '@0000000-0000-7000-8000-000000000092', p.org_id, p.event_id, p.registration_id, p.id, 'dp', 100, p.currency
from payments p
where p.id = '@0000000-0000-7000-8000-000000000082';

insert into platform_fee_terms (org_id, currency, rate_millionths, fixed_minor, returned_on_refund)
values ('@0000000-0000-7000-8000-0000000000aa', 'EUR', 25000, 50, true);

insert into event_cancellations (org_id, event_id, currency, registrations)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1', 'EUR', 1);

insert into reconciliations (id, org_id, account_id, from_at, to_at)
values ('@0000000-0000-7000-8000-000000000093', '@0000000-0000-7000-8000-0000000000aa',
  '@0000000-0000-7000-8000-000000000081', now() - interval '1 day', now());

insert into reconciliation_differences (org_id, reconciliation_id, kind, ours_minor, theirs_minor, currency)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-000000000093', 'captured', 1, 2, 'EUR');

insert into invoice_series (org_id, kind, year, last_number)
values ('@0000000-0000-7000-8000-0000000000aa', 'invoice', 2026, 1);

insert into invoices (
  id, org_id, event_id, registration_id, kind, year, series_number, number, seller_name, buyer_name, buyer_email, event_title,
  net_minor, tax_minor, total_minor, currency, issued_at
)
select
  '@0000000-0000-7000-8000-000000000091', p.org_id, p.event_id, p.registration_id, 'invoice', 2026, 1, 'INV-2026-000001',
  'Acme', 'Bo', 'bo@example.org', 'Day', 420, 80, 500, 'EUR', now()
from payments p
where p.id = '@0000000-0000-7000-8000-000000000082';

insert into invoice_lines (
  org_id, event_id, registration_id, invoice_id, position, kind, description, quantity, net_minor, tax_minor, total_minor,
  currency
)
select i.org_id, i.event_id, i.registration_id, i.id, 1, 'ticket', 'Ticket', 1, 420, 80, 500, 'EUR'
from invoices i
where i.id = '@0000000-0000-7000-8000-000000000091';

insert into invoice_taxes (
  org_id, event_id, registration_id, invoice_id, position, name, rate_millionths, net_minor, tax_minor, currency
)
select i.org_id, i.event_id, i.registration_id, i.id, 1, 'VAT', 190000, 420, 80, 'EUR'
from invoices i
where i.id = '@0000000-0000-7000-8000-000000000091';

insert into payment_events (org_id, account_id, event_key, body)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-000000000081', 'evt', 'body');

insert into sandbox_payments (id, org_id, account_id, reference, amount_minor, currency, description)
values ('@0000000-0000-7000-8000-000000000084', '@0000000-0000-7000-8000-0000000000aa',
  '@0000000-0000-7000-8000-000000000081', '@0000000-0000-7000-8000-000000000082', 500, 'EUR', 'REG');

insert into sandbox_refunds (org_id, payment_id, status, amount_minor)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-000000000084', 'succeeded', 100);
insert into sandbox_disputes (org_id, payment_id, amount_minor, fee_minor)
select p.org_id, p.id, 100, 15
from sandbox_payments p
where p.id = '@0000000-0000-7000-8000-000000000084';

insert into webhook_endpoints (id, org_id, url, api_version)
values ('@0000000-0000-7000-8000-000000000071', '@0000000-0000-7000-8000-0000000000aa',
  'https://hooks.example/@', '2026-11-21');

insert into webhook_endpoint_secrets (endpoint_id, org_id, sealed)
values ('@0000000-0000-7000-8000-000000000071', '@0000000-0000-7000-8000-0000000000aa', 'sealed-@');

insert into webhook_deliveries (
  id, org_id, endpoint_id, message_id, event_type, event_version, object_type, object_id, sequence, occurred_at
)
values ('@0000000-0000-7000-8000-000000000072', '@0000000-0000-7000-8000-0000000000aa',
  '@0000000-0000-7000-8000-000000000071', '@0000000-0000-7000-8000-000000000072', 'event.published', 1, 'event', '@0000000-0000-7000-8000-0000000000e1', 1, now());

insert into webhook_attempts (org_id, delivery_id, number, started_at, took_ms)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-000000000072', 1, now(), 12);
insert into message_templates (org_id, event_id, kind, channel, language, subject, mjml)
values ('@0000000-0000-7000-8000-0000000000aa', '@0000000-0000-7000-8000-0000000000e1', 'reminder', 'email', 'en',
  'Soon', '<mjml><mj-body></mj-body></mjml>');

insert into message_deliveries (org_id, kind, channel, recipient, about, occasion)
values ('@0000000-0000-7000-8000-0000000000aa', 'reminder', 'email', 'x@example.org',
  '@0000000-0000-7000-8000-0000000000c1', '');

insert into message_suppressions (org_id, channel, address, reason)
values ('@0000000-0000-7000-8000-0000000000aa', 'email', 'x@example.org', 'bounce');

insert into message_reminders (id, org_id, event_id, minutes_before)
values ('@0000000-0000-7000-8000-000000000071', '@0000000-0000-7000-8000-0000000000aa',
  '@0000000-0000-7000-8000-0000000000e1', 60);

insert into message_reminder_runs (reminder_id, occurrence_id, org_id)
values ('@0000000-0000-7000-8000-000000000071', '@0000000-0000-7000-8000-0000000000c1',
  '@0000000-0000-7000-8000-0000000000aa');

insert into message_accounts (id, org_id, channel, provider, name, sender)
values ('@0000000-0000-7000-8000-000000000072', '@0000000-0000-7000-8000-0000000000aa', 'sms', 'twilio', 'AC@', '+100');

insert into message_account_secrets (account_id, org_id, sealed)
values ('@0000000-0000-7000-8000-000000000072', '@0000000-0000-7000-8000-0000000000aa', 'sealed');
