//! Tables, indexes, grants and row level security, one migration a family of tables, and the application of
//! `sql/functions/`. Everything here runs as `es_owner`; cluster roles and extensions are made by the bootstrap
//! step of the program, never by a migration, because other databases of the cluster may share them.

mod fence;
pub mod functions;
pub mod permissions;
mod run;

mod m20261121_000001_foundation;
mod m20261121_000002_accounts;
mod m20261121_000003_organizations;
mod m20261121_000004_events;
mod m20261121_000005_catalogue;
mod m20261121_000006_registrations;
mod m20261121_000007_journal;
mod m20261121_000008_door;
mod m20261121_000009_trusted_documents;
mod m20261121_000010_deprecated_uses;
mod m20261121_000011_search;
mod m20261121_000012_pages;
mod m20261121_000013_batches;
mod m20261121_000014_prices;
mod m20261121_000015_charges;
mod m20261121_000016_claimants;
mod m20261121_000017_waiting;
mod m20261121_000018_changes;
mod m20261121_000019_transfers;
mod m20261121_000021_repricing;
mod m20261121_000023_jobs;
mod m20261121_000024_leaner_sale;
mod m20261121_000025_webhooks;
mod m20261121_000026_messages;
mod m20261121_000027_reminders;
mod m20261121_000028_payments;
mod m20261121_000029_payment_events;
mod m20261121_000033_told;
mod m20261121_000034_reports;
mod m20261121_000035_payment_providers;
mod m20261121_000037_invoices;
mod m20261121_000038_disputes;
mod m20261121_000039_event_cancellations;
mod m20261121_000040_reconciliations;

pub use run::{MigrationError, Report, Status, down, status, up, up_to};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// All migrations, oldest first.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_foundation::Migration),
            Box::new(m20261121_000002_accounts::Migration),
            Box::new(m20261121_000003_organizations::Migration),
            Box::new(m20261121_000004_events::Migration),
            Box::new(m20261121_000005_catalogue::Migration),
            Box::new(m20261121_000006_registrations::Migration),
            Box::new(m20261121_000007_journal::Migration),
            Box::new(m20261121_000008_door::Migration),
            Box::new(m20261121_000009_trusted_documents::Migration),
            Box::new(m20261121_000010_deprecated_uses::Migration),
            Box::new(m20261121_000011_search::Migration),
            Box::new(m20261121_000012_pages::Migration),
            Box::new(m20261121_000013_batches::Migration),
            Box::new(m20261121_000014_prices::Migration),
            Box::new(m20261121_000015_charges::Migration),
            Box::new(m20261121_000016_claimants::Migration),
            Box::new(m20261121_000017_waiting::Migration),
            Box::new(m20261121_000018_changes::Migration),
            Box::new(m20261121_000019_transfers::Migration),
            Box::new(m20261121_000021_repricing::Migration),
            Box::new(m20261121_000023_jobs::Migration),
            Box::new(m20261121_000024_leaner_sale::Migration),
            Box::new(m20261121_000025_webhooks::Migration),
            Box::new(m20261121_000026_messages::Migration),
            Box::new(m20261121_000027_reminders::Migration),
            Box::new(m20261121_000028_payments::Migration),
            Box::new(m20261121_000029_payment_events::Migration),
            Box::new(m20261121_000033_told::Migration),
            Box::new(m20261121_000034_reports::Migration),
            Box::new(m20261121_000035_payment_providers::Migration),
            Box::new(m20261121_000037_invoices::Migration),
            Box::new(m20261121_000038_disputes::Migration),
            Box::new(m20261121_000039_event_cancellations::Migration),
            Box::new(m20261121_000040_reconciliations::Migration),
        ]
    }
}

/// A migration whose two directions are plain SQL text.
macro_rules! sql_migration {
    ($name:literal, $up:expr, $down:expr) => {
        #[derive(Debug)]
        pub struct Migration;

        impl sea_orm_migration::MigrationName for Migration {
            fn name(&self) -> &str {
                $name
            }
        }

        #[async_trait::async_trait]
        impl sea_orm_migration::MigrationTrait for Migration {
            async fn up(
                &self,
                manager: &sea_orm_migration::SchemaManager,
            ) -> Result<(), sea_orm_migration::DbErr> {
                use sea_orm_migration::sea_orm::ConnectionTrait as _;
                let sql: String = $up;
                manager.get_connection().execute_unprepared(&sql).await?;
                Ok(())
            }

            async fn down(
                &self,
                manager: &sea_orm_migration::SchemaManager,
            ) -> Result<(), sea_orm_migration::DbErr> {
                use sea_orm_migration::sea_orm::ConnectionTrait as _;
                let sql: String = $down;
                manager.get_connection().execute_unprepared(&sql).await?;
                Ok(())
            }
        }
    };
}
pub(crate) use sql_migration;
