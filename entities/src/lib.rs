//! SeaORM entities, one table a file. Doc comments of tables and columns become the API's descriptions.

mod documented;

pub mod api_token_secrets;
pub mod api_tokens;
pub mod attendees;
pub mod audit_log;
pub mod branding;
pub mod capacity_pools;
pub mod check_in_list_ticket_types;
pub mod check_in_lists;
pub mod check_ins;
pub mod deprecated_uses;
pub mod device_sessions;
pub mod discount_rules;
pub mod disputes;
pub mod event_cancellations;
pub mod event_online_access;
pub mod event_signing_keys;
pub mod events;
pub mod fee_rules;
pub mod hold_secrets;
pub mod idempotency_keys;
pub mod invitation_secrets;
pub mod invitations;
pub mod invoice_lines;
pub mod invoice_series;
pub mod invoice_taxes;
pub mod invoices;
pub mod job_kinds;
pub mod job_schedules;
pub mod job_workers;
pub mod jobs;
pub mod ledger_entries;
pub mod mail_messages;
pub mod members;
pub mod message_account_secrets;
pub mod message_accounts;
pub mod message_deliveries;
pub mod message_reminder_runs;
pub mod message_reminders;
pub mod message_suppressions;
pub mod message_templates;
pub mod occurrences;
pub mod one_time_codes;
pub mod organizations;
pub mod outbox;
pub mod outbox_sequences;
pub mod payment_account_secrets;
pub mod payment_accounts;
pub mod payment_events;
pub mod payments;
pub mod permission_rows;
pub mod permissions;
pub mod platform_fee_terms;
pub mod pool_claims;
pub mod price_tiers;
pub mod promo_code_ticket_types;
pub mod promo_codes;
pub mod reconciliation_differences;
pub mod reconciliations;
pub mod refresh_tokens;
pub mod refunds;
pub mod registration_item_charges;
pub mod registration_items;
pub mod registration_secrets;
pub mod registration_sources;
pub mod registrations;
pub mod roles;
pub mod sandbox_disputes;
pub mod sandbox_payments;
pub mod sandbox_refunds;
pub mod session_speakers;
pub mod sessions;
pub mod signing_keys;
pub mod speakers;
pub mod stock_holds;
pub mod tax_rules;
pub mod ticket_secrets;
pub mod ticket_transfer_secrets;
pub mod ticket_transfers;
pub mod ticket_type_add_ons;
pub mod ticket_type_pools;
pub mod ticket_types;
pub mod tickets;
pub mod trusted_documents;
pub mod user_secrets;
pub mod users;
pub mod venues;
pub mod waitlist_entries;
pub mod waitlist_lines;
pub mod waitlist_offers;
pub mod waitlist_secrets;
pub mod webhook_attempts;
pub mod webhook_deliveries;
pub mod webhook_endpoint_secrets;
pub mod webhook_endpoints;

use eventsphere_graphql::Declaration;

/// Everything that the API shows, in the order in which the schema shows it. Tables that are missing here (secrets,
/// keys, stock claims, outbox) have no way into the API.
pub fn declarations() -> Vec<Declaration> {
    vec![
        users::declaration(),
        organizations::declaration(),
        members::declaration(),
        roles::declaration(),
        invitations::declaration(),
        branding::declaration(),
        api_tokens::declaration(),
        trusted_documents::declaration(),
        device_sessions::declaration(),
        venues::declaration(),
        events::declaration(),
        event_cancellations::declaration(),
        occurrences::declaration(),
        event_online_access::declaration(),
        sessions::declaration(),
        speakers::declaration(),
        session_speakers::declaration(),
        ticket_types::declaration(),
        capacity_pools::declaration(),
        ticket_type_pools::declaration(),
        ticket_type_add_ons::declaration(),
        price_tiers::declaration(),
        discount_rules::declaration(),
        promo_codes::declaration(),
        promo_code_ticket_types::declaration(),
        tax_rules::declaration(),
        fee_rules::declaration(),
        attendees::declaration(),
        registrations::declaration(),
        registration_items::declaration(),
        registration_sources::declaration(),
        registration_item_charges::declaration(),
        tickets::declaration(),
        ticket_transfers::declaration(),
        stock_holds::declaration(),
        waitlist_entries::declaration(),
        waitlist_lines::declaration(),
        waitlist_offers::declaration(),
        check_in_lists::declaration(),
        check_in_list_ticket_types::declaration(),
        check_ins::declaration(),
        payment_accounts::declaration(),
        payments::declaration(),
        refunds::declaration(),
        disputes::declaration(),
        ledger_entries::declaration(),
        platform_fee_terms::declaration(),
        reconciliations::declaration(),
        reconciliation_differences::declaration(),
        invoices::declaration(),
        invoice_lines::declaration(),
        invoice_taxes::declaration(),
        message_templates::declaration(),
        message_deliveries::declaration(),
        message_suppressions::declaration(),
        message_reminders::declaration(),
        message_accounts::declaration(),
        jobs::declaration(),
        webhook_endpoints::declaration(),
        webhook_attempts::declaration(),
        webhook_deliveries::declaration(),
        audit_log::declaration(),
        deprecated_uses::declaration(),
    ]
}
