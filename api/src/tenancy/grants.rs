//! Which weak role may read which table at all, asked of the database at start: so that a query for what a role can
//! never read is answered with a clear error, not with a failed statement.

use std::collections::{HashMap, HashSet};

use super::actor::{Actor, Role};

/// Tables readable by each weak role.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    readable: HashMap<Role, HashSet<String>>,
}

impl Grants {
    /// Asks (role, table) of the live database.
    pub const SQL: &'static str = "
select r.rolname::text, c.relname::text
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
cross join pg_roles r
where n.nspname = 'public'
  and c.relkind in ('r', 'p', 'v')
  and r.rolname in ('es_public', 'es_attendee', 'es_member')
  and has_table_privilege(r.oid, c.oid, 'select')";

    /// From the rows of [`Self::SQL`].
    pub fn new(rows: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut readable: HashMap<Role, HashSet<String>> = HashMap::new();
        for (role, table) in rows {
            let known = [Role::Public, Role::Attendee, Role::Member]
                .into_iter()
                .find(|known| known.name() == role);
            if let Some(role) = known {
                readable.entry(role).or_default().insert(table);
            }
        }
        Self { readable }
    }

    /// Whether the actor's role may read rows of the table.
    pub fn readable(&self, actor: &Actor, table: &str) -> bool {
        self.readable
            .get(&actor.role())
            .is_some_and(|tables| tables.contains(table))
    }
}
