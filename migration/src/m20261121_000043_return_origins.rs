//! Where buyers may be sent after they paid.

use crate::sql_migration;

sql_migration!(
    "m20261121_000043_return_origins",
    UP.to_owned(),
    DOWN.to_owned()
);

/// Origins as browsers write them (`https://shop.example`), so that an address is judged by comparing one text with others.
const UP: &str = "
alter table payment_accounts
  add column return_origins text[] not null default '{}',
  add constraint payment_accounts_return_origins_count check (cardinality(return_origins) <= 20);
";

const DOWN: &str = "
alter table payment_accounts drop column return_origins;
";
