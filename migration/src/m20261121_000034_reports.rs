//! What providers of messages sign their reports with.

use crate::sql_migration;

sql_migration!("m20261121_000034_reports", UP.to_owned(), DOWN.to_owned());

/// No secret: the half of a key that verifies.
const UP: &str = "
alter table message_accounts
  add column webhook_key text,
  add constraint message_accounts_webhook_key_length check (char_length(webhook_key) between 1 and 500);
";

const DOWN: &str = "alter table message_accounts drop column webhook_key;";
