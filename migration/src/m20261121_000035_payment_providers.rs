//! Payment providers beyond the sandbox: whether an account moves real money, how one pays without a page, until when the
//! money is waited for, and what members say came in by hand.

use crate::sql_migration;

sql_migration!(
    "m20261121_000035_payment_providers",
    UP.to_owned(),
    DOWN.to_owned()
);

const UP: &str = "
alter table payment_accounts
  add column live boolean not null default false;

alter table payments
  add column instructions text,
  add column due_at timestamptz,
  add column received_minor bigint,
  add column received_at timestamptz,
  add constraint payments_instructions_length check (char_length(instructions) <= 3000),
  add constraint payments_received_range check (received_minor > 0),
  add constraint payments_received_when check ((received_minor is null) = (received_at is null));
";

const DOWN: &str = "
alter table payments
  drop column received_at,
  drop column received_minor,
  drop column due_at,
  drop column instructions;
alter table payment_accounts
  drop column live;
";
